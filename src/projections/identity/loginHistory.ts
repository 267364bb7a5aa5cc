import type { Kysely } from 'kysely';
import { json, projection, type RowOf, uuid } from '../projection.ts';

/** An attempt to log in, as its account sees it. */
export type LoginAttempt = {
  readonly timestamp: string;
  readonly ip: string;
  readonly userAgent: string;
  readonly success: boolean;
  /** Of a failure. */
  readonly reason: string | null;
};

/** Attempts that are kept of one account. */
const KEPT = 100;

const columns = { account_id: uuid, attempts: json<readonly LoginAttempt[]>() };
export type LoginHistoryRow = RowOf<typeof columns>;
type Row = LoginHistoryRow | undefined;

const more = (row: Row, accountId: string, attempt: LoginAttempt): LoginHistoryRow => ({
  account_id: accountId,
  attempts: [attempt, ...(row?.attempts ?? [])].slice(0, KEPT),
});

/** The latest attempts to log in to each account, newest first. Attempts with an identifier that nobody has belong to no account. */
export const loginHistory = projection({
  name: 'login_history',
  version: 1,
  columns,
  key: { column: 'account_id', of: ({ data }) => data.accountId ?? [] },
  fold: {
    LoginSucceeded: (row: Row, { data, recordedAt }, key) =>
      more(row, key, {
        timestamp: recordedAt,
        ip: data.ip,
        userAgent: data.userAgent,
        success: true,
        reason: null,
      }),
    LoginFailed: (row: Row, { data, recordedAt }, key) =>
      more(row, key, {
        timestamp: recordedAt,
        ip: data.ip,
        userAgent: data.userAgent,
        success: false,
        reason: data.reason,
      }),
    AccountErased: () => undefined,
  },
});

/** The attempts that are kept of an account, newest first. */
export const loginAttemptsOf = async (
  db: Kysely<{ login_history: LoginHistoryRow }>,
  accountId: string,
): Promise<readonly LoginAttempt[]> => {
  const row = await db
    .selectFrom('login_history')
    .select('attempts')
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return row?.attempts ?? [];
};
