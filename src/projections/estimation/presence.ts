import type { Pool } from 'pg';

/**
 * Leases on being present in an estimation session, in table `convene.session_presence`. Not a read model: it is shared
 * by all processes, by the clock of the database, and follows from no event.
 */

/** Somebody in a session. */
export type Seat = { readonly sessionId: string; readonly accountId: string };

/** Seconds without a heartbeat after which somebody is absent. */
const ABSENT_AFTER = 90;
/** Seconds within which further heartbeats need not be written down. */
export const UNWRITTEN = 5;
const LEASE = `interval '${ABSENT_AFTER + UNWRITTEN} seconds'`;

type Row = { readonly session_id: string; readonly account_id: string };
const seatOf = ({ session_id, account_id }: Row): Seat => ({ sessionId: session_id, accountId: account_id });

/** Renews leases; gives those that had none. */
export const renew = async (pool: Pick<Pool, 'query'>, seats: readonly Seat[]): Promise<readonly Seat[]> => {
  const { rows } = await pool.query<Row & { readonly woke: boolean }>({
    name: 'session_presence_renew',
    text: `insert into convene.session_presence as p (session_id, account_id, seen_at, present, woke)
           select s.session_id, s.account_id, now(), true, true from unnest($1::uuid[], $2::uuid[]) s (session_id, account_id)
           order by 1, 2
           on conflict (session_id, account_id) do update set seen_at = now(), present = true, woke = not p.present
           returning session_id, account_id, woke`,
    values: [seats.map(({ sessionId }) => sessionId), seats.map(({ accountId }) => accountId)],
  });
  return rows.filter(({ woke }) => woke).map(seatOf);
};

/** Ends the leases that have run out; gives them, each to one caller alone. */
export const lapse = async (pool: Pick<Pool, 'query'>): Promise<readonly Seat[]> => {
  const { rows } = await pool.query<Row>(
    `update convene.session_presence set present = false where present and seen_at < now() - ${LEASE}
     returning session_id, account_id`,
  );
  return rows.map(seatOf);
};

/** Forgets people who were not seen for a day. */
export const forgetSeats = async (pool: Pick<Pool, 'query'>): Promise<void> => {
  await pool.query(`delete from convene.session_presence where not present and seen_at < now() - interval '1 day'`);
};

const seats = async (pool: Pick<Pool, 'query'>, sessionId: string, condition: string): Promise<readonly string[]> => {
  const { rows } = await pool.query<{ readonly account_id: string }>(
    `select account_id from convene.session_presence where session_id = $1 and seen_at ${condition} now() - ${LEASE}`,
    [sessionId],
  );
  return rows.map(({ account_id }) => account_id);
};

/** The accounts that hold a lease. */
export const presentIn = async (pool: Pick<Pool, 'query'>, sessionId: string): Promise<ReadonlySet<string>> =>
  new Set(await seats(pool, sessionId, '>='));

/** The accounts whose lease has run out. Who never had one is not among them: nothing is known of him yet. */
export const absentFrom = (pool: Pick<Pool, 'query'>, sessionId: string): Promise<readonly string[]> =>
  seats(pool, sessionId, '<');
