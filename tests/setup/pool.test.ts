import t from 'tap';
import { createPool } from '../../src/postgres/pool.ts';
import { testDatabase } from '../support/postgres.ts';

t.test('a connection that breaks between two statements of whoever has it', async (t) => {
  const { connectionString, pool: other } = await testDatabase(t);
  const lost: Error[] = [];
  const pool = createPool(connectionString, 1, (error) => lost.push(error));
  t.teardown(() => pool.end());
  const client = await pool.connect();
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  // Not once() of node:events, which would listen for errors too.
  const ended = new Promise<void>((resolve) => client.once('end', resolve));
  await other.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
  await ended;

  t.strictSame(lost, [], 'is no idle one');
  await t.rejects(client.query('select 1'), 'fails the next statement');
  client.release(true);
  t.match((await pool.query('select 1 as one')).rows, [{ one: 1 }], 'is replaced, and the process goes on');
});
