import { setImmediate as turn } from 'node:timers/promises';
import type { Test } from 'tap';
import { eventStoreDb } from '../../../src/eventstore/eventstoredb/index.ts';
import { newEvent } from '../contract/subject.ts';
import { type StandIn, standIn } from './index.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** A stand-in, and stores that are connected to it; all are closed with the test. */
export const begin = async (t: Test, timeouts?: { append?: number; read?: number }) => {
  const server = await standIn();
  const open = () => {
    const store = eventStoreDb({ connectionString: server.connectionString, ...(timeouts && { timeouts }) });
    t.teardown(() => store.close());
    return store;
  };
  t.teardown(() => server.close());
  return { server, open, store: open() };
};

/** Waits until something is in the log that the server has not told anyone. */
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turn();
};
/** Whether the log of the server holds an event. */
export const holds = (server: StandIn, id: string) => () => server.log.records.some((record) => record.id === id);

/** Another writer's event, put straight into the log. */
export const foreign = (
  server: StandIn,
  stream: string,
  wanted: number | 'noStream',
  over: { contentType?: string; data?: string } = {},
) => {
  const event = { ...newEvent(), contentType: 'application/octet-stream', ...over };
  return server.log.append(stream, wanted, [{ ...event, data: bytes(event.data), metadata: bytes('{"a":1}') }]);
};
