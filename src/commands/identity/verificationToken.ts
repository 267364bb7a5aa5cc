import { timingSafeEqual } from 'node:crypto';
import type { KeyedHash } from '../binding.ts';

/** Which request of which account a verification token belongs to. */
export type Verification = { readonly accountId: string; readonly requestId: string };

const PURPOSE = 'email-verification';
const bare = (uuid: string): string => uuid.replaceAll('-', '');
const dashed = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');

/**
 * The token of a verification mail: both ids, authenticated with the service's key. The mail can be written again from
 * the log, and still nobody who reads the log can make one.
 */
export const verificationToken = (hash: KeyedHash, { accountId, requestId }: Verification): string =>
  `${bare(accountId)}${bare(requestId)}${hash(PURPOSE, `${accountId}/${requestId}`)}`;

/** What an authentic token names; undefined for any other text. */
export const readVerificationToken = (hash: KeyedHash, token: string): Verification | undefined => {
  if (!/^[0-9a-f]{128}$/.test(token)) return undefined;
  const named = { accountId: dashed(token.slice(0, 32)), requestId: dashed(token.slice(32, 64)) };
  return timingSafeEqual(Buffer.from(token), Buffer.from(verificationToken(hash, named))) ? named : undefined;
};
