import { generateSecret, generateURI, verify } from 'otplib';
import { account } from '../../domain/identity/account/index.ts';
import type { Run } from '../binding.ts';
import type { Reads } from '../reads.ts';

/** A fresh secret for an app that makes codes: 160 random bits in base32. */
export const newTotpSecret = (): string => generateSecret({ length: 20 });

/** The address that an app reads from the QR code. */
export const totpAddress = (secret: string, email: string): string =>
  generateURI({ issuer: 'Convene', label: email, secret });

/** Seconds of a step, and how far a clock may be off: one step either way (RFC 6238, 5.2). */
const TOLERANCE = 30;

/** The time step of the code, if it is right now; undefined when it is wrong. */
export const totpStepOf = async (secret: string, code: string, now: Date): Promise<number | undefined> => {
  const epoch = Math.floor(now.getTime() / 1000);
  const result = await verify({ strategy: 'totp', secret, token: code, epoch, epochTolerance: TOLERANCE });
  return result.valid && 'timeStep' in result ? result.timeStep : undefined;
};

/** The secret offered last, in the clear: only the log holds it, sealed under a key of its own. */
export const totpSecretOf = async (reads: Reads, accountId: string): Promise<string | undefined> => {
  const history = await reads.history(account, accountId);
  const offered = history.findLast(({ type }) => type === 'MfaSetupStarted');
  return offered?.type === 'MfaSetupStarted' ? offered.data.secret : undefined;
};

/**
 * Destroys the keys of secrets that count no more: of offers that another one followed, and of a factor that was turned off.
 * Should a crash come in between, the next of these does so, or the erasure of the account.
 */
export const forgetSecrets = async (
  { reads, destroyKey }: Pick<Run<unknown>, 'reads' | 'destroyKey'>,
  accountId: string,
): Promise<void> => {
  const history = await reads.history(account, accountId);
  const counts = history.findLastIndex(({ type }) => type === 'MfaSetupStarted');
  const ended = history.findLastIndex(({ type }) => type === 'MfaDisabled' || type === 'UnprovedAccessDropped');
  for (const [index, { type, data }] of history.entries())
    if (type === 'MfaSetupStarted' && (index < counts || index < ended)) await destroyKey(data.secretKey);
};
