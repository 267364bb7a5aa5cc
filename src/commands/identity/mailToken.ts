import { dashed } from '../../uuid.ts';
import { isSecret } from '../keyedHash.ts';
import type { KeyedHash } from '../reads.ts';

/** What a token allows: a token made for one purpose is unknown to every other. */
export type MailPurpose = 'email-verification' | 'email-change' | 'password-reset';

/** Which request of which account a token belongs to. */
export type Requested = { readonly accountId: string; readonly requestId: string };

const bare = (uuid: string): string => uuid.replaceAll('-', '');

/**
 * The token of a mail: both ids, authenticated with the service's key. The mail can be written again from the log, and
 * still nobody who reads the log can make one.
 */
export const mailToken = (hash: KeyedHash, purpose: MailPurpose, { accountId, requestId }: Requested): string =>
  `${bare(accountId)}${bare(requestId)}${hash(purpose, `${accountId}/${requestId}`)}`;

/** What an authentic token of that purpose names; undefined for any other text. */
export const readMailToken = (hash: KeyedHash, purpose: MailPurpose, token: string): Requested | undefined => {
  if (!/^[0-9a-f]{128}$/.test(token)) return undefined;
  const named = { accountId: dashed(token.slice(0, 32)), requestId: dashed(token.slice(32, 64)) };
  return isSecret(token, mailToken(hash, purpose, named)) ? named : undefined;
};
