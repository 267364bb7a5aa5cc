import { noteDevice } from '../../domain/identity/knownDevices.ts';
import { flagSuspiciousActivity, isCrowd } from '../../domain/identity/suspicion.ts';
import { uuid5 } from '../../uuid.ts';
import { internal } from '../binding.ts';
import type { KeyedHash } from '../reads.ts';

/** Namespace of the ids of suspicions. */
const SUSPICION = '0d1d6a3c-5d0a-5b6f-8f0e-7f2a4c1b9e63';

/** What an address is known by where it must not be read. */
export const addressHash = (hash: KeyedHash, ip: string): string => hash('address', ip);

type About = { readonly accountId?: string | undefined; readonly ip: string | null };

/** Whom a suspicion is about: the account, or where it concerns many the address. */
const subjectOf = ({ accountId, ip }: About, hash: KeyedHash): string => accountId ?? addressHash(hash, ip ?? '');

/** What the service notices by itself. */
export const suspicionBindings = [
  internal(
    flagSuspiciousActivity,
    (input, { hash }) =>
      uuid5(JSON.stringify([input.pattern, subjectOf(input, hash), input.at.slice(0, 13)]), SUSPICION),
    {
      facts: async (input, { hash, lookups }) => ({
        signs: isCrowd(input.pattern) ? await lookups.signsOf(input.pattern, subjectOf(input, hash)) : [],
      }),
    },
  ),
  internal(noteDevice, ({ accountId }) => accountId, {
    facts: async ({ accountId, device }, { hash }) => ({ deviceHash: hash('device', `${accountId}/${device}`) }),
  }),
];
