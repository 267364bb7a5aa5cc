import type { KeyedHash } from '../reads.ts';

/** Digits of a one-time code. */
export const OTP_DIGITS = 6;
const CODES = 10n ** BigInt(OTP_DIGITS);

/**
 * The one-time code of a challenge: it follows from the service's key and the id of the challenge, so that the job which
 * sends it works it out again and no event, job or log holds it. Of 2^256 hashes a million codes get shares that differ by
 * less than one in 2^236: no code is likelier than another.
 */
export const otpCode = (hash: KeyedHash, challengeId: string): string =>
  String(BigInt(`0x${hash('otp', challengeId)}`) % CODES).padStart(OTP_DIGITS, '0');
