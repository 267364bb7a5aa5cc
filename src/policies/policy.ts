import type { z } from 'zod';
import type { Fact } from '../commands/reads.ts';
import type { EventType } from '../domain/catalogue.ts';
import type { Command } from '../domain/decider.ts';
import type { Recorded } from '../eventstore/event.ts';

/** A command to be issued by the system. */
export type Issued = {
  readonly kind: 'command';
  readonly command: string;
  readonly input: unknown;
  readonly at?: Date;
};
/** Work outside the log, done by the job of that name (src/policies/jobs.ts) and retried until it succeeds or is given up. */
export type Job = { readonly kind: 'job'; readonly job: string; readonly data: unknown; readonly at?: Date };
export type Reaction = Issued | Job;

/** A command to be issued at once or at an instant; its input is checked by the command's own schema when it runs. */
export const issue = <Name extends string, Input extends z.ZodType, State, Event extends Fact, Facts>(
  command: Command<Name, Input, State, Event, Facts>,
  input: z.input<Input>,
  at?: Date,
): Issued => ({ kind: 'command', command: command.name, input, ...(at === undefined ? {} : { at }) });

/** A job to be run at once or at an instant. `data` is plain JSON without personal data: ids, from which the job reads what it needs. */
export const job = (name: string, data: unknown, at?: Date): Job => ({
  kind: 'job',
  job: name,
  data,
  ...(at === undefined ? {} : { at }),
});

/**
 * When this event, then these commands or jobs. The name is permanent: its durable position hangs on it. Handlers are
 * pure; what they issue carries an id derived from event and policy, so that handling an event twice changes nothing.
 */
export type Policy<T extends EventType = EventType> = {
  readonly name: string;
  readonly on: { readonly [K in T]: (event: Recorded<K>) => readonly Reaction[] };
};

export const policy = <T extends EventType>(name: string, on: Policy<T>['on']): Policy<T> => ({ name, on });

export type AnyPolicy = {
  readonly name: string;
  readonly on: Readonly<Record<string, (event: never) => readonly Reaction[]>>;
};
