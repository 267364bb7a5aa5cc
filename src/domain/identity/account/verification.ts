import { z } from 'zod';
import { reject } from '../../decider.ts';
import { line, uuid } from '../../fields.ts';
import { command } from './state.ts';

/** Milliseconds that the token of a verification mail lives. */
export const VERIFICATION_LIFE = 24 * 3_600_000;

/** Begins a verification of the address; the tokens of earlier ones are void. Verified accounts need none. */
export const startEmailVerification = command(
  'StartEmailVerification',
  z.object({ accountId: uuid }),
  ({ accountId }, { status, emailVerified }, { newId, now }) => {
    if (status !== 'active' || emailVerified) return [];
    const expiresAt = new Date(now.getTime() + VERIFICATION_LIFE).toISOString();
    return [{ type: 'EmailVerificationRequested', data: { accountId, requestId: newId('verification'), expiresAt } }];
  },
);

/** What VerifyEmail must know: which account and request an authentic token names. */
export type VerificationFacts = { readonly accountId: string; readonly requestId: string };

/** Verifies the address with the token of the latest mail, once. */
export const verifyEmail = command(
  'VerifyEmail',
  z.object({ token: line(1, 200) }),
  (_input, { verification }, { facts, now }: { facts: VerificationFacts; now: Date }) => {
    if (verification?.requestId !== facts.requestId || Date.parse(verification.expiresAt) <= now.getTime())
      return reject('VALIDATION_ERROR', 'token-invalid', 'This token is unknown, used or expired', 'token');
    return [{ type: 'EmailVerified', data: { accountId: facts.accountId, at: now.toISOString() } }];
  },
);
