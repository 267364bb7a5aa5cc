import { cancelClientAppointments } from '../domain/booking/clientCalendar.ts';
import { MINUTE_MS } from '../domain/durations.ts';
import {
  completeErasure,
  endLoginSessions,
  expireSubscription,
  lockAccount,
  releaseClosedAccount,
  startEmailVerification,
  startPasswordReset,
  unlockAccount,
} from '../domain/identity/account/index.ts';
import { releaseEmail } from '../domain/identity/emailClaim.ts';
import { releaseOAuthIdentity } from '../domain/identity/oauthIdentity.ts';
import { releasePhoneNumber } from '../domain/identity/verifiedPhone.ts';
import { idOf } from '../eventstore/event.ts';
import type { CodeOrder } from './mails/code.ts';
import { mail } from './mails/index.ts';
import { type Issued, issue, job, policy } from './policy.ts';

/** Begins to verify the address of a new account, and again whenever its holder asks. */
export const verification = policy('identity-verification', {
  AccountRegistered: ({ data: { accountId } }) => [issue(startEmailVerification, { accountId })],
  EmailVerificationAsked: ({ data: { accountId }, stream }) =>
    accountId === undefined ? [] : [issue(startEmailVerification, { accountId, emailHash: idOf(stream) })],
});

/** Begins the choice of another password when somebody asks for it who has an account. */
export const passwordReset = policy('identity-password-reset', {
  PasswordResetAsked: ({ data: { accountId }, stream }) =>
    accountId === undefined ? [] : [issue(startPasswordReset, { accountId, emailHash: idOf(stream) })],
});

/** Locks the account behind an identifier that was locked for too many failures. */
export const lockout = policy('identity-lockout', {
  LoginFailed: ({ data: { accountId, lockedUntil } }) =>
    accountId === undefined || lockedUntil === undefined
      ? []
      : [issue(lockAccount, { accountId, until: lockedUntil, reason: 'failed_logins' })],
});

/** Takes note of the end of a lock when it comes. */
export const unlocking = policy('identity-unlocking', {
  AccountLocked: ({ data: { accountId, until } }) => [issue(unlockAccount, { accountId }, new Date(until))],
});

/** Ends the login sessions that may no longer be their holder's, should a crash have kept the command from it. */
export const sessions = policy('identity-sessions', {
  PasswordResetCompleted: ({ data: { accountId, at: before } }) => [
    issue(endLoginSessions, { accountId, before, by: 'password_change' }),
  ],
  UnprovedAccessDropped: ({ data: { accountId, at: before } }) => [
    issue(endLoginSessions, { accountId, before, by: 'password_change' }),
  ],
  PasswordChanged: ({ data: { accountId, keptSessionId: exceptSessionId, at: before } }) => [
    issue(endLoginSessions, { accountId, exceptSessionId, before, by: 'password_change' }),
  ],
  AccountLocked: ({ data: { accountId, reason: by } }) =>
    by === 'failed_logins' ? [] : [issue(endLoginSessions, { accountId, by })],
  AccountDeactivated: ({ data: { accountId, at: before } }) => [
    issue(endLoginSessions, { accountId, before, by: 'deactivation' }),
  ],
});

/** Gives back the addresses, numbers and identities that an account no longer has. */
export const releases = policy('identity-releases', {
  EmailChanged: ({ data: { accountId, oldEmailHash: emailHash } }) => [issue(releaseEmail, { accountId, emailHash })],
  OAuthIdentityUnlinked: ({ data: { accountId, subjectHash } }) => [
    issue(releaseOAuthIdentity, { accountId, subjectHash }),
  ],
  PhoneNumberRemoved: ({ data: { accountId, numberHash } }) => [issue(releasePhoneNumber, { accountId, numberHash })],
});

type Moment = { readonly data: { readonly accountId: string; readonly at: string } };
const passwordChanged = ({ data: { accountId, at } }: Moment): readonly Issued[] => [
  mail({ template: 'password-changed', accountId, at }),
];

/** Sends the mails of identity. */
export const mails = policy('identity-mails', {
  EmailVerificationRequested: ({ data }) => [mail({ template: 'email-verification', ...data })],
  AccountLocked: ({ data }) => [mail({ template: 'account-locked', ...data })],
  PasswordResetRequested: ({ data }) => [mail({ template: 'password-reset', ...data })],
  PasswordResetCompleted: passwordChanged,
  PasswordChanged: passwordChanged,
  EmailChangeRequested: ({ data: { accountId, newEmail, requestId, expiresAt }, recordedAt }) => [
    mail({ template: 'email-change', accountId, requestId, expiresAt }, { to: newEmail }),
    mail({ template: 'email-change-notice', accountId, requestId, at: recordedAt }),
  ],
  AccountDeactivated: ({ data: { accountId, by, at } }) => [
    mail({ template: 'account-deactivated', accountId, by, at }),
  ],
});

/** Sends one-time codes; none where nobody is known by the identifier. */
export const codes = policy('identity-codes', {
  OtpIssued: ({ data: { challengeId, accountId, phoneNumberId, channel, expiresAt } }) => {
    if (accountId === undefined) return [];
    const of = { challengeId, accountId, expiresAt };
    if (channel === 'email') return [mail({ template: 'otp-code', ...of })];
    return phoneNumberId === undefined ? [] : [job('send-code', { ...of, phoneNumberId } satisfies CodeOrder)];
  },
});

/** Milliseconds after which no mail that was begun before an erasure is still on its way. */
const MAIL_TIME = 10 * MINUTE_MS;

/** Forgets the messages kept for an erased account, and once more those that were on their way. */
export const messages = policy('identity-messages', {
  AccountErased: ({ data: { accountId }, recordedAt }) => [
    job('forget-messages', { accountId }),
    job('forget-messages', { accountId }, new Date(Date.parse(recordedAt) + MAIL_TIME)),
  ],
});

/** Milliseconds after which nothing that was begun before a deactivation is still under way. */
const STRAGGLING = MINUTE_MS;

/** Gives up what an account that was closed still holds elsewhere, and once more what was on its way meanwhile. */
export const closing = policy('identity-closing', {
  AccountDeactivated: ({ data: { accountId }, recordedAt }) => {
    const later = new Date(Date.parse(recordedAt) + STRAGGLING);
    return [
      issue(cancelClientAppointments, { accountId }),
      issue(releaseClosedAccount, { accountId }),
      issue(cancelClientAppointments, { accountId }, later),
      issue(releaseClosedAccount, { accountId }, later),
    ];
  },
});

/** Destroys the keys of an erased person, should a crash have kept the command from it. */
export const erasure = policy('identity-erasure', {
  AccountErased: ({ data: { accountId } }) => [issue(completeErasure, { accountId })],
});

/** Ends plans that are not renewed. */
export const subscriptions = policy('identity-subscriptions', {
  SubscriptionChanged: ({ data: { accountId, expiresAt } }) =>
    expiresAt === undefined ? [] : [issue(expireSubscription, { accountId }, new Date(expiresAt))],
  SubscriptionCancelled: ({ data: { accountId, effectiveAt } }) => [
    issue(expireSubscription, { accountId }, new Date(effectiveAt)),
  ],
});

/** Every policy of identity. */
export const identityPolicies = [
  verification,
  passwordReset,
  lockout,
  unlocking,
  sessions,
  releases,
  mails,
  codes,
  messages,
  closing,
  erasure,
  subscriptions,
] as const;
