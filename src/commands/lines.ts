import { isDeepStrictEqual } from 'node:util';
import { type Context, type Rejection, reject } from '../domain/decider.ts';
import type { Codec } from '../eventstore/codec.ts';
import { isUndecodable, type Metadata } from '../eventstore/event.ts';
import {
  type EventStore,
  MAX_APPEND_BYTES,
  type NewEvent,
  type Position,
  START,
  type StoredEvent,
} from '../eventstore/port.ts';
import { uuid5 } from '../uuid.ts';
import { type Aggregate, type Aggregates, advance, type Trace } from './aggregates.ts';
import type { AnyBinding, AnyCommand, Outcome } from './binding.ts';
import { Abandoned, refused } from './outcomes.ts';
import type { Fact } from './reads.ts';

/** A command ready to be judged against one stream. */
export type Case = {
  readonly command: AnyCommand;
  /** Absent for steps of longer commands: they give no answer to a caller. */
  readonly binding?: AnyBinding;
  readonly stream: string;
  readonly input: unknown;
  /** Read again for every attempt. */
  readonly facts: () => Promise<unknown>;
  readonly context: () => Omit<Context, 'facts'>;
  readonly metadata: Metadata;
  readonly commandId: string;
  readonly payloadHash?: string;
  readonly ifMatch?: number;
  readonly signal?: AbortSignal;
};

/** Judges a case and stores what it decides. */
export type Judge = (one: Case) => Promise<Outcome>;

type Pending = Case & {
  readonly facts: never;
  readonly known: unknown;
  readonly settle: (settled: Settled) => void;
  readonly fail: (error: unknown) => void;
};
/** An outcome, or word that the stream has moved on and the case must be judged anew. */
type Settled = Outcome | 'moved';

/** How often a case is judged anew after others were faster; then CONFLICT with reason `contended`. */
const RETRIES = 3;
/** Cases of one stream that are decided one upon the other and appended together. */
const LINE = 64;

const CONTENDED = refused(
  reject('CONFLICT', 'contended', 'Too many others are changing this at the same moment; try again'),
);
const STALE = refused({
  code: 'PRECONDITION_FAILED',
  reason: 'stale',
  message: 'It has changed since the version that If-Match names',
});
const KEY_REUSED = refused({
  code: 'IDEMPOTENCY_KEY_REUSED',
  reason: 'idempotency-key-reused',
  message: 'This Idempotency-Key was used for another request',
});
const TOO_LARGE = refused({
  code: 'PAYLOAD_TOO_LARGE',
  reason: 'event-too-large',
  message: 'What this would store is larger than the log takes at once',
});

const isRejection = (decision: readonly Fact[] | Rejection): decision is Rejection => !Array.isArray(decision);

const pause = (attempt: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));

/**
 * Commands on one stream stand in a line within a process: each is decided on the state that its predecessors leave,
 * and what they decide is appended in one go. So hot streams cost one append for many commands, and a process never
 * conflicts with itself. Others who append to the same stream are met with optimistic retries.
 */
export const createJudge = (options: {
  readonly store: EventStore;
  readonly codec: Codec;
  readonly aggregates: Aggregates;
  /** Told of every append before anybody is answered, so that this process never acts on what it has just changed. */
  readonly appended?: (stream: string, position: Position, events: readonly Fact[]) => void;
}): Judge => {
  const { store, codec, aggregates, appended } = options;
  const lines = new Map<string, Pending[]>();

  const done = (
    one: Pick<Case, 'binding' | 'stream' | 'input' | 'context'>,
    aggregate: Pick<Aggregate, 'state' | 'revision' | 'position'>,
    events: readonly Fact[],
    actor: Context['actor'],
    replayed: boolean,
  ): Outcome => {
    const { binding, stream, input } = one;
    const { state, revision, position } = aggregate;
    const id = stream.slice(stream.indexOf('-') + 1);
    return {
      ok: true,
      stream,
      revision: revision < 0 ? undefined : revision,
      version: versionOf(binding, aggregate, input),
      position,
      data: binding?.answer?.of?.({ input, state, events, id, revision, actor } as never) ?? null,
      replayed,
    };
  };

  const versionOf = (
    binding: AnyBinding | undefined,
    { state, revision }: Pick<Aggregate, 'state' | 'revision'>,
    input: unknown,
  ) => {
    if (binding?.version !== undefined) return binding.version(state as never, input as never);
    return revision < 0 ? undefined : revision;
  };

  /** The first answer to a command that is in the stream already. */
  const repeat = async (one: Pending, aggregate: Aggregate, trace: Trace): Promise<Outcome> => {
    if (trace.payloadHash !== one.payloadHash) return KEY_REUSED;
    const { state, events } = await aggregates.replay(one.command.decider, one.stream, trace);
    const last = events.at(-1);
    const then = { state, revision: trace.to, position: last?.position ?? aggregate.position };
    return done(one, then, events, one.context().actor, true);
  };

  const encode = (one: Pending, decided: readonly Fact[]): Promise<readonly NewEvent[]> =>
    codec.encode(
      decided.map(({ type, data }, index) => ({ id: uuid5(String(index), one.commandId), type, data })),
      one.metadata,
    );

  /** What an event says, and the request that it came of, in the clear. */
  const meaning = async (events: readonly StoredEvent[]) =>
    (await codec.decode(events)).map((event) =>
      isUndecodable(event) ? event.error : { data: event.data, payloadHash: event.metadata.payloadHash },
    );

  /**
   * Whether the log holds what was decided here. Where it has events of these ids already, another process may have decided
   * them, by the same Idempotency-Key, for another request or a moment earlier.
   */
  const isStored = async (stream: string, from: number, events: readonly NewEvent[]): Promise<boolean> => {
    const stored = await store.readStream(stream, { from, limit: events.length });
    const ours = events.map((event, index) => ({
      ...event,
      stream,
      revision: from + index,
      position: START,
      recordedAt: '',
    }));
    return isDeepStrictEqual(await meaning(stored), await meaning(ours));
  };

  /** Decides as many of the cases as fit into one append; answers with the cases left over. */
  const judgeLine = async (stream: string, cases: readonly Pending[]): Promise<readonly Pending[]> => {
    const decider = (cases[0] as Pending).command.decider;
    const start = await aggregates.load(decider, stream);
    let aggregate = start;
    const events: NewEvent[] = [];
    const facts: Fact[] = [];
    const settlements: ((position: bigint) => void | Promise<void>)[] = [];
    let bytes = 0;
    let taken = 0;

    for (const one of cases) {
      const { command, input, settle } = one;
      if (one.signal?.aborted) {
        one.fail(new Abandoned('The caller went away'));
        taken += 1;
        continue;
      }
      const now = aggregate;
      const trace = now.commands.get(one.commandId);
      if (trace !== undefined) {
        settlements.push(async () => settle(await repeat(one, now, trace)));
        taken += 1;
        continue;
      }
      if (one.ifMatch !== undefined && one.ifMatch !== versionOf(one.binding, now, input)) {
        settlements.push(() => settle(STALE));
        taken += 1;
        continue;
      }
      const context = { ...one.context(), facts: one.known };
      const decision = command.rule(input as never, now.state as never, context as never);
      if (isRejection(decision)) {
        settlements.push(() => settle(refused(decision)));
        taken += 1;
        continue;
      }
      if (decision.length === 0) {
        settlements.push(() => settle(done(one, now, [], context.actor, false)));
        taken += 1;
        continue;
      }
      const encoded = await encode(one, decision);
      const size = encoded.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0);
      if (size > MAX_APPEND_BYTES) {
        settlements.push(() => settle(TOO_LARGE));
        taken += 1;
        continue;
      }
      if (bytes + size > MAX_APPEND_BYTES) break;
      bytes += size;
      taken += 1;
      events.push(...encoded);
      facts.push(...decision);
      decision.forEach((event, index) => {
        const revision = aggregate.revision + 1;
        const length = encoded[index]?.data.length ?? 0;
        aggregate = advance(decider, aggregate, { ...event, revision, position: aggregate.position }, one, length);
      });
      const after = aggregate;
      settlements.push((position) => settle(done(one, { ...after, position }, decision, context.actor, false)));
    }

    const judged = cases.slice(0, taken);
    const left = cases.slice(taken);
    if (events.length > 0) {
      const outcome = await store.append(stream, start.revision < 0 ? 'noStream' : start.revision, events);
      if (!outcome.ok || (outcome.repeated && !(await isStored(stream, start.revision + 1, events)))) {
        aggregates.drop(stream);
        for (const { settle } of judged) settle('moved');
        return left;
      }
      aggregates.keep(stream, { ...aggregate, position: outcome.position });
      appended?.(stream, outcome.position, facts);
      await settleAll(judged, settlements, outcome.position);
    } else await settleAll(judged, settlements, start.position);
    return left;
  };

  const settleAll = async (
    judged: readonly Pending[],
    settlements: readonly ((position: bigint) => void | Promise<void>)[],
    position: bigint,
  ): Promise<void> => {
    for (const settlement of settlements) {
      try {
        await settlement(position);
      } catch (error) {
        // An answer that cannot be made: everybody still waiting hears of it, who was answered no longer listens.
        for (const { fail } of judged) fail(error);
      }
    }
  };

  const drain = async (stream: string, line: Pending[]): Promise<void> => {
    while (line.length > 0) {
      const cases = line.splice(0, LINE);
      try {
        line.unshift(...(await judgeLine(stream, cases)));
      } catch (error) {
        // What was decided may or may not be stored: look again before the next decision.
        aggregates.drop(stream);
        for (const { fail } of cases) fail(error);
      }
    }
    lines.delete(stream);
  };

  const enqueue = (one: Case, known: unknown): Promise<Settled> =>
    new Promise((settle, fail) => {
      const pending = { ...one, known, settle, fail } as unknown as Pending;
      const line = lines.get(one.stream);
      if (line !== undefined) {
        line.push(pending);
        return;
      }
      const fresh = [pending];
      lines.set(one.stream, fresh);
      void drain(one.stream, fresh);
    });

  return async (one) => {
    for (let attempt = 0; ; attempt += 1) {
      const settled = await enqueue(one, await one.facts());
      if (settled !== 'moved') return settled;
      if (attempt === RETRIES) return CONTENDED;
      await pause(attempt);
    }
  };
};
