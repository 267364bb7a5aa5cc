import type { Logger } from 'pino';
import { type EventStore, type Position, START, StoreUnavailable, type Subscription } from '../port.ts';
import { appender } from './appending.ts';
import { connectionTo } from './connection.ts';
import { within } from './patience.ts';
import { reader } from './reading.ts';
import { subscriber } from './subscribing.ts';

export type EventStoreDbOptions = {
  /** `esdb://` or `esdb+discover://` with hosts, credentials and TLS options, as EventStoreDB documents them. */
  readonly connectionString: string;
  readonly log?: Pick<Logger, 'warn'>;
  readonly timeouts?: {
    /** How long an append may take, in ms, with finding out its outcome after a loss. */
    readonly append?: number;
    /** How long one request of a read may take, in ms, repeats included. */
    readonly read?: number;
  };
};

const APPEND_MS = 10_000;
const READ_MS = 10_000;
const GOODBYE_MS = 2_000;

/**
 * The log in EventStoreDB 22.6 or newer. Nothing is sent before the first call. Appends have their own connection, so that what breaks
 * a read or a subscription never breaks an append.
 * Throws when the connection string cannot be read.
 */
export const eventStoreDb = ({ connectionString, log, timeouts }: EventStoreDbOptions): EventStore => {
  const [forAppends, forReads] = [connectionTo(connectionString), connectionTo(connectionString)];
  const ended = new AbortController();
  let closed: Promise<void> | undefined;
  let highest: Position = START;
  const position = {
    seen: (at: Position): void => {
      if (at > highest) highest = at;
    },
    highest: () => highest,
  };
  const { readStream, readAll, head } = reader({
    connection: forReads,
    readMs: timeouts?.read ?? READ_MS,
    signal: ended.signal,
    ...position,
  });
  const appends = appender({
    connection: forAppends,
    readStream,
    head,
    appendMs: timeouts?.append ?? APPEND_MS,
    signal: ended.signal,
    ...position,
  });
  const subscribe = subscriber({ connection: forReads, ...(log && { log }), ...position });
  const underWay = new Set<Promise<unknown>>();
  const subscriptions = new Set<Subscription>();

  const close = async (): Promise<void> => {
    await Promise.all([...subscriptions].map((subscription) => subscription.close()));
    await Promise.allSettled(underWay);
    ended.abort();
    await within(GOODBYE_MS, Promise.all([forAppends.close(), forReads.close()])).catch(() => {});
  };

  return {
    append: async (stream, expected, events) => {
      if (closed) throw new StoreUnavailable('The event store was closed');
      const append = appends.append(stream, expected, events);
      underWay.add(append);
      try {
        return await append;
      } finally {
        underWay.delete(append);
      }
    },
    readStream: (stream, options) => appends.readStream(stream, options),
    readAll,
    head,
    subscribe: (after, options) => {
      const subscription = subscribe(after, options);
      subscriptions.add(subscription);
      subscription.done.catch(() => {}).finally(() => subscriptions.delete(subscription));
      return subscription;
    },
    close: () => {
      closed ??= close();
      return closed;
    },
  };
};
