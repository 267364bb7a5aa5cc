import { z } from 'zod';
import { HOUR_MS } from '../../durations.ts';
import { line, uuid } from '../../fields.ts';
import { type ChangeOfAddress, confirmChange } from './emailChange.ts';
import { tokenInvalid } from './refusals.ts';
import { command } from './state.ts';

/** Milliseconds that the token of a verification mail lives. */
export const VERIFICATION_LIFE = 24 * HOUR_MS;

/**
 * Begins a verification of the address; the tokens of earlier ones are void. Verified accounts need none, nor does an
 * address (`emailHash`) that is not the account's.
 */
export const startEmailVerification = command(
  'StartEmailVerification',
  z.object({ accountId: uuid, emailHash: line(1, 64).optional() }),
  ({ accountId, emailHash }, state, { newId, now }) => {
    if (state.status !== 'active' || state.emailVerified) return [];
    if (emailHash !== undefined && emailHash !== state.emailHash) return [];
    const expiresAt = new Date(now.getTime() + VERIFICATION_LIFE).toISOString();
    return [{ type: 'EmailVerificationRequested', data: { accountId, requestId: newId('verification'), expiresAt } }];
  },
);

/** What VerifyEmail must know: which account and request an authentic token names, and which address takes the place of which. */
export type VerificationFacts = {
  readonly accountId: string;
  readonly requestId: string;
  /** The token confirms another address. */
  readonly change?: ChangeOfAddress;
};

/** Verifies the address with the token of the latest mail, once; or makes another address the account's. */
export const verifyEmail = command(
  'VerifyEmail',
  z.object({ token: line(1, 200) }),
  (_input, state, { facts, now }: { facts: VerificationFacts; now: Date }) => {
    const { accountId, requestId, change } = facts;
    if (change !== undefined) return confirmChange(state, { accountId, requestId, change }, now) ?? tokenInvalid();
    const { status, verification } = state;
    if (
      status !== 'active' ||
      verification?.requestId !== requestId ||
      Date.parse(verification.expiresAt) <= now.getTime()
    )
      return tokenInvalid();
    return [{ type: 'EmailVerified', data: { accountId, at: now.toISOString() } }];
  },
);
