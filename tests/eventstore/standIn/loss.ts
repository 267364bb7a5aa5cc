import { setImmediate as turn } from 'node:timers/promises';
import type { Test } from 'tap';
import { eventStoreDb } from '../../../src/eventstore/eventstoredb/index.ts';
import { OutcomeUnknown, StoreUnavailable } from '../../../src/eventstore/port.ts';
import { newEvent } from '../contract/subject.ts';
import { type StandIn, standIn } from './index.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

type Timeouts = { readonly append?: number; readonly read?: number };

/** A stand-in, and stores that are connected to it, as impatient as said; all are closed with the test. */
export const begin = async (t: Test, timeouts: Timeouts = {}) => {
  const server = await standIn();
  const open = (own = timeouts) => {
    const store = eventStoreDb({ connectionString: server.connectionString, timeouts: own });
    t.teardown(() => store.close());
    return store;
  };
  t.teardown(() => server.close());
  return { server, open, store: open() };
};

/** Asks until there is an answer: to an impatient store a machine that is busy for a moment looks like a lost server. */
export const insistently = async <T>(ask: () => Promise<T>): Promise<T> => {
  for (;;)
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreUnavailable || error instanceof OutcomeUnknown)) throw error;
    }
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
