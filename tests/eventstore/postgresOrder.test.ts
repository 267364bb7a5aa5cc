import { randomUUID } from 'node:crypto';
import pg from 'pg';
import t, { type Test } from 'tap';
import type { EventStore } from '../../src/eventstore/port.ts';
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

  /** One connection that appends in a transaction it holds open. */
  const holder = async (t: Test, connectionString: string) => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    t.teardown(() => client.end());
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const stream = newStream();
    return {
      pid: rows[0]?.pid as number,
      stream,
      begin: () => client.query('begin'),
      append: () =>
        client.query<{ stored: boolean; position: string }>(`select * from log.append($1, $2, $3, $4, $5, $6, $7)`, [
          [stream],
          [-1],
          [1],
          [randomUUID()],
          ['Noted'],
          ['{}'],
          ['{}'],
        ]),
      end: (how: 'commit' | 'rollback') => client.query(how),
    };
  };

  const waiting = async (pool: pg.Pool, pid: number): Promise<void> => {
    for (;;) {
      const { rows } = await pool.query('select 1 from pg_stat_activity where pid = $1 and wait_event_type = $2', [
        pid,
        'Lock',
      ]);
      if (rows.length > 0) return;
    }
  };

  const ends = ['commit', 'rollback'] as const;
  for (const first of ends)
    for (const second of ends)
      for (const third of ends)
        t.test(
          `come in the order of commits when three overlap and end in ${first}, ${second}, ${third}`,
          async (t) => {
            const { connectionString, pool, store } = await open(t);
            const [a, b, c] = [
              await holder(t, connectionString),
              await holder(t, connectionString),
              await holder(t, connectionString),
            ];
            for (const one of [a, b, c]) await one.begin();
            await a.append();
            const second_ = b.append();
            await waiting(pool, b.pid);
            const third_ = c.append();
            await waiting(pool, c.pid);

            const visible: string[] = [];
            const look = async (): Promise<void> => {
              const { events, position } = await store.readAll(0n);
              t.same(
                events.map((event) => event.position),
                events.map((_, n) => BigInt(n + 1)),
                'a reader never sees a position before all lower ones',
              );
              t.equal(position, BigInt(events.length));
              t.same(
                events.slice(0, visible.length).map(({ stream }) => stream),
                visible,
                'what was seen stays as it was',
              );
              visible.splice(0, visible.length, ...events.map(({ stream }) => stream));
            };
            await look();
            await a.end(first);
            await look();
            // The lock is taken in the order of arrival, but nothing here relies on it.
            const winner = await Promise.race([second_.then(() => b), third_.then(() => c)]);
            await look();
            await winner.end(winner === b ? second : third);
            await look();
            const last = winner === b ? c : b;
            await (winner === b ? third_ : second_);
            await last.end(last === b ? second : third);
            await look();
            const kept = [
              first === 'commit' ? a : undefined,
              second === 'commit' ? b : undefined,
              third === 'commit' ? c : undefined,
            ];
            t.same(new Set(visible), new Set(kept.filter((one) => one !== undefined).map(({ stream }) => stream)));
          },
        );
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
        `select pid from pg_stat_activity where application_name = 'convene-log' and wait_event_type = 'Lock'`,
      );
      if (rows[0] === undefined) continue;
      await pool.query('select pg_terminate_backend($1)', [rows[0].pid]);
      break;
    }
    await client.query('commit');
    t.equal(stored(await appending).revision, 1);
    t.equal((await store.readStream(stream)).length, 2);
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
