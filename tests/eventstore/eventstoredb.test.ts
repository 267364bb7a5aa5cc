import t, { type Test } from 'tap';
import { eventStoreDb } from '../../src/eventstore/eventstoredb/index.ts';
import type { Subject } from './contract/subject.ts';
import { contract, type Open } from './contract.ts';
import { standIn } from './standIn/index.ts';

const onServer = async (t: Test, connectionString: string): Promise<Subject> => {
  const open = async () => {
    const store = eventStoreDb({ connectionString });
    t.teardown(() => store.close());
    return store;
  };
  return { store: await open(), another: open };
};

/** Each test has a server of its own, which costs less than to read what all others have written, over and over. */
const played: Open = async (t) => {
  const server = await standIn();
  t.teardown(() => server.close());
  return onServer(t, server.connectionString);
};

t.test('EventStoreDB, played by a stand-in', { timeout: 150_000 }, async (t) => contract(t, played));

const real = process.env.EVENTSTORE_TEST_URL;
if (real !== undefined)
  t.test('a real EventStoreDB', { timeout: 150_000 }, async (t) => {
    contract(t, (t) => onServer(t, real));
  });
