import { abandonRegistration, holdsEmail } from '../../domain/identity/account/index.ts';
import { claimEmail, emailClaim } from '../../domain/identity/emailClaim.ts';
import type { Outcome, Step } from '../binding.ts';
import type { KeyedHash, Reads } from '../reads.ts';
import { newestAccount } from './standing.ts';

/** The id of the reservation of an address. */
export const emailHash = (hash: KeyedHash, email: string): string => hash('email', email);

/** Milliseconds that a reservation is left alone while its account has not come about, or not taken the address. */
const REGISTRATION_TIME = 10_000;

/**
 * Reserves an address for an account that is about to be opened or to change to it. An owner who never came to exist,
 * because the process died on the way, is ruled out for good first; one who holds the address no longer is passed over:
 * so there can never be two. `anew`: for an account that exists, whose reservation counts from now on.
 */
export const reserveEmail = async (
  { reads, step }: { readonly reads: Reads; readonly step: Step },
  email: string,
  accountId: string,
  { anew = false }: { readonly anew?: boolean } = {},
): Promise<Outcome> => {
  const id = emailHash(reads.hash, email);
  const outcome = await step(claimEmail, id, { accountId, anew });
  if (outcome.ok) return outcome;
  const { owner, claimedAt } = (await reads.load(emailClaim, id)).state;
  if (owner === undefined || claimedAt === undefined) return outcome;
  const now = reads.now();
  if (now.getTime() - Date.parse(claimedAt) < REGISTRATION_TIME) return outcome;
  const holder = await newestAccount(reads, owner);
  if (holdsEmail(holder, id, now)) return outcome;
  if (holder.status === 'none') {
    const ruledOut = await step(abandonRegistration, owner, { accountId: owner });
    if (!ruledOut.ok) return outcome;
  }
  return step(claimEmail, id, { accountId, anew, insteadOf: owner, since: claimedAt });
};

/** The reservation of an address that an account no longer needs, by its instant; undefined while it does. */
export const lapsedClaim = async (reads: Reads, emailHash: string, accountId: string): Promise<string | undefined> => {
  const { claimedAt } = (await reads.load(emailClaim, emailHash)).state;
  return holdsEmail(await newestAccount(reads, accountId), emailHash, reads.now()) ? undefined : claimedAt;
};
