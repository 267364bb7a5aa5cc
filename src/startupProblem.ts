/**
 * Why the service cannot start, in one sentence for the person who started it. The edge prints the message alone, without a
 * stack, and exits with 1: whoever throws it names what is wrong and, where there is one, what to do about it, and never a secret.
 */
export class StartupProblem extends Error {
  override readonly name = 'StartupProblem';
}
