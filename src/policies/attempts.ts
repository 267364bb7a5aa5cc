/**
 * An attempt has failed, and the log says so and when the next one is due: the queue has nothing to repeat. `last`: there
 * is no next one. The code alone is kept, for what services say quotes addresses and content.
 */
export class AttemptNoted extends Error {
  override readonly name = 'AttemptNoted';
  readonly code: string;
  readonly last: boolean;
  constructor(code: string, last: boolean) {
    super(`The attempt failed (${code})`);
    this.code = code;
    this.last = last;
  }
}
