import pg from 'pg';
import t, { type Test } from 'tap';
import { type Appended, type EventStore, StoreUnavailable } from '../../src/eventstore/port.ts';
import { groupCommit } from '../../src/eventstore/postgres/groupCommit.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { testDatabase } from '../support/postgres.ts';
import { newEvent, newEvents, newStream, stored } from './contract/subject.ts';

const open = async (t: Test) => {
  const { connectionString, pool } = await testDatabase(t, { migrate: true });
  const another = async (): Promise<EventStore> => {
    const store = postgresEventStore({ connectionString });
    t.teardown(() => store.close());
    return store;
  };
  return { connectionString, pool, store: await another(), another };
};

t.test('positions of the Postgres log', async (t) => {
  t.test('have no gaps, whatever is refused meanwhile and however many processes append', async (t) => {
    const { store, another } = await open(t);
    const stores = [store, await another(), await another()];
    const contested = newStream();
    let appended = 0;
    await Promise.all(
      Array.from({ length: 300 }, async (_, n) => {
        const to = n % 3 === 0 ? contested : newStream();
        const size = 1 + (n % 4);
        const outcome = await (stores[n % 3] as EventStore).append(to, 'noStream', newEvents(size));
        if (outcome.ok) appended += size;
      }),
    );
    const { events } = await store.readAll(0n);
    t.equal(events.length, appended);
    t.same(
      events.map(({ position }) => position),
      Array.from({ length: appended }, (_, n) => BigInt(n + 1)),
    );
    t.equal(await store.head(), BigInt(appended));
  });
});

t.test('an append whose connection is cut', async (t) => {
  t.test('while it waits for the lock is repeated by itself and stored once', async (t) => {
    const { connectionString, pool, store } = await open(t);
    const client = new pg.Client({ connectionString });
    await client.connect();
    t.teardown(() => client.end());
    await client.query('begin');
    await client.query('select position from log.head for update');
    const stream = newStream();
    const appending = store.append(stream, 'noStream', newEvents(2));
    for (;;) {
      const { rows } = await pool.query<{ pid: number }>(
        `select pid from pg_stat_activity
         where application_name = 'convene-log' and wait_event_type = 'Lock' and datname = current_database()`,
      );
      if (rows[0] === undefined) continue;
      await pool.query('select pg_terminate_backend($1)', [rows[0].pid]);
      break;
    }
    await client.query('commit');
    t.equal(stored(await appending).revision, 1);
    t.equal((await store.readStream(stream)).length, 2);
  });

  t.test('when it is looked up what had become of it, is looked up again', async (t) => {
    const { pool, store } = await open(t);
    const [stream, events] = [newStream(), newEvents(2)];
    const before: Appended = { ...stored(await store.append(stream, 'noStream', events)), repeated: true };
    let looks = 0;
    const { append, close } = groupCommit({
      pool,
      lanes: 1,
      deadlineMs: 60_000,
      storedAs: async () => {
        looks += 1;
        if (looks < 3) throw new StoreUnavailable('cut');
        return before;
      },
    });
    t.same(await append(stream, 'noStream', events), before);
    t.equal(looks, 3);
    await close();
  });

  t.test('over and over under load loses and doubles nothing', async (t) => {
    const { pool, store } = await open(t);
    const streams = Array.from({ length: 40 }, () => newStream());
    let running = true;
    const cutting = (async () => {
      let cuts = 0;
      // A cut each time the log has grown a little: without progress between cuts nothing could ever be stored.
      for (let cutAt = 0; running; ) {
        const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from log.events');
        if ((rows[0]?.n ?? 0) < cutAt + 15) continue;
        cutAt = rows[0]?.n ?? 0;
        const { rowCount } = await pool.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where application_name = 'convene-log' and datname = current_database()`,
        );
        cuts += rowCount ?? 0;
      }
      return cuts;
    })();
    await Promise.all(
      streams.map(async (stream) => {
        for (let revision = -1; revision < 9; revision += 1)
          stored(await store.append(stream, revision < 0 ? 'noStream' : revision, [newEvent()]));
      }),
    );
    running = false;
    t.ok((await cutting) > 0);
    const { rows } = await pool.query<{ n: number }>('select count(*)::int as n from log.events');
    t.equal(rows[0]?.n, 400);
  });
});
