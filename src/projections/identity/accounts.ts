import type { Kysely } from 'kysely';
import { ERASED } from '../../domain/decider.ts';
import type { Preferences } from '../../domain/identity/account/events.ts';
import { boolean, instant, integer, json, nullable, projection, type RowOf, text, uuid } from '../projection.ts';

/** A telephone number of an account, in the order in which they were added. */
export type PhoneEntry = {
  readonly id: string;
  readonly number: string;
  readonly label: string | null;
  readonly addedAt: string;
  readonly verifiedAt: string | null;
};

const columns = {
  account_id: uuid,
  email: text,
  display_name: text,
  photo_url: nullable(text),
  /** The primary one, or the first while none is verified. */
  phone_number: nullable(text),
  phones: json<readonly PhoneEntry[]>(),
  primary_phone_id: nullable(uuid),
  email_verified: boolean,
  /** False once the address has refused mail for good, or its owner has called it unwanted. */
  email_deliverable: boolean,
  phone_verified: boolean,
  mfa_enabled: boolean,
  password_changed_at: nullable(instant),
  plan: text,
  subscription_status: text,
  subscription_started_at: nullable(instant),
  subscription_expires_at: nullable(instant),
  auto_renew: boolean,
  status: text,
  deleted_at: nullable(instant),
  locked_until: nullable(instant),
  timezone: text,
  language: text,
  preferences: nullable(json<Preferences>()),
  created_from: text,
  last_login_at: nullable(instant),
  created_at: instant,
  updated_at: instant,
  version: integer,
};
export type AccountRow = RowOf<typeof columns>;
type Row = AccountRow | undefined;

type Place = { readonly recordedAt: string; readonly revision: number };
const changed = (row: Row, { recordedAt, revision }: Place, change: Partial<AccountRow> = {}) =>
  row && { ...row, ...change, updated_at: recordedAt, version: revision };

/** The columns that follow from the telephone numbers. */
const withPhones = (phones: readonly PhoneEntry[], primaryId: string | null) => ({
  phones,
  primary_phone_id: primaryId,
  phone_number: (phones.find(({ id }) => id === primaryId) ?? phones[0])?.number ?? null,
  phone_verified: phones.some(({ verifiedAt }) => verifiedAt !== null),
});

const onePhone = (row: Row, event: Place & { readonly data: { phoneNumberId: string } }, change: Partial<PhoneEntry>) =>
  row &&
  changed(
    row,
    event,
    withPhones(
      row.phones.map((phone) => (phone.id === event.data.phoneNumberId ? { ...phone, ...change } : phone)),
      row.primary_phone_id,
    ),
  );

/** Events that change nothing that can be seen but the version. */
const unseen = (row: Row, event: Place) => changed(row, event);

/** What personal columns hold of an account that was erased. */
const blank = {
  email: ERASED,
  display_name: 'deleted user',
  photo_url: null,
  ...withPhones([], null),
  preferences: null,
  timezone: 'UTC',
  language: 'en',
} as const;

/**
 * Every account: the one read model that knows the names and addresses of people. Others hold account ids and join it.
 * `status` is `active`, or what later ended the account. `version` is the revision of the account's own stream.
 */
export const accounts = projection({
  name: 'accounts',
  version: 3,
  columns,
  key: { column: 'account_id', of: ({ data }) => data.accountId },
  indexes: [
    ['created_at desc', 'account_id'],
    ['display_name', 'account_id'],
    ['email', 'account_id'],
    ['last_login_at', 'account_id'],
    ['plan'],
  ],
  fold: {
    AccountRegistered: (_row, { data, recordedAt, revision }): AccountRow => ({
      account_id: data.accountId,
      email: data.email,
      display_name: data.displayName,
      photo_url: null,
      phone_number: data.phoneNumber ?? null,
      phones: [],
      primary_phone_id: null,
      email_verified: false,
      email_deliverable: true,
      phone_verified: false,
      mfa_enabled: false,
      password_changed_at: null,
      plan: data.plan,
      subscription_status: 'active',
      subscription_started_at: null,
      subscription_expires_at: null,
      auto_renew: false,
      status: 'active',
      deleted_at: null,
      locked_until: null,
      timezone: data.timezone,
      language: data.language,
      preferences: null,
      created_from: data.createdFrom,
      last_login_at: null,
      created_at: recordedAt,
      updated_at: recordedAt,
      version: revision,
    }),
    RegistrationAbandoned: () => undefined,

    EmailVerificationRequested: unseen,
    EmailVerified: (row: Row, event) => changed(row, event, { email_verified: true }),
    EmailChangeRequested: unseen,
    EmailChanged: (row: Row, event) =>
      changed(row, event, { email: event.data.email, email_verified: true, email_deliverable: true }),

    // Facts of other streams: they change nothing of the account's own version. A mail may have gone to an earlier address.
    EmailBounced: (row: Row, { data: { kind, to } }) =>
      row && (kind === 'soft' || to !== row.email ? row : { ...row, email_deliverable: false }),
    AddressUnblocked: (row: Row) => row && { ...row, email_deliverable: true },

    AccountLocked: (row: Row, event) => changed(row, event, { locked_until: event.data.until }),
    AccountUnlocked: (row: Row, event) => changed(row, event, { locked_until: null }),

    PasswordResetRequested: unseen,
    PasswordResetCompleted: (row: Row, event) => changed(row, event, { password_changed_at: event.data.at }),
    PasswordChanged: (row: Row, event) => changed(row, event, { password_changed_at: event.data.at }),
    PasswordRehashed: unseen,

    MfaSetupStarted: unseen,
    MfaEnabled: (row: Row, event) => changed(row, event, { mfa_enabled: true }),
    MfaDisabled: (row: Row, event) => changed(row, event, { mfa_enabled: false }),
    TotpStepUsed: unseen,
    BackupCodeConsumed: unseen,
    BackupCodesRegenerated: unseen,
    DeviceTrusted: unseen,
    DeviceTrustRevoked: unseen,
    OAuthIdentityLinked: unseen,
    OAuthIdentityUnlinked: unseen,
    UnprovedAccessDropped: (row: Row, event) => changed(row, event, { mfa_enabled: false }),

    ProfileUpdated: (row: Row, event) => {
      const { displayName, photoURL, timezone } = event.data.changed;
      return changed(row, event, {
        ...(displayName === undefined ? {} : { display_name: displayName }),
        ...(photoURL === undefined ? {} : { photo_url: photoURL }),
        ...(timezone === undefined ? {} : { timezone }),
      });
    },
    PreferencesUpdated: (row: Row, event) => {
      const { preferences } = event.data;
      const { timezone, language } = preferences;
      return changed(row, event, { preferences, timezone, language });
    },

    PhoneNumberAdded: (row: Row, event) => {
      const { phoneNumberId: id, number, label = null, at: addedAt } = event.data;
      const added = { id, number, label, addedAt, verifiedAt: null };
      return row && changed(row, event, withPhones([...row.phones, added], row.primary_phone_id));
    },
    PhoneNumberLabelled: (row: Row, event) => onePhone(row, event, { label: event.data.label }),
    PhoneNumberVerified: (row: Row, event) => onePhone(row, event, { verifiedAt: event.data.at }),
    PrimaryPhoneNumberSet: (row: Row, event) =>
      row && changed(row, event, withPhones(row.phones, event.data.phoneNumberId)),
    PhoneNumberRemoved: (row: Row, event) => {
      const { phoneNumberId } = event.data;
      if (row === undefined) return row;
      const primary = row.primary_phone_id === phoneNumberId ? null : row.primary_phone_id;
      return changed(
        row,
        event,
        withPhones(
          row.phones.filter(({ id }) => id !== phoneNumberId),
          primary,
        ),
      );
    },

    SubscriptionChanged: (row: Row, event) => {
      const { plan, status, startedAt, expiresAt = null, autoRenew } = event.data;
      return changed(row, event, {
        plan,
        subscription_status: status,
        subscription_started_at: startedAt,
        subscription_expires_at: expiresAt,
        auto_renew: autoRenew,
      });
    },
    SubscriptionCancelled: (row: Row, event) =>
      changed(row, event, {
        subscription_status: 'cancelled',
        subscription_expires_at: event.data.effectiveAt,
        auto_renew: false,
      }),
    SubscriptionExpired: (row: Row, event) =>
      changed(row, event, { plan: 'free', subscription_status: 'expired', auto_renew: false }),

    AccountDeactivated: (row: Row, event) => changed(row, event, { status: 'deactivated', deleted_at: event.data.at }),
    AccountReactivated: (row: Row, event) => changed(row, event, { status: 'active', deleted_at: null }),
    AccountErased: (row: Row, event) => changed(row, event, { ...blank, status: 'erased', deleted_at: event.data.at }),

    LoginSucceeded: (row: Row, { recordedAt }) => row && { ...row, last_login_at: recordedAt },
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
): Promise<Pick<AccountRow, 'account_id' | 'status' | 'plan' | 'email_verified' | 'phone_verified'>[]> =>
  db
    .selectFrom('accounts')
    .select(['account_id', 'status', 'plan', 'email_verified', 'phone_verified'])
    .where('account_id', '=', ({ fn, val }) => fn.any(val(accountIds)))
    .execute();
