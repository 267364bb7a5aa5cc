import {
  AccessDeniedError,
  type AllStreamResolvedEvent,
  type EventStoreDBClient,
  type ResolvedEvent,
  type StreamingRead,
  StreamNotFoundError,
} from '@eventstore/db-client';
import { passing } from '../filter.ts';
import { type EventStore, type Position, START, type StoredEvent } from '../port.ts';
import type { Connection } from './connection.ts';
import { type Deadline, deadlineIn, insist, Late } from './patience.ts';
import { isOwn, positionOf, type Recorded, storedEvent } from './records.ts';

const MAX_LIMIT = 10_000;
/** Events looked at in one request where a filter, or the server's own events, thin them out. */
const PAGE_EVENTS = 512;

const limitOf = (limit: number): number => Math.max(1, Math.min(limit, MAX_LIMIT));

/** Where a read of the whole log, or a subscription, begins. */
export const place = (position: Position) => (position === START ? 'start' : { commit: position, prepare: position });

/** Everything that a read gives. The client sets no time limit for reads; one that is late is torn down here. */
const collect = async (
  source: StreamingRead<ResolvedEvent | AllStreamResolvedEvent>,
  ms: number,
): Promise<Recorded[]> => {
  const events: Recorded[] = [];
  // The client may report one more error when the loop below no longer listens.
  source.on('error', () => {});
  const timer = setTimeout(() => source.destroy(new Late(`No answer within ${Math.round(ms)} ms`)), ms);
  try {
    for await (const { event } of source as AsyncIterable<ResolvedEvent | AllStreamResolvedEvent>)
      if (event !== undefined) events.push(event);
    return events;
  } finally {
    clearTimeout(timer);
    if (!source.readableEnded) source.cancel().catch(() => {});
  }
};

/** Reads of EventStoreDB. Each keeps to its own deadline and is tried again within it; then it throws StoreUnavailable. */
export const reader = (options: {
  readonly connection: Connection;
  /** How long a read may take. */
  readonly readMs: number;
  /** Fires when the store is closed. */
  readonly signal: AbortSignal;
  /** Told of every event of ours that was seen, and where it lies. */
  readonly seen: (position: Position) => void;
  /** The highest such position. */
  readonly highest: () => Position;
}) => {
  const { connection, readMs, signal, seen, highest } = options;
  const asking = (deadline: Deadline) => ({
    deadline,
    signal,
    final: (error: unknown) => error instanceof AccessDeniedError,
  });

  const ask = <T>(question: (client: EventStoreDBClient) => Promise<T>, deadline: Deadline): Promise<T> =>
    insist(async () => {
      const client = connection.client();
      try {
        return await question(client);
      } catch (error) {
        connection.met(error, client);
        throw error;
      }
    }, asking(deadline));

  const readStream = async (
    stream: string,
    { from, direction = 'forwards', limit = MAX_LIMIT }: NonNullable<Parameters<EventStore['readStream']>[1]> = {},
    deadline: Deadline = deadlineIn(readMs),
  ): Promise<readonly StoredEvent[]> => {
    const end = direction === 'forwards' ? 'start' : 'end';
    const which = {
      direction,
      fromRevision: from === undefined ? end : BigInt(from),
      maxCount: limitOf(limit),
    } as const;
    const events = await ask(
      (client) =>
        collect(client.readStream(stream, which), deadline.left()).catch((error: unknown) => {
          if (error instanceof StreamNotFoundError) return [];
          throw error;
        }),
      deadline,
    );
    const stored = events.map(storedEvent);
    const last = direction === 'forwards' ? stored.at(-1) : stored[0];
    if (last !== undefined) seen(last.position);
    return stored;
  };

  const page = (
    direction: 'forwards' | 'backwards',
    fromPosition: ReturnType<typeof place> | 'end',
    maxCount: number,
    deadline: Deadline,
  ) => ask((client) => collect(client.readAll({ direction, fromPosition, maxCount }), deadline.left()), deadline);

  const readAll: EventStore['readAll'] = async (after, { filter, limit = MAX_LIMIT } = {}) => {
    const wanted = limitOf(limit);
    const passes = passing(filter);
    const events: StoredEvent[] = [];
    let position = after;
    let from = after;
    for (let looked = 0; ; ) {
      const missing = wanted - events.length;
      const count = filter === undefined ? missing : Math.max(missing, PAGE_EVENTS);
      // Reading includes the event it begins at, which was seen before.
      const maxCount = from === START ? count : count + 1;
      const found = await page('forwards', place(from), maxCount, deadlineIn(readMs));
      for (const event of found) {
        const at = positionOf(event);
        if (at <= from || !isOwn(event)) continue;
        position = at;
        if (passes({ type: event.type, stream: event.streamId })) events.push(storedEvent(event));
        if (events.length === wanted) break;
      }
      if (position > after) seen(position);
      const last = found.at(-1);
      looked += found.length;
      if (events.length === wanted || found.length < maxCount || last === undefined) return { events, position };
      // A position among the server's own events would lie behind the head: it is passed over, never given out.
      if (looked >= MAX_LIMIT && position > after) return { events, position };
      from = positionOf(last);
    }
  };

  const head: EventStore['head'] = async () => {
    const known = highest();
    let from: ReturnType<typeof place> | 'end' = 'end';
    for (let count = 1; ; count = PAGE_EVENTS) {
      const found = await page('backwards', from, count, deadlineIn(readMs));
      const own = found.find(isOwn);
      if (own !== undefined) {
        seen(positionOf(own));
        return positionOf(own);
      }
      const last = found.at(-1);
      if (found.length < count || last === undefined || positionOf(last) <= known) return known;
      from = place(positionOf(last));
    }
  };

  return { readStream, readAll, head };
};
