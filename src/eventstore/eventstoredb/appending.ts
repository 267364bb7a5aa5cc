import { cacheOf } from '../../cacheOf.ts';
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
import type { Connection } from './connection.ts';
import { backOff, type Deadline, deadlineIn, within } from './patience.ts';
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
  readonly connection: Connection;
  readonly readStream: ReturnType<typeof reader>['readStream'];
  readonly head: EventStore['head'];
  /** How long an append may take, with everything that finding out its outcome needs. */
  readonly appendMs: number;
  readonly signal: AbortSignal;
  readonly seen: (position: Position) => void;
  readonly highest: () => Position;
}) => {
  const { connection, head, appendMs, signal, seen, highest } = options;
  const { send } = appendCall(connection);
  const recent = recentIds();
  /** First ids of appends that may be stored although that was never answered. */
  const uncertain = cacheOf<string, true>(10_000);

  const readStream: ReturnType<typeof reader>['readStream'] = async (stream, which, deadline) => {
    const events = await options.readStream(stream, which, deadline);
    recent.learn(stream, events.slice(-WINDOW).map(placeOf));
    return events;
  };

  /** The append as it was stored before: wholly, in part (as far as known), or not. */
  const found = (stream: string, events: readonly NewEvent[]): Appended | 'partly' | undefined => {
    const ids = events.map(({ id }) => id);
    const places = recent.find(stream, ids);
    const last = places.at(-1);
    if (last === undefined) return undefined;
    if (places.length < ids.length || places.some(({ revision }, n) => revision !== last.revision - ids.length + 1 + n))
      return 'partly';
    return { ok: true, revision: last.revision, position: last.position, repeated: true };
  };

  /** The append as it was stored before, if it was. Throws InvalidEvent when only some of its events were. */
  const storedBefore = async (
    stream: string,
    events: readonly NewEvent[],
    deadline: Deadline,
  ): Promise<Appended | undefined> => {
    let before = found(stream, events);
    if (before === 'partly') {
      // The rest may lie behind what is known of the stream.
      await readStream(stream, { from: recent.knownTo(stream) + 1, limit: events.length }, deadline);
      before = found(stream, events);
    }
    if (before === 'partly')
      throw new InvalidEvent('Some events of this append are stored already, but not all of them in this order');
    return before;
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
    return (await storedBefore(stream, events, deadline)) ?? refused;
  };

  /** After an answer stayed away: what the stream tells. Undefined when it has not moved, so that the same append may be sent again. */
  const findOut = async (stream: string, expected: Expected, events: readonly NewEvent[], deadline: Deadline) => {
    const from = expected === 'noStream' ? 0 : expected + 1;
    const since = await readStream(stream, { from, limit: events.length }, deadline);
    if (since.length === 0) return undefined;
    const before = await storedBefore(stream, events, deadline);
    if (before !== undefined) return before;
    const [last] = await readStream(stream, { direction: 'backwards', limit: 1 }, deadline);
    return { ok: false, actual: last?.revision ?? 'noStream' } as const;
  };

  /** As findOut; throws OutcomeUnknown while nothing can be found out. */
  const ascertain = async (...append: Parameters<typeof findOut>) => {
    try {
      return await findOut(...append);
    } catch (error) {
      throw error instanceof InvalidEvent ? error : unknown(error);
    }
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
      case 'invalid':
        throw new InvalidEvent('EventStoreDB takes no such append');
      case 'deleted':
        throw new InvalidEvent('The stream was deleted for good');
      case 'denied':
        throw new StoreUnavailable('EventStoreDB refused the credentials of its connection string');
    }
  };

  const attempt: EventStore['append'] = async (stream, expected, events) => {
    const deadline = deadlineIn(appendMs);
    try {
      // Later positions tell new events from repeated ones, so one has to be known.
      if (highest() === 0n) await within(deadline.left(), head());
      if (expected !== 'noStream') await lookBack(stream, expected, deadline);
      const known = await storedBefore(stream, events, deadline);
      if (known !== undefined) return known;
    } catch (error) {
      throw error instanceof InvalidEvent ? error : unavailable(error);
    }

    const before = highest();
    const id = events[0]?.id ?? '';
    let mayBeStored = uncertain.has(id);
    let cause: unknown;
    if (mayBeStored) {
      const outcome = await ascertain(stream, expected, events, deadline);
      if (outcome !== undefined) return outcome;
    }
    for (let tries = 0; !signal.aborted && deadline.left() > 0; tries += 1) {
      try {
        // Half of the time for an answer, the other half to find out why there is none.
        const said = await send(stream, expected, events, tries === 0 ? appendMs / 2 : deadline.left());
        return await answer(stream, said, { expected, events, before, deadline });
      } catch (error) {
        if (!(error instanceof Lost || error instanceof NotSent)) throw error;
        mayBeStored ||= !(error instanceof NotSent);
        cause = error;
      }
      if (mayBeStored) {
        uncertain.set(id, true);
        const outcome = await ascertain(stream, expected, events, deadline);
        if (outcome !== undefined) return outcome;
      }
      await backOff(tries, signal, deadline.left());
    }
    throw mayBeStored ? unknown(cause) : unavailable(cause);
  };

  /** Appends under way by the id of their first event. */
  const underWay = new Map<string, Promise<Appended>>();

  const append: EventStore['append'] = async (stream, expected, events) => {
    assertAppendable(stream, expected, events);
    const id = events[0]?.id ?? '';
    // The server lets a repeat run into its time limit while the first is being stored.
    for (let first = underWay.get(id); first !== undefined; first = underWay.get(id)) await first.catch(() => {});
    const going = attempt(stream, expected, events);
    underWay.set(id, going);
    try {
      return await going;
    } finally {
      underWay.delete(id);
    }
  };

  return { append, readStream };
};
