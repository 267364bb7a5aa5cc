import type { Kysely } from 'kysely';
import { boolean, instant, integer, nullable, projection, type RowOf, text, uuid } from '../projection.ts';

const columns = {
  account_id: uuid,
  email: text,
  display_name: text,
  phone_number: nullable(text),
  email_verified: boolean,
  plan: text,
  status: text,
  locked_until: nullable(instant),
  timezone: text,
  language: text,
  created_from: text,
  last_login_at: nullable(instant),
  created_at: instant,
  updated_at: instant,
  version: integer,
};
export type AccountRow = RowOf<typeof columns>;

type Place = { readonly recordedAt: string; readonly revision: number };
const changed = (row: AccountRow | undefined, { recordedAt, revision }: Place, change: Partial<AccountRow>) =>
  row && { ...row, ...change, updated_at: recordedAt, version: revision };

/**
 * Every account: the one read model that knows the names and addresses of people. Others hold account ids and join it.
 * `status` is `active`, or what later ended the account.
 */
export const accounts = projection({
  name: 'accounts',
  version: 1,
  columns,
  key: { column: 'account_id', of: ({ data }) => data.accountId },
  indexes: [['created_at desc'], ['plan'], ['lower(email)']],
  fold: {
    AccountRegistered: (_row, { data, recordedAt, revision }): AccountRow => ({
      account_id: data.accountId,
      email: data.email,
      display_name: data.displayName,
      phone_number: data.phoneNumber ?? null,
      email_verified: false,
      plan: data.plan,
      status: 'active',
      locked_until: null,
      timezone: data.timezone,
      language: data.language,
      created_from: data.createdFrom,
      last_login_at: null,
      created_at: recordedAt,
      updated_at: recordedAt,
      version: revision,
    }),
    EmailVerificationRequested: (row: AccountRow | undefined, event) => changed(row, event, {}),
    EmailVerified: (row: AccountRow | undefined, event) => changed(row, event, { email_verified: true }),
    AccountLocked: (row: AccountRow | undefined, event) => changed(row, event, { locked_until: event.data.until }),
    LoginSucceeded: (row: AccountRow | undefined, { recordedAt }) => row && { ...row, last_login_at: recordedAt },
  },
});

type Tables = { accounts: AccountRow };

/** One account by its id. */
export const accountOf = (db: Kysely<Tables>, accountId: string): Promise<AccountRow | undefined> =>
  db.selectFrom('accounts').selectAll().where('account_id', '=', accountId).executeTakeFirst();

/** What rights depend on, of accounts. */
export const standingsOf = (
  db: Kysely<Tables>,
  accountIds: readonly string[],
): Promise<Pick<AccountRow, 'account_id' | 'status' | 'plan' | 'email_verified'>[]> =>
  db
    .selectFrom('accounts')
    .select(['account_id', 'status', 'plan', 'email_verified'])
    .where('account_id', '=', ({ fn, val }) => fn.any(val(accountIds)))
    .execute();
