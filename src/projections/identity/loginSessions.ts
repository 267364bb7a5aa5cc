import type { Kysely } from 'kysely';
import { instant, nullable, projection, type RowOf, text, uuid } from '../projection.ts';

const columns = {
  session_id: uuid,
  account_id: uuid,
  method: text,
  device: nullable(text),
  ip: text,
  user_agent: text,
  created_at: instant,
  last_seen_at: instant,
  expires_at: instant,
  revoked_at: nullable(instant),
};
export type LoginSessionRow = RowOf<typeof columns>;

/** Every log-in on a device and whether it still counts. `last_seen_at` is the last exchange of tokens. */
export const loginSessions = projection({
  name: 'login_sessions',
  version: 1,
  columns,
  key: { column: 'session_id', of: ({ data }) => data.sessionId },
  indexes: [['account_id', 'last_seen_at desc']],
  fold: {
    LoginSessionStarted: (_row, { data, recordedAt }): LoginSessionRow => ({
      session_id: data.sessionId,
      account_id: data.accountId,
      method: data.method,
      device: data.deviceInfo ?? data.deviceId ?? null,
      ip: data.ip,
      user_agent: data.userAgent,
      created_at: recordedAt,
      last_seen_at: recordedAt,
      expires_at: data.expiresAt,
      revoked_at: null,
    }),
    LoginSessionRefreshed: (row: LoginSessionRow | undefined, { data, recordedAt }) =>
      row && { ...row, ip: data.ip, last_seen_at: recordedAt, expires_at: data.expiresAt },
    LoginSessionRevoked: (row: LoginSessionRow | undefined, { recordedAt }) =>
      row && { ...row, revoked_at: row.revoked_at ?? recordedAt },
  },
});

type Tables = { login_sessions: LoginSessionRow };

/** When each session ends at the latest; those that have ended or never were are left out. */
export const sessionEnds = async (
  db: Kysely<Tables>,
  sessionIds: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, string>> => {
  const rows = await db
    .selectFrom('login_sessions')
    .select(['session_id', 'expires_at'])
    .where('session_id', '=', ({ fn, val }) => fn.any(val(sessionIds)))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now.toISOString())
    .execute();
  return new Map(rows.map(({ session_id, expires_at }) => [session_id, expires_at]));
};

const living = (db: Kysely<Tables>, accountId: string, now: Date) =>
  db
    .selectFrom('login_sessions')
    .where('account_id', '=', accountId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now.toISOString());

/** The sessions of an account that still count, last seen first: one page, and how many there are. */
export const livingSessions = async (
  db: Kysely<Tables>,
  accountId: string,
  now: Date,
  { offset, limit }: { readonly offset: number; readonly limit: number },
) => {
  const [items, { total }] = await Promise.all([
    living(db, accountId, now)
      .selectAll()
      .orderBy('last_seen_at', 'desc')
      .orderBy('session_id')
      .offset(offset)
      .limit(limit)
      .execute(),
    living(db, accountId, now)
      .select(({ fn }) => fn.countAll<string>().as('total'))
      .executeTakeFirstOrThrow(),
  ]);
  return { items, total: Number(total) };
};

/** The ids of all sessions of an account that still count. */
export const livingSessionIds = async (
  db: Kysely<Tables>,
  accountId: string,
  now: Date,
): Promise<readonly string[]> => {
  const rows = await living(db, accountId, now).select('session_id').execute();
  return rows.map(({ session_id }) => session_id);
};
