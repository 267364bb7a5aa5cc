import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import t from 'tap';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { testDatabase } from '../support/postgres.ts';

const HOUR_MS = 3_600_000;

t.test('an append outlasts a lost database although the clock was put forward meanwhile', async (t) => {
  const { connectionString } = await testDatabase(t, { migrate: true });
  const address = new URL(connectionString);
  const server = Number(address.port);
  let refused = 0;
  const network = createServer((near) => {
    near.on('error', () => {});
    if (refused < 6) {
      refused += 1;
      near.destroy();
      return;
    }
    const far = connect(server, '127.0.0.1').on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(network, 'listening');
  t.teardown(() => network.close());
  address.port = String((network.address() as AddressInfo).port);
  const store = postgresEventStore({ connectionString: address.href });
  t.teardown(() => store.close());

  const realNow = Date.now;
  t.teardown(() => {
    Date.now = realNow;
  });
  const appending = store.append('thing-1', 'noStream', [
    { id: randomUUID(), type: 'Happened', data: '{}', metadata: '{}' },
  ]);
  Date.now = () => realNow() + HOUR_MS;
  t.match(await appending, { ok: true, revision: 0 });
  t.equal(refused, 6, 'it was tried again');
});
