import t from 'tap';
import { testDatabase } from './postgres.ts';

t.test('a test database', async (t) => {
  t.test('is a real PostgreSQL, new and empty for each test', async (t) => {
    const one = await testDatabase(t);
    const other = await testDatabase(t);
    await one.pool.query('create table public.seen (id int)');
    const { rows } = await other.pool.query("select to_regclass('public.seen') as found, version()");
    t.equal(rows[0].found, null);
    t.match(rows[0].version, /^PostgreSQL 18/);
  });
  t.test('is gone with its test', async (t) => {
    let name = '';
    await t.test('which had one', async (t) => {
      const { pool } = await testDatabase(t);
      name = (await pool.query('select current_database() as name')).rows[0].name;
    });
    const { pool } = await testDatabase(t);
    t.not(name, '');
    t.equal((await pool.query('select from pg_database where datname = $1', [name])).rowCount, 0);
  });
});
