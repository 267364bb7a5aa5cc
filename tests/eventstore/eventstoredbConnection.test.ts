import t, { type Test } from 'tap';
import { eventStoreDb } from '../../src/eventstore/eventstoredb/index.ts';
import { START } from '../../src/eventstore/port.ts';
import { follow, ids, newEvents, newStream } from './contract/subject.ts';
import { standIn } from './standIn/index.ts';

t.test('the connection string', async (t) => {
  const begin = async (t: Test) => {
    const server = await standIn({ credentials: 'convene:right-password' });
    t.teardown(() => server.close());
    const open = (connectionString: string) => {
      const store = eventStoreDb({ connectionString });
      t.teardown(() => store.close());
      return store;
    };
    return { connectionString: server.connectionString, open };
  };

  t.test('carries credentials and the authority that certified the server', async (t) => {
    const { connectionString, open } = await begin(t);
    const store = open(connectionString);
    const stream = newStream();
    const [event] = newEvents(1);
    t.match(await store.append(stream, 'noStream', event ? [event] : []), { ok: true, revision: 0 });
    t.same(ids(await store.readStream(stream)), [event?.id]);
    const { events, reached } = follow(t, store, START);
    await reached(() => events.length === 1);
  });

  t.test('with a wrong password is refused at once, without quoting it', async (t) => {
    const { connectionString, open } = await begin(t);
    const store = open(connectionString.replace('right-password', 'wrong-password'));
    const begun = performance.now();
    for (const call of [() => store.append(newStream(), 'noStream', newEvents(1)), () => store.head()]) {
      const error = await call().then(
        () => new Error('was let in'),
        (error: Error) => error,
      );
      t.equal(error.name, 'StoreUnavailable');
      t.notMatch(`${error.message} ${error.cause}`, 'wrong-password');
    }
    t.ok(performance.now() - begun < 9_000, 'without trying again until the deadline, ten seconds for each');
  });

  t.test('without trust in the server stores nothing', async (t) => {
    const { connectionString } = await begin(t);
    const store = eventStoreDb({
      connectionString: connectionString.replace(/\?.*/, ''),
      timeouts: { append: 300, read: 300 },
    });
    t.teardown(() => store.close());
    await t.rejects(store.append(newStream(), 'noStream', newEvents(1)), { name: 'StoreUnavailable' });
  });

  t.test('that cannot be read is named without its password', async (t) => {
    for (const connectionString of ['http://me:secret-word@host', 'esdb://me:secret-word@host?tls=perhaps', ''])
      t.throws(() => eventStoreDb({ connectionString }), /^(?!.*secret-word).*connection string/);
  });
});
