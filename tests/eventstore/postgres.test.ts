import t, { type Test } from 'tap';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { testDatabase } from '../support/postgres.ts';
import { contract } from './contract.ts';

t.test('the Postgres log', async (t) => {
  const { connectionString } = await testDatabase(t, { migrate: true });
  contract(t, async (t: Test) => {
    const another = async () => {
      const store = postgresEventStore({ connectionString });
      t.teardown(() => store.close());
      return store;
    };
    return { store: await another(), another };
  });
});
