import type { AnyBinding, Outcome } from '../commands/binding.ts';
import type { Commands } from '../commands/pipeline.ts';
import type { Actor } from '../domain/decider.ts';

/** Which policy issues a command, and because of what. Plain JSON: timers carry it. */
export type Cause = {
  readonly policy: string;
  /** Follows from event and policy, so that a repeat is recognised. */
  readonly commandId: string;
  /** The event. */
  readonly causationId: string;
  readonly correlationId: string;
};

/** Runs a command by name for a policy. Throws for a command that does not exist and the errors of the event-store port. */
export type Execute = (command: string, input: unknown, cause: Cause) => Promise<Outcome>;

const actorOf = (policy: string): Actor => ({
  id: `policy:${policy}`,
  kind: 'system',
  permissions: ['*:*'],
  verified: true,
});

/** Runs commands as the service itself. */
export const createExecute = (commands: Pick<Commands, 'execute'>, bindings: readonly AnyBinding[]): Execute => {
  const byName = new Map(bindings.map((binding) => [binding.command.name, binding]));
  return async (command, input, { policy, ...cause }) => {
    const binding = byName.get(command);
    if (binding === undefined)
      throw new Error(`The policy ${policy} issues the command ${command}, which does not exist`);
    return commands.execute(binding, { input, actor: actorOf(policy), ...cause });
  };
};

/** A command lost the race for its stream again and again; it will be tried once more, later. */
export class Contended extends Error {
  override readonly name = 'Contended';
}

/** Refusals are final answers, save that of a race lost, which is thrown. */
export const settled = (outcome: Outcome): Outcome => {
  if (!outcome.ok && outcome.reason === 'contended') throw new Contended('The stream is contended');
  return outcome;
};
