import type { AccountEvent } from '../../../../src/domain/identity/account/index.ts';
import { id, now } from '../../../support/spec.ts';

/** The account that specifications are about, and its holder. */
export const accountId = id('ada');
export const at = now.toISOString();

/** An instant so many minutes after the beginning. */
export const minutes = (count: number): Date => new Date(now.getTime() + count * 60_000);

export const registered: AccountEvent = {
  type: 'AccountRegistered',
  data: {
    accountId,
    email: 'ada@example.org',
    emailHash: 'hash of the address',
    displayName: 'Ada',
    passwordHash: 'hash of the password',
    timezone: 'UTC',
    language: 'en',
    createdFrom: 'api',
    plan: 'free',
    method: 'password',
    termsAcceptedAt: at,
  },
};
export const verified: AccountEvent = { type: 'EmailVerified', data: { accountId, at } };
export const abandoned: AccountEvent = { type: 'RegistrationAbandoned', data: { accountId } };
export const deactivated: AccountEvent = { type: 'AccountDeactivated', data: { accountId, by: 'admin', at } };
export const erased: AccountEvent = {
  type: 'AccountErased',
  data: { accountId, by: 'admin', emailHash: 'hash of the address', at },
};
export const locked = (until: Date): AccountEvent => ({
  type: 'AccountLocked',
  data: { accountId, until: until.toISOString(), reason: 'admin' },
});
