import t from 'tap';
import { eventStoreDb } from '../../src/eventstore/eventstoredb/index.ts';
import { contract, type Open } from './contract.ts';
import { standIn } from './standIn/index.ts';

const opening =
  (connectionString: string): Open =>
  async (t) => {
    const open = async () => {
      const store = eventStoreDb({ connectionString });
      t.teardown(() => store.close());
      return store;
    };
    return { store: await open(), another: open };
  };

t.test('EventStoreDB, played by a stand-in', { timeout: 150_000 }, async (t) => {
  const server = await standIn();
  t.teardown(() => server.close());
  contract(t, opening(server.connectionString));
});

const real = process.env.EVENTSTORE_TEST_URL;
if (real !== undefined)
  t.test('a real EventStoreDB', { timeout: 150_000 }, async (t) => {
    contract(t, opening(real));
  });
