import { ERASED } from '../../domain/decider.ts';
import { account } from '../../domain/identity/account/index.ts';
import { emailClaim, releaseEmail } from '../../domain/identity/emailClaim.ts';
import { oauthIdentity } from '../../domain/identity/oauthIdentity.ts';
import { releasePhoneNumber, verifiedPhone } from '../../domain/identity/verifiedPhone.ts';
import type { Outcome, Run } from '../binding.ts';
import { revokeAll } from '../messaging/ending.ts';
import type { Reads } from '../reads.ts';
import { emailHash, lapsedClaim } from './emailAddress.ts';
import { type Identifier, identifierHash, numberHash } from './login/identifier.ts';
import { giveBackIdentity } from './oauth/reservation.ts';
import { identityAttempts } from './oauth/secrets.ts';
import { lapsedNumber } from './phones.ts';

/** Everything that an account ever reserved, by the names of the reservations, which are no personal data. */
const reservationsOf = async (reads: Reads, accountId: string) => {
  const emails = new Set<string>();
  const numbers = new Set<string>();
  const identities = new Set<string>();
  for (const { type, data } of await reads.history(account, accountId)) {
    if (type === 'AccountRegistered') emails.add(data.emailHash);
    if (type === 'EmailChangeRequested') emails.add(data.newEmailHash);
    if (type === 'EmailChanged') emails.add(data.emailHash);
    if (type === 'PhoneNumberAdded') numbers.add(data.numberHash);
    if (type === 'OAuthIdentityLinked') identities.add(data.subjectHash);
  }
  return { emails, numbers, identities };
};

/**
 * The subjects under whose keys the failed log-ins of a person are sealed: hashes of what the person was called by, as
 * long as it is nobody else's by now. Nobody can tell them any more once the account is erased.
 */
export const identifiersOf = async (reads: Reads, accountId: string): Promise<readonly string[]> => {
  const { hash } = reads;
  const identifiers = new Map<string, Identifier>();
  const remember = (kind: Identifier['kind'], value: string): void => {
    if (value !== ERASED) identifiers.set(`${kind}/${value}`, { kind, value });
  };
  for (const { type, data } of await reads.history(account, accountId)) {
    if (type === 'AccountRegistered') remember('email', data.email);
    if (type === 'EmailChanged') for (const value of [data.oldEmail, data.email]) remember('email', value);
    if (type === 'PhoneNumberAdded') remember('phoneNumber', data.number);
  }
  const ownerOf = ({ kind, value }: Identifier) =>
    kind === 'email'
      ? reads.load(emailClaim, emailHash(hash, value))
      : reads.load(verifiedPhone, numberHash(hash, value));
  const mine = (owner: string | undefined): boolean => owner === undefined || owner === accountId;
  const own: string[] = [];
  for (const subject of (await reservationsOf(reads, accountId)).identities)
    if (mine((await reads.load(oauthIdentity, subject)).state.owner)) own.push(identityAttempts(hash, subject));
  for (const identifier of identifiers.values()) {
    const { owner } = (await ownerOf(identifier)).state;
    if (mine(owner)) own.push(identifierHash(hash, identifier));
  }
  return own;
};

/**
 * Destroys the keys of an erased person, and gives back what the account had reserved. What was done is not done again,
 * so that it can be repeated after a crash.
 */
export const eraseTraces = async (
  { reads, step, destroyKey }: Pick<Run<unknown>, 'reads' | 'step' | 'destroyKey'>,
  accountId: string,
): Promise<readonly Outcome[]> => {
  const history = await reads.history(account, accountId);
  for (const { type, data } of history) if (type === 'MfaSetupStarted') await destroyKey(data.secretKey);
  const erasure = history.find(({ type }) => type === 'AccountErased');
  if (erasure?.type === 'AccountErased')
    for (const subject of [...(erasure.data.identifierHashes ?? []), accountId]) await destroyKey(subject);
  const { emails, numbers, identities } = await reservationsOf(reads, accountId);
  const released: Outcome[] = [...(await revokeAll({ reads, step, destroyKey }, accountId, 'erasure'))];
  for (const emailHash of emails) {
    const lapsed = await lapsedClaim(reads, emailHash, accountId);
    released.push(await step(releaseEmail, emailHash, { accountId, emailHash }, { lapsed }));
  }
  for (const numberHash of numbers) {
    const lapsed = await lapsedNumber(reads, numberHash, accountId);
    released.push(await step(releasePhoneNumber, numberHash, { accountId, numberHash }, { lapsed }));
  }
  for (const subjectHash of identities) await giveBackIdentity({ reads, step }, subjectHash, accountId);
  return released;
};
