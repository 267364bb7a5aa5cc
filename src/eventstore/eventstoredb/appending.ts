import type { EventStoreDBClient } from '@eventstore/db-client';
import { assertAppendable } from '../append.ts';
import {
  type Appended,
  AppendTooLarge,
  type EventStore,
  type Expected,
  InvalidEvent,
  type NewEvent,
  OutcomeUnknown,
  type Position,
  type StoredEvent,
  StoreUnavailable,
} from '../port.ts';
import { appendCall, Lost, NotSent, type Said } from './appendCall.ts';
import { backOff, type Deadline, deadlineIn, Late, within } from './patience.ts';
import type { reader } from './reading.ts';
import { type Place, recentIds, WINDOW } from './recent.ts';

type Refused = Extract<Appended, { ok: false }>;

const placeOf = ({ id, revision, position }: StoredEvent): Place => ({ id, revision, position });

const unavailable = (cause: unknown): StoreUnavailable =>
  new StoreUnavailable('EventStoreDB could not be reached; nothing was stored', { cause });
const unknown = (cause: unknown): OutcomeUnknown =>
  new OutcomeUnknown('EventStoreDB was lost during an append, and it could not be found out whether it was stored', {
    cause,
  });

/**
 * Appends to EventStoreDB. Its own recognition of repeats covers an append that expects what it first expected; the ids
 * of the last events of a stream, kept or read here, cover the others. When an answer stays away the stream is read, and
 * only what is found there is answered.
 */
export const appender = (options: {
  readonly client: EventStoreDBClient;
  readonly readStream: ReturnType<typeof reader>['readStream'];
  readonly head: EventStore['head'];
  /** How long an append may take, with everything that finding out its outcome needs. */
  readonly appendMs: number;
  readonly signal: AbortSignal;
  readonly seen: (position: Position) => void;
  readonly highest: () => Position;
}) => {
  const { client, head, appendMs, signal, seen, highest } = options;
  const { send } = appendCall(client);
  const recent = recentIds();

  const readStream: ReturnType<typeof reader>['readStream'] = async (stream, which, deadline) => {
    const events = await options.readStream(stream, which, deadline);
    recent.learn(stream, events.slice(-WINDOW).map(placeOf));
    return events;
  };

  /** The append as it was stored before, if it was. Throws InvalidEvent when only some of its events were. */
  const storedBefore = (stream: string, events: readonly NewEvent[]): Appended | undefined => {
    const ids = events.map(({ id }) => id);
    const places = recent.find(stream, ids);
    const last = places.at(-1);
    if (last === undefined) return undefined;
    if (places.length < ids.length || places.some(({ revision }, n) => revision !== last.revision - ids.length + 1 + n))
      throw new InvalidEvent('Some events of this append are stored already, but not all of them in this order');
    return { ok: true, revision: last.revision, position: last.position, repeated: true };
  };

  /** Makes sure that the ids of the stream's last events up to a revision are known. */
  const lookBack = async (stream: string, revision: number, deadline: Deadline): Promise<void> => {
    if (!recent.covers(stream, revision))
      await readStream(stream, { from: revision, direction: 'backwards', limit: WINDOW }, deadline);
  };

  const stored = (
    stream: string,
    events: readonly NewEvent[],
    said: Extract<Said, { is: 'stored' }>,
    before: Position,
  ) => {
    const { revision, position } = said;
    const first = revision - events.length + 1;
    recent.learn(
      stream,
      events.map(({ id }, n) => ({ id, revision: first + n, position })),
    );
    seen(position);
    // What is stored now lies behind everything that was seen before it was sent.
    return { ok: true, revision, position, repeated: position <= before } as const;
  };

  const conflict = async (
    stream: string,
    actual: Expected,
    events: readonly NewEvent[],
    deadline: Deadline,
  ): Promise<Appended> => {
    const refused: Refused = { ok: false, actual };
    if (actual === 'noStream') return refused;
    await lookBack(stream, actual, deadline).catch((cause: unknown) => {
      throw unknown(cause);
    });
    return storedBefore(stream, events) ?? refused;
  };

  /** After an answer stayed away: what the stream tells. Undefined when it has not moved, so that the same append may be sent again. */
  const findOut = async (stream: string, expected: Expected, events: readonly NewEvent[], deadline: Deadline) => {
    const from = expected === 'noStream' ? 0 : expected + 1;
    const since = await readStream(stream, { from, limit: events.length }, deadline);
    if (since.length === 0) return undefined;
    const found = storedBefore(stream, events);
    if (found !== undefined) return found;
    const [last] = await readStream(stream, { direction: 'backwards', limit: 1 }, deadline);
    return { ok: false, actual: last?.revision ?? 'noStream' } as const;
  };

  const answer = async (
    stream: string,
    said: Said,
    attempt: {
      readonly expected: Expected;
      readonly events: readonly NewEvent[];
      readonly before: Position;
      readonly deadline: Deadline;
    },
  ): Promise<Appended> => {
    const { events, before, deadline } = attempt;
    switch (said.is) {
      case 'stored':
        return stored(stream, events, said, before);
      case 'conflict':
        return conflict(stream, said.actual, events, deadline);
      case 'tooLarge':
        throw new AppendTooLarge(
          stream,
          events.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0),
        );
      case 'deleted':
        throw new InvalidEvent('The stream was deleted for good');
      case 'denied':
        throw new StoreUnavailable('EventStoreDB refused the credentials of its connection string');
    }
  };

  const append: EventStore['append'] = async (stream, expected, events) => {
    assertAppendable(stream, expected, events);
    const deadline = deadlineIn(appendMs);
    try {
      // Later positions tell new events from repeated ones, so one has to be known.
      if (highest() === 0n) await within(deadline.left(), head());
      if (expected !== 'noStream') await lookBack(stream, expected, deadline);
    } catch (cause) {
      throw unavailable(cause);
    }
    const known = storedBefore(stream, events);
    if (known !== undefined) return known;

    const before = highest();
    let mayBeStored = false;
    let cause: unknown;
    for (let tries = 0; !signal.aborted && deadline.left() > 0; tries += 1) {
      try {
        // Half of the time for an answer, the other half to find out why there is none.
        const said = await within(tries === 0 ? appendMs / 2 : deadline.left(), send(stream, expected, events));
        return await answer(stream, said, { expected, events, before, deadline });
      } catch (error) {
        if (!(error instanceof Lost || error instanceof NotSent || error instanceof Late)) throw error;
        mayBeStored ||= !(error instanceof NotSent);
        cause = error;
      }
      if (mayBeStored) {
        const found = await findOut(stream, expected, events, deadline).catch((error: unknown) => {
          throw unknown(error);
        });
        if (found !== undefined) return found;
      }
      await backOff(tries, signal, deadline.left());
    }
    throw mayBeStored ? unknown(cause) : unavailable(cause);
  };

  return { append, readStream };
};
