import { randomUUID } from 'node:crypto';
import pg from 'pg';
import t from 'tap';
import { takeOver } from '../../src/eventstore/consumer/checkpoint.ts';
import { Replaced } from '../../src/eventstore/consumer/faults.ts';
import { createFeed, type FeedEvent } from '../../src/eventstore/feed.ts';
import { createCaughtUp, ReadModelBehind } from '../../src/projections/caughtUp.ts';
import { createProgress } from '../../src/projections/progress.ts';
import { prepareTables } from '../../src/projections/slots.ts';
import { tableOf } from '../../src/projections/table.ts';
import { counters, decode, eventually, LONG_MS, readSide } from '../support/readSide.ts';

t.test('a checkpoint moves for its owner alone', async (t) => {
  const { pool, store } = await readSide(t);
  await prepareTables(pool, store, [counters]);
  const of = { kind: 'projection', name: 'counters', slot: 'live' } as const;
  const first = await takeOver(pool, of, randomUUID());
  await first?.move(5n);
  const second = await takeOver(pool, of, randomUUID());
  t.equal(second?.position(), 5n);
  let wrote = false;
  const settle = async (): Promise<void> => {
    wrote = true;
  };
  await t.rejects(first?.move(6n, undefined, settle) ?? Promise.resolve(), Replaced);
  t.notOk(wrote);
  await second?.move(7n);
  t.equal(second?.position(), 7n);
  t.equal(await takeOver(pool, { ...of, name: 'nothing' }, randomUUID()), undefined);
});

t.test('what a checkpoint carries is written with it or not at all', async (t) => {
  const { pool, connectionString, store } = await readSide(t);
  await prepareTables(pool, store, [counters]);
  const of = { kind: 'projection', name: 'counters', slot: 'live' } as const;
  const table = tableOf(counters);
  const [kept, changed, gone, fresh] = Array.from({ length: 4 }, () => randomUUID()) as [
    string,
    string,
    string,
    string,
  ];
  const row = (id: string, total: number) => ({ id, total, title: null });
  const rows = async () =>
    Object.fromEntries(
      (await pool.query<{ id: string; total: number }>('select id, total from read.counters')).rows.map(
        ({ id, total }) => [id, total],
      ),
    );
  await table.write(pool, { inserted: [row(kept, 1), row(changed, 1), row(gone, 1)], updated: [], deleted: [] });
  const before = await rows();
  const written = table.effects({ inserted: [row(fresh, 1)], updated: [row(changed, 2)], deleted: [gone] });
  const effects = written === undefined ? [] : [written];
  const after = { [kept]: 1, [changed]: 2, [fresh]: 1 };

  const rival = new pg.Client({ connectionString });
  await rival.connect();
  t.teardown(() => rival.end());
  /** A move that waits for a rival's take-over, which then ends one way or the other. */
  const overtaken = async (end: 'commit' | 'rollback'): Promise<unknown> => {
    const checkpoint = await takeOver(pool, of, randomUUID());
    await rival.query('begin');
    await rival.query('update convene.checkpoints set owner = gen_random_uuid()');
    const moving = checkpoint?.move((checkpoint?.position() ?? 0n) + 1n, effects).catch((error: unknown) => error);
    const blocked = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await eventually(
      async () => (await pool.query(blocked)).rowCount,
      (count) => count === 1,
    );
    await rival.query(end);
    return moving;
  };
  t.ok((await overtaken('commit')) instanceof Replaced);
  t.strictSame(await rows(), before, 'a worker that was replaced meanwhile changes nothing');
  t.equal((await takeOver(pool, of, randomUUID()))?.position(), 0n);

  const refused = table.effects({
    inserted: [row(fresh, 1), row(kept, 5)],
    updated: [row(changed, 2)],
    deleted: [gone],
  });
  const checkpoint = await takeOver(pool, of, randomUUID());
  await t.rejects(checkpoint?.move(1n, refused === undefined ? [] : [refused]) ?? Promise.resolve(), { code: '23505' });
  t.strictSame(await rows(), before, 'a row that the table refuses keeps all others and the position back');
  t.equal((await takeOver(pool, of, randomUUID()))?.position(), 0n);

  t.equal(await overtaken('rollback'), undefined);
  t.strictSame(await rows(), after);
  t.equal((await takeOver(pool, of, randomUUID()))?.position(), 1n);
});

t.test('a standby takes over when the leader goes, and nothing is folded twice', async (t) => {
  const side = await readSide(t);
  const id = randomUUID();
  const first = side.run([counters]);
  await side.reached(await side.append(`counter-${id}`, 'Counted', { id }), counters);
  const second = side.run([counters]);
  t.ok(first.leads());
  t.notOk(second.leads());

  // The server shows the locks of all its databases: those of other tests, too.
  await side.pool.query(
    `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
     and database = (select oid from pg_database where datname = current_database())`,
  );
  let position = 0n;
  for (let round = 0; round < 50; round += 1) position = await side.append(`counter-${id}`, 'Counted', { id });
  await side.reached(position, counters);
  const { rows } = await side.pool.query('select total from read.counters');
  t.strictSame(rows, [{ total: 51 }]);
  await eventually(
    async () => Number(first.leads()) + Number(second.leads()),
    (leaders) => leaders === 1,
  );
  const [leader, standby] = first.leads() ? [first, second] : [second, first];
  await leader.close();
  await side.reached(await side.append(`counter-${id}`, 'Counted', { id }), counters);
  t.ok(standby.leads());
});

t.test('caughtUp', async (t) => {
  const side = await readSide(t);
  const elsewhere = createProgress({ pool: side.pool });
  t.after(() => elsewhere.close());
  const runner = side.run([counters]);
  const id = randomUUID();

  t.test('waits until the read model is there, in the process that fills it and in others', async (t) => {
    const position = await side.append(`counter-${id}`, 'Counted', { id });
    await createCaughtUp(side.progress, LONG_MS)([counters], position);
    await createCaughtUp(elsewhere, LONG_MS)([counters], position);
    t.ok(elsewhere.of('counters') >= position);
  });
  t.test('gives up after a while and names what is behind', async (t) => {
    await runner.close();
    const position = await side.append(`counter-${id}`, 'Counted', { id });
    const behind = createCaughtUp(elsewhere, 100)([counters], position);
    await t.rejects(behind, new ReadModelBehind(['counters']));
    await t.resolves(createCaughtUp(elsewhere, 100)([], position));
  });
  t.test('learns from the checkpoints what was announced before it listened', async (t) => {
    const late = createProgress({ pool: side.pool });
    t.after(() => late.close());
    await createCaughtUp(late, LONG_MS)([counters], 1n);
    t.ok(late.of('counters') >= 1n);
  });
});

t.test('the feed', async (t) => {
  const side = await readSide(t);
  const never = new AbortController().signal;
  for (let index = 0; index < 3; index += 1) await side.append(`other-${index}`, 'Noise', {}, {});
  let decoded = 0;
  const feed = createFeed({
    store: side.store,
    decode: (events) => {
      decoded += events.length;
      return decode(events);
    },
  });
  t.after(() => feed.close());
  await feed.ready;

  t.test('gives the past in order from any position, decoded once for all who ask', async (t) => {
    const chunks = await Promise.all(Array.from({ length: 5 }, () => feed.after(0n, never)));
    for (const { events, from, to } of chunks) {
      t.strictSame(
        events.map(({ position }) => position),
        [1n, 2n, 3n, 4n, 5n, 6n],
      );
      t.strictSame([from, to], [0n, 6n]);
    }
    t.equal(decoded, 6);
    t.strictSame(
      (await feed.after(4n, never)).events.map(({ position }) => position),
      [5n, 6n],
    );
  });
  t.test('waits for what comes, and gives it to all', async (t) => {
    const waiting = [feed.after(6n, never), feed.after(6n, never)];
    await side.append('other-4', 'Noise', {});
    for (const chunk of await Promise.all(waiting))
      t.strictSame(
        chunk.events.map(({ position }) => position),
        [7n],
      );
    t.equal(feed.head(), 7n);
    t.match((await feed.after(5n, never)).from, 5n);
  });
  t.test('does not wake who has no use for what comes, and tells him how far it went', async (t) => {
    const passed: bigint[] = [];
    const reader = {
      concerns: ({ type }: FeedEvent) => type === 'Wanted',
      passed: (to: bigint) => void passed.push(to),
    };
    const waiting = feed.after(7n, never, reader);
    for (const type of ['Noise', 'Noise', 'Wanted']) {
      const position = await side.append('other-5', type, {});
      await feed.after(position - 1n, never);
    }
    const { events, from, to } = await waiting;
    t.strictSame(passed, [8n, 9n]);
    t.strictSame([from, to], [9n, 10n]);
    t.strictSame(
      events.map(({ type }) => type),
      ['Wanted'],
    );
  });
  t.test('lets go of a waiter who gives up', async (t) => {
    const giveUp = new AbortController();
    const waiting = feed.after(10n, giveUp.signal);
    giveUp.abort(new Error('enough'));
    await t.rejects(waiting, { message: 'enough' });
  });
});
