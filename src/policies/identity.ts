import { lockAccount, startEmailVerification } from '../domain/identity/account/index.ts';
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

/** Sends the mails of identity. */
export const mails = policy('identity-mails', {
  EmailVerificationRequested: ({ data: { accountId, requestId, expiresAt } }) => [
    mail({ template: 'email-verification', accountId, requestId, expiresAt }),
  ],
  AccountLocked: ({ data: { accountId, until } }) => [mail({ template: 'account-locked', accountId, until })],
});

/** Every policy of identity. */
export const identityPolicies = [verification, lockout, mails] as const;
