import { ERASED } from '../../domain/decider.ts';
import { account } from '../../domain/identity/account/index.ts';
import { emailClaim, releaseEmail } from '../../domain/identity/emailClaim.ts';
import { releasePhoneNumber, verifiedPhone } from '../../domain/identity/verifiedPhone.ts';
import type { Outcome, Reads, Run } from '../binding.ts';
import { emailHash, lapsedClaim } from './emailAddress.ts';
import { type Identifier, identifierHash, numberHash } from './login/identifier.ts';
import { lapsedNumber } from './phones.ts';

/**
 * The subjects under whose keys the failed log-ins of a person are sealed: hashes of what the person was called by, as
 * long as it is nobody else's by now. Empty once the person's own key is destroyed, which therefore goes last.
 */
export const identifierKeys = async (reads: Reads, accountId: string): Promise<readonly string[]> => {
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
  const own: string[] = [];
  for (const identifier of identifiers.values()) {
    const { owner } = (await ownerOf(identifier)).state;
    if (owner === undefined || owner === accountId) own.push(identifierHash(hash, identifier));
  }
  return own;
};

/** Everything that an account ever reserved, by the names of the reservations, which are no personal data. */
const reservationsOf = async (reads: Reads, accountId: string) => {
  const emails = new Set<string>();
  const numbers = new Set<string>();
  for (const { type, data } of await reads.history(account, accountId)) {
    if (type === 'AccountRegistered') emails.add(data.emailHash);
    if (type === 'EmailChangeRequested') emails.add(data.newEmailHash);
    if (type === 'EmailChanged') emails.add(data.emailHash);
    if (type === 'PhoneNumberAdded') numbers.add(data.numberHash);
  }
  return { emails, numbers };
};

/**
 * Destroys the keys of an erased person, and gives back what the account had reserved. What was done is not done again,
 * so that it can be repeated after a crash.
 */
export const eraseTraces = async (
  { reads, step, destroyKey }: Pick<Run<unknown>, 'reads' | 'step' | 'destroyKey'>,
  accountId: string,
  identifierKeys: readonly string[],
): Promise<readonly Outcome[]> => {
  for (const key of identifierKeys) await destroyKey(key);
  await destroyKey(accountId);
  const { emails, numbers } = await reservationsOf(reads, accountId);
  const released: Outcome[] = [];
  for (const emailHash of emails) {
    const lapsed = await lapsedClaim(reads, emailHash, accountId);
    released.push(await step(releaseEmail, emailHash, { accountId, emailHash }, { lapsed }));
  }
  for (const numberHash of numbers) {
    const lapsed = await lapsedNumber(reads, numberHash, accountId);
    released.push(await step(releasePhoneNumber, numberHash, { accountId, numberHash }, { lapsed }));
  }
  return released;
};
