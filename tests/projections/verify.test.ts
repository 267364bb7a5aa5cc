import { randomUUID } from 'node:crypto';
import t from 'tap';
import { NotVerifiable, verify } from '../../src/projections/verify.ts';
import { aggregates, counters, readSide } from '../support/readSide.ts';

t.test('verify', async (t) => {
  const side = await readSide(t);
  const ids = Array.from({ length: 10 }, () => randomUUID()).sort();
  const options = { ...side, aggregates };
  await t.rejects(verify(counters, options), NotVerifiable, 'refuses a read model that does not exist');
  side.run([counters]);
  let position = 0n;
  for (const id of ids) position = await side.append(`counter-${id}`, 'Counted', { id }, { id });
  await side.reached(position, counters);

  t.test('finds every row as it should be, and cleans up', async (t) => {
    const progress: bigint[] = [];
    const found = await verify(counters, { ...options, onProgress: (at) => progress.push(at) });
    t.match(found, { rows: 10, differing: 0, differences: [], position });
    t.equal(progress.at(-1), position);
    const { rows } = await side.pool.query(`select tablename from pg_tables where schemaname = 'read'`);
    t.strictSame(rows, [{ tablename: 'counters' }]);
  });

  t.test('finds a row that was altered, one that is missing, one that nothing explains', async (t) => {
    const stranger = 'ffffffff-ffff-4fff-bfff-ffffffffffff';
    await side.pool.query('update read.counters set total = 3 where id = $1', [ids[2]]);
    await side.pool.query('delete from read.counters where id = $1', [ids[5]]);
    await side.pool.query(`insert into read.counters values ($1, 1, null)`, [stranger]);
    const { differing, differences } = await verify(counters, options);
    t.equal(differing, 3);
    t.strictSame(differences, [
      { key: ids[2], columns: ['total'], problem: 'different' },
      { key: ids[5], columns: [], problem: 'missing' },
      { key: stranger, columns: [], problem: 'unexpected' },
    ]);
  });

  t.test('refuses a live table of another version', async (t) => {
    await t.rejects(verify({ ...counters, version: 2 }, options), NotVerifiable);
  });
});
