import { abandonRegistration, account } from '../../domain/identity/account/index.ts';
import { claimEmail, emailClaim } from '../../domain/identity/emailClaim.ts';
import type { KeyedHash, Outcome, Reads, Step } from '../binding.ts';

/** The id of the reservation of an address. */
export const emailHash = (hash: KeyedHash, email: string): string => hash('email', email);

/** Milliseconds that a reservation is left alone while its account has not come about. */
const REGISTRATION_TIME = 10_000;

/**
 * Reserves an address for an account that is about to be opened. An owner who never came to exist, because the process
 * died on the way, is ruled out for good first: so there can never be two.
 */
export const reserveEmail = async (
  { reads, step }: { readonly reads: Reads; readonly step: Step },
  email: string,
  accountId: string,
): Promise<Outcome> => {
  const id = emailHash(reads.hash, email);
  const outcome = await step(claimEmail, id, { accountId });
  if (outcome.ok) return outcome;
  const { owner, claimedAt } = (await reads.load(emailClaim, id)).state;
  if (owner === undefined || claimedAt === undefined) return outcome;
  const underWay = reads.now().getTime() - Date.parse(claimedAt) < REGISTRATION_TIME;
  if (underWay || (await reads.load(account, owner)).state.status === 'active') return outcome;
  const ruledOut = await step(abandonRegistration, owner, { accountId: owner });
  return ruledOut.ok ? step(claimEmail, id, { accountId, insteadOf: owner }) : outcome;
};
