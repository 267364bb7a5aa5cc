import type { Kysely } from 'kysely';
import { ERASED } from '../../domain/decider.ts';
import { instant, nullable, projection, type RowOf, text, uuid } from '../projection.ts';
import type { TokenRevocationRow } from './tokenRevocations.ts';

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
  version: 2,
  columns,
  key: { column: 'session_id', of: ({ data }) => data.sessionId },
  erasure: { column: 'account_id', row: (row) => ({ ...row, device: null, ip: ERASED, user_agent: ERASED }) },
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

type Tables = { login_sessions: LoginSessionRow; token_revocations: TokenRevocationRow };

/** Sessions that nobody ended, that have not run out, and that are younger than the last revocation of all tokens. */
const counting = (db: Kysely<Tables>, now: Date) =>
  db
    .selectFrom('login_sessions')
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now.toISOString())
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('token_revocations').select('stream').whereRef('not_before', '>=', 'created_at'))),
    );

/** Whose each session is, when it began, and when it ends at the latest; those that have ended or never were are left out. */
export const livingSessionsOf = async (
  db: Kysely<Tables>,
  sessionIds: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, Pick<LoginSessionRow, 'account_id' | 'created_at' | 'expires_at'>>> => {
  const rows = await counting(db, now)
    .select(['session_id', 'account_id', 'created_at', 'expires_at'])
    .where('session_id', '=', ({ fn, val }) => fn.any(val(sessionIds)))
    .execute();
  return new Map(rows.map(({ session_id, ...session }) => [session_id, session]));
};

const living = (db: Kysely<Tables>, accountId: string, now: Date) =>
  counting(db, now).where('account_id', '=', accountId);

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

/** How many sessions of all accounts still count. */
export const countLivingSessions = async (db: Kysely<Tables>, now: Date): Promise<number> => {
  const { total } = await counting(db, now)
    .select(({ fn }) => fn.countAll<string>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(total);
};
