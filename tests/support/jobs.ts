import type { Pool } from 'pg';

/** Where the library that keeps the queue tells its workers of new jobs, and what it calls the queue there. */
const CHANNEL = `'pgboss_' || left(encode(sha224('pgboss'::bytea), 'hex'), 24)`;
const QUEUE = 'jobs';

/**
 * Lets the time come for jobs that wait for theirs, and tells the workers, who otherwise look every two seconds; how many
 * those were. `name`: of the job, or of the command that is issued at its time, `%` standing for any letters.
 */
export const hasten = async (pool: Pool, name: string): Promise<number> => {
  const { rows } = await pool.query<{ count: number }>(
    `with due as (
       update pgboss.job set start_after = now()
       where state in ('created', 'retry') and start_after > now() and coalesce(data->'data'->>'command', data->>'job') like $1
       returning id
     ), told as (select pg_notify(${CHANNEL}, '${QUEUE}') from due limit 1)
     select count(*)::int as count from due left join told on true`,
    [name],
  );
  return rows[0]?.count ?? 0;
};
