import { account } from '../../domain/identity/account/index.ts';
import { clearLoginFailures } from '../../domain/identity/loginAttempts.ts';
import type { Run } from '../binding.ts';
import { type Identifier, identifierHash } from './login/identifier.ts';
import { identityAttempts } from './oauth/secrets.ts';

/** Forgets the failures of the address, the numbers and the identities of an account, so that it can be logged in to again. */
export const clearFailures = async (
  { reads, step }: Pick<Run<unknown>, 'reads' | 'step'>,
  accountId: string,
): Promise<void> => {
  let address = '';
  const numbers = new Map<string, string>();
  for (const { type, data } of await reads.history(account, accountId)) {
    if (type === 'AccountRegistered' || type === 'EmailChanged') address = data.email;
    if (type === 'PhoneNumberAdded') numbers.set(data.phoneNumberId, data.number);
    if (type === 'PhoneNumberRemoved') numbers.delete(data.phoneNumberId);
  }
  const identifiers: readonly Identifier[] = [
    { kind: 'email', value: address },
    ...[...numbers.values()].map((value) => ({ kind: 'phoneNumber' as const, value })),
  ];
  const { identities } = (await reads.load(account, accountId)).state;
  const ids = [
    ...identifiers.map((identifier) => identifierHash(reads.hash, identifier)),
    ...Object.values(identities).map((subjectHash) => identityAttempts(reads.hash, subjectHash)),
  ];
  for (const id of ids) {
    await step(clearLoginFailures, id, { identifierHash: id, accountId });
  }
};
