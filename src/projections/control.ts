import type pg from 'pg';
import type { Kind } from '../eventstore/consumer/checkpoint.ts';
import { transaction } from '../eventstore/consumer/checkpoint.ts';
import { CONTROL_CHANNEL } from '../eventstore/consumer/parking.ts';

/** What came of an operator's wish: it will be done; there is no such thing; or a rebuild is under way. */
export type Obeyed = 'done' | 'unknown' | 'rebuilding';

type Queryable = Pick<pg.ClientBase, 'query'>;

const announce = (client: Queryable): Promise<unknown> =>
  client.query('select pg_notify($1, $2)', [CONTROL_CHANNEL, '']);

/** Locks the projection against other operators and tells whether it is being rebuilt, or is to be. */
const examine = async (client: Queryable, name: string): Promise<Obeyed> => {
  await client.query('insert into convene.projection_control (name) values ($1) on conflict do nothing', [name]);
  const { rows } = await client.query<{ rebuild: boolean; slots: string[] }>(
    `select rebuild, array(select slot from convene.checkpoints c where c.kind = 'projection' and c.name = w.name) as slots
     from convene.projection_control w where name = $1 for update`,
    [name],
  );
  const row = rows[0];
  if (row === undefined || row.slots.length === 0) return 'unknown';
  return row.rebuild || row.slots.includes('build') ? 'rebuilding' : 'done';
};

const wish = async (pool: pg.Pool, name: string, sql: string): Promise<Obeyed> =>
  transaction(pool, async (client) => {
    const obeyed = await examine(client, name);
    if (obeyed === 'unknown') await client.query('delete from convene.projection_control where name = $1', [name]);
    if (obeyed === 'done') {
      await client.query(sql, [name]);
      await announce(client);
    }
    return obeyed;
  });

/** Has a new table built beside the live one and put in its place; queries go on meanwhile. Survives restarts. */
export const requestRebuild = (pool: pg.Pool, name: string): Promise<Obeyed> =>
  wish(pool, name, 'update convene.projection_control set rebuild = true where name = $1');

/** Stops or continues a projection; its read model falls behind meanwhile. Pausing a paused one changes nothing. */
export const setPaused = (pool: pg.Pool, name: string, paused: boolean): Promise<Obeyed> =>
  wish(pool, name, `update convene.projection_control set paused = ${paused} where name = $1`);

/** A dead letter: a stream that a projection or policy has set aside, and the event that it failed on. */
export type DeadLetter = {
  readonly id: string;
  readonly kind: Kind;
  readonly name: string;
  readonly stream: string;
  readonly revision: number;
  readonly eventId: string;
  readonly position: string;
  readonly type: string;
  /** Class and code of the error; never its text, which can quote personal data. */
  readonly error: string;
  readonly attempts: number;
  readonly since: string;
  /** When it is tried again by itself; null: it waits for an operator. */
  readonly nextAttempt: string | null;
};

const iso = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Dead letters, oldest first. */
export const deadLetters = async (
  pool: pg.Pool,
  { limit = 50, offset = 0 }: { readonly limit?: number; readonly offset?: number } = {},
): Promise<{ readonly letters: readonly DeadLetter[]; readonly total: number }> => {
  const { rows } = await pool.query<DeadLetter>(
    `select id, kind, name, stream, revision, event_id as "eventId", position::text, type, error, attempts,
       ${iso('since')} as since, ${iso('next_attempt')} as "nextAttempt"
     from convene.parked where slot = 'live' order by since, id limit $1 offset $2`,
    [limit, offset],
  );
  const counted = await pool.query<{ total: number }>(
    `select count(*)::int as total from convene.parked where slot = 'live'`,
  );
  return { letters: rows, total: counted.rows[0]?.total ?? 0 };
};

/**
 * Decides about a dead letter: `retry` handles its event again, then what waits behind it, in order; `skip` passes over
 * that one event, marks the read model incomplete until its next rebuild, and lets the rest follow. Done by the process
 * that runs the projection or policy, at once, or as soon as there is one.
 */
export const decide = async (pool: pg.Pool, id: string, verdict: 'retry' | 'skip'): Promise<Obeyed> =>
  transaction(pool, async (client) => {
    const { rows } = await client.query<{ kind: Kind; name: string }>(
      `select kind, name from convene.parked where id = $1 and slot = 'live'`,
      [id],
    );
    const letter = rows[0];
    if (letter === undefined) return 'unknown';
    if (letter.kind === 'projection' && (await examine(client, letter.name)) === 'rebuilding') return 'rebuilding';
    await client.query(`update convene.parked set verdict = $2 where id = $1 and slot = 'live'`, [id, verdict]);
    await announce(client);
    return 'done';
  });
