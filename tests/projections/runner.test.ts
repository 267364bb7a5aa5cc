import { randomUUID } from 'node:crypto';
import pg from 'pg';
import t from 'tap';
import { prepareTables } from '../../src/projections/slots.ts';
import { counters, eventually, readSide } from '../support/readSide.ts';

const row = async ({ pool }: Awaited<ReturnType<typeof readSide>>, id: string) =>
  (await pool.query('select total, title from read.counters where id = $1', [id])).rows[0];

t.test('a projection', async (t) => {
  t.test('folds what is there and what comes, in order, and removes rows', async (t) => {
    const side = await readSide(t);
    const [a, b] = [randomUUID(), randomUUID()];
    await side.append(`counter-${a}`, 'Counted', { id: a }, { id: a, by: 4 });
    await side.append(`counter-${b}`, 'Counted', { id: b });
    side.run([counters]);
    const before = await side.append('other-1', 'Noise', {});
    await side.reached(before, counters);
    t.strictSame(await row(side, a), { total: 5, title: null });
    t.strictSame(await row(side, b), { total: 1, title: null });
    await side.append(`counter-${a}`, 'Renamed', { id: a, title: 'first' });
    await side.reached(await side.append(`counter-${b}`, 'Removed', { id: b }), counters);
    t.strictSame(await row(side, a), { total: 5, title: 'first' });
    t.equal(await row(side, b), undefined);
  });

  t.test('counts nothing twice when its connections die while it folds', async (t) => {
    const side = await readSide(t);
    const ids = Array.from({ length: 20 }, () => randomUUID());
    let folded = 0;
    const slow = {
      ...counters,
      fold: {
        ...counters.fold,
        Counted: (existing: { total: number } | undefined, event: { data: { id: string } }) => {
          folded += 1;
          return { id: event.data.id, total: (existing?.total ?? 0) + 1, title: null };
        },
      },
    };
    side.run([slow]);
    // One of the pool may be cut itself, and does not know it yet when it is handed out.
    const cutter = new pg.Client({ connectionString: side.connectionString });
    await cutter.connect();
    t.teardown(() => cutter.end());
    let position = 0n;
    for (let round = 0; round < 30; round += 1) {
      for (const id of ids) position = await side.append(`counter-${id}`, 'Counted', { id });
      await cutter.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and application_name not like 'convene-l%'`,
      );
    }
    await side.reached(position, slow);
    const { rows } = await cutter.query('select distinct total from read.counters');
    t.strictSame(rows, [{ total: 30 }]);
    t.ok(folded >= 600);
  });

  t.test('is made only once by several processes at the same time', async (t) => {
    const { pool, store } = await readSide(t);
    await Promise.all(Array.from({ length: 4 }, () => prepareTables(pool, store, [counters])));
    const { rows } = await pool.query(`select indexname from pg_indexes where schemaname = 'read' order by 1`);
    t.strictSame(rows, [{ indexname: 'counters_pkey' }, { indexname: 'counters_total_idx' }]);
  });

  t.test('saves how far a quiet stretch reaches', async (t) => {
    const side = await readSide(t);
    side.run([counters]);
    const position = await side.append('other-1', 'Noise', {}, {}, {});
    await side.reached(position, counters);
    await eventually(
      async () =>
        (await side.pool.query<{ position: string }>('select position from convene.checkpoints')).rows[0]?.position,
      (saved) => saved === String(position),
    );
  });
});
