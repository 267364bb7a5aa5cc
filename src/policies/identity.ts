import { lockAccount, startEmailVerification } from '../domain/identity/account/index.ts';
import type { CodeOrder } from './mails/code.ts';
import type { MailOrder } from './mails/index.ts';
import { issue, type Job, job, policy } from './policy.ts';

/** The job that sends a mail. */
const mail = (order: MailOrder): Job => job('send-mail', order);

/** Begins to verify the address of a new account, and again whenever its holder asks. */
export const verification = policy('identity-verification', {
  AccountRegistered: ({ data: { accountId } }) => [issue(startEmailVerification, { accountId })],
  EmailVerificationAsked: ({ data: { accountId } }) =>
    accountId === undefined ? [] : [issue(startEmailVerification, { accountId })],
});

/** Locks the account behind an identifier that was locked for too many failures. */
export const lockout = policy('identity-lockout', {
  LoginFailed: ({ data: { accountId, lockedUntil } }) =>
    accountId === undefined || lockedUntil === undefined
      ? []
      : [issue(lockAccount, { accountId, until: lockedUntil, reason: 'failed_logins' })],
});

type Moment = { readonly data: { readonly accountId: string; readonly at: string } };
const passwordChanged = ({ data: { accountId, at } }: Moment): readonly Job[] => [
  mail({ template: 'password-changed', accountId, at }),
];

/** Sends the mails of identity. */
export const mails = policy('identity-mails', {
  EmailVerificationRequested: ({ data }) => [mail({ template: 'email-verification', ...data })],
  AccountLocked: ({ data }) => [mail({ template: 'account-locked', ...data })],
  PasswordResetRequested: ({ data }) => [mail({ template: 'password-reset', ...data })],
  PasswordResetCompleted: passwordChanged,
  PasswordChanged: passwordChanged,
  EmailChangeRequested: ({ data: { accountId, requestId, expiresAt }, recordedAt }) => [
    mail({ template: 'email-change', accountId, requestId, expiresAt }),
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
    if (channel === 'email') return [job('send-code', { ...of, channel } satisfies CodeOrder)];
    return phoneNumberId === undefined ? [] : [job('send-code', { ...of, channel, phoneNumberId } satisfies CodeOrder)];
  },
});

/** Milliseconds after which no mail that was begun before an erasure is still on its way. */
const MAIL_TIME = 10 * 60_000;

/** Forgets the messages kept for an erased account, and once more those that were on their way. */
export const messages = policy('identity-messages', {
  AccountErased: ({ data: { accountId }, recordedAt }) => [
    job('forget-messages', { accountId }),
    job('forget-messages', { accountId }, new Date(Date.parse(recordedAt) + MAIL_TIME)),
  ],
});

/** Every policy of identity. */
export const identityPolicies = [verification, lockout, mails, codes, messages] as const;
