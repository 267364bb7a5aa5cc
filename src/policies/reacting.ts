import type { Logger } from 'pino';
import type { Outcome } from '../commands/binding.ts';
import { isOutage, Poison } from '../eventstore/consumer/faults.ts';
import type { Handle } from '../eventstore/consumer/handler.ts';
import type { Fact } from '../eventstore/feed.ts';
import { uuid5 } from '../uuid.ts';
import type { JobQueue, Queued } from './boss.ts';
import { type Cause, Contended, type Execute, settled } from './execute.ts';
import type { AnyPolicy, Reaction } from './policy.ts';

/** Told what came of each command that a policy issued. */
export type Observe = (policy: string, command: string, outcome: Outcome) => void;

export type Reacting = {
  readonly execute: Execute;
  readonly queue: Pick<JobQueue, 'add'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly observe?: Observe;
};

/** Job that issues a command at its time. */
export const TIMED_COMMAND = 'command';
export type TimedCommand = { readonly command: string; readonly input: unknown; readonly cause: Cause };

/** Streams whose events are handled at the same time. */
const LANES = 8;

type Handler = (event: Fact) => readonly Reaction[];
/** What an event leads to beside the commands issued at once. */
type Led = { readonly event: Fact; readonly jobs: readonly Queued[] };

/** Issues a command and notes what came of it. A refusal is an outcome like any other: the rule had the last word. */
export const issueCommand = async (
  { command, input, cause }: TimedCommand,
  { execute, log, observe }: Omit<Reacting, 'queue'>,
): Promise<void> => {
  const outcome = settled(await execute(command, input, cause));
  observe?.(cause.policy, command, outcome);
  if (outcome.ok) return;
  const { code, reason } = outcome;
  const refusal = { policy: cause.policy, command, code, reason, event: cause.causationId };
  if (code === 'VALIDATION_ERROR') log.warn(refusal, 'policy issued a command that its own schema refuses');
  else log.info(refusal, 'command of a policy refused');
};

/**
 * Handles events for a policy: streams side by side, each in order. Handling an event again changes nothing, because the
 * ids of its commands and jobs follow from event, policy and place.
 */
export const reactor = (policy: AnyPolicy, reacting: Reacting): Handle => {
  /** Issues the commands that are due and gives the jobs that the event leads to. */
  const react = async (event: Fact): Promise<Led> => {
    const handler = policy.on[event.type] as Handler | undefined;
    const jobs: Queued[] = [];
    if (handler === undefined) return { event, jobs };
    try {
      for (const [index, reaction] of handler(event).entries()) {
        const id = uuid5(`${policy.name}/${index}`, event.id);
        const at = reaction.at !== undefined && reaction.at.getTime() > Date.now() ? { at: reaction.at } : {};
        if (reaction.kind === 'job') jobs.push({ id, job: reaction.job, data: reaction.data, ...at });
        else {
          const { correlationId } = event.metadata;
          const cause = { policy: policy.name, commandId: id, causationId: event.id, correlationId };
          const timed: TimedCommand = { command: reaction.command, input: reaction.input, cause };
          if ('at' in at) jobs.push({ id, job: TIMED_COMMAND, data: timed, ...at });
          else await issueCommand(timed, reacting);
        }
      }
      return { event, jobs };
    } catch (error) {
      throw error instanceof Contended || isOutage(error) ? error : new Poison(event, error);
    }
  };

  /** Adds the jobs of many events at once; when the queue refuses them, one event at a time, to find the one to blame. */
  const enqueue = async (led: readonly Led[]): Promise<void> => {
    const jobs = led.flatMap((one) => one.jobs);
    if (jobs.length === 0) return;
    try {
      await reacting.queue.add(jobs);
    } catch (error) {
      if (isOutage(error)) throw error;
      const [first] = led;
      if (led.length === 1 && first !== undefined) throw new Poison(first.event, error);
      for (const one of led) await enqueue([one]);
    }
  };

  return async (events) => {
    const streams = Map.groupBy(events, ({ stream }) => stream).values();
    const failures: unknown[] = [];
    const led: Led[] = [];
    const lane = async (): Promise<void> => {
      for (const stream of streams)
        try {
          for (const event of stream) led.push(await react(event));
        } catch (error) {
          failures.push(error);
        }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    const outage = failures.find((failure) => !(failure instanceof Poison));
    if (outage !== undefined) throw outage;
    const [first] = failures
      .filter((failure) => failure instanceof Poison)
      .sort((a, b) => (a.event.position < b.event.position ? -1 : 1));
    if (first !== undefined) throw first;
    await enqueue(led.sort((a, b) => (a.event.position < b.event.position ? -1 : 1)));
  };
};
