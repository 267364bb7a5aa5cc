import { EventStoreDBClient } from '@eventstore/db-client';
import { Late } from './patience.ts';

/** A connection to EventStoreDB that can be made anew. */
export type Connection = {
  readonly client: () => EventStoreDBClient;
  /** Tells what a client met: if it found no server, and was not replaced already, calls from now on get another. */
  readonly met: (error: unknown, client: EventStoreDBClient) => void;
  readonly close: () => Promise<void>;
};

/** What the client takes when the connection string does not say. */
const KEEP_ALIVE_MS = 10_000;
/** gRPC: the server cannot be reached. */
const UNAVAILABLE = 14;
let made = 0;

/**
 * gRPC shares sockets among all clients of a process that have the same address and options, and waits longer and longer
 * before it tries a lost address again, up to two minutes. Milliseconds more in an option that hardly matters give each
 * client a socket of its own, and a new client no patience to inherit.
 */
const clientFor = (connectionString: string): EventStoreDBClient => {
  const text = connectionString.trim().replace(/\/+$/, '');
  const wanted = Number(/[?&]keep[-_]?alive[-_]?timeout=(-?\d+)/i.exec(text)?.[1] ?? KEEP_ALIVE_MS);
  made = (made + 1) % 1_000;
  // The last of two options counts.
  const own = wanted < 0 ? '' : `${text.includes('?') ? '&' : '?'}keepAliveTimeout=${wanted + made}`;
  try {
    return EventStoreDBClient.connectionString(text + own);
  } catch (error) {
    // The parser quotes the text, which may hold a password.
    if (error instanceof Error && 'connectionString' in error)
      throw new Error(
        'The connection string of EventStoreDB cannot be read; it begins with esdb:// or esdb+discover://',
      );
    throw error;
  }
};

const foundNoServer = (error: unknown): boolean =>
  error instanceof Late || (error instanceof Error && 'code' in error && error.code === UNAVAILABLE);

/** A connection of its own. Nothing is sent before the first call. Throws when the connection string cannot be read. */
export const connectionTo = (connectionString: string): Connection => {
  let current = clientFor(connectionString);
  return {
    client: () => current,
    met: (error, client) => {
      if (client === current && foundNoServer(error)) current = clientFor(connectionString);
    },
    close: () => current.dispose(),
  };
};
