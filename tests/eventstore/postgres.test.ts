import t from 'tap';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { testDatabase } from '../support/postgres.ts';

t.test('x', async (t) => {
  const { connectionString } = await testDatabase(t, { migrate: true });
  const store = postgresEventStore({ connectionString });
  const e = (n: number) => ({ id: crypto.randomUUID(), type: 'T', data: JSON.stringify({ n }), metadata: '{}' });
  const first = [e(1), e(2)];
  console.log(await store.append('a-1', 'noStream', first));
  console.log(await store.append('a-1', 'noStream', first));
  console.log(await store.append('a-1', 'noStream', [e(3)]));
  console.log(await store.append('a-1', 5, [e(3)]));
  console.log(
    await Promise.all([
      store.append('a-1', 1, [e(3)]),
      store.append('a-1', 1, [e(4)]),
      store.append('a-1', 2, [e(4)]),
      store.append('b-1', 'noStream', [e(4)]),
    ]),
  );
  console.log(await store.readAll(0n));
  console.log(await store.head());
  await store.close();
});
