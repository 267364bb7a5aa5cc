import { abandonRegistration, holdsIdentity } from '../../../domain/identity/account/index.ts';
import { claimOAuthIdentity, oauthIdentity, releaseOAuthIdentity } from '../../../domain/identity/oauthIdentity.ts';
import type { Outcome, Run } from '../../binding.ts';
import type { Reads } from '../../reads.ts';
import { newestAccount } from '../standing.ts';

type Needs = Pick<Run<unknown>, 'reads' | 'step'>;

/** Milliseconds that a reservation is left alone while its account has not taken the identity. */
const TAKING_TIME = 10_000;

/**
 * Reserves a person of a provider for an account that is about to take the identity. An owner who has not taken it by
 * then gives way; one who never came to exist is ruled out for good first.
 */
export const reserveIdentity = async (
  { reads, step }: Needs,
  subjectHash: string,
  accountId: string,
): Promise<Outcome> => {
  const outcome = await step(claimOAuthIdentity, subjectHash, { accountId });
  if (outcome.ok) return outcome;
  const { owner, claimedAt } = (await reads.load(oauthIdentity, subjectHash)).state;
  if (owner === undefined || claimedAt === undefined) return outcome;
  if (reads.now().getTime() - Date.parse(claimedAt) < TAKING_TIME) return outcome;
  const holder = await newestAccount(reads, owner);
  if (holdsIdentity(holder, subjectHash)) return outcome;
  if (holder.status === 'none') {
    const ruledOut = await step(abandonRegistration, owner, { accountId: owner });
    if (!ruledOut.ok) return outcome;
  }
  return step(claimOAuthIdentity, subjectHash, { accountId, insteadOf: { accountId: owner, claimedAt } });
};

/** The reservation of an identity that an account no longer needs, by its instant; undefined while it does. */
export const lapsedIdentity = async (
  reads: Reads,
  subjectHash: string,
  accountId: string,
): Promise<string | undefined> => {
  const { claimedAt } = (await reads.load(oauthIdentity, subjectHash)).state;
  return holdsIdentity(await newestAccount(reads, accountId), subjectHash) ? undefined : claimedAt;
};

/** Gives back what was reserved for nothing. */
export const giveBackIdentity = async (
  { reads, step }: Needs,
  subjectHash: string,
  accountId: string,
): Promise<void> => {
  const lapsed = await lapsedIdentity(reads, subjectHash, accountId);
  await step(releaseOAuthIdentity, subjectHash, { accountId, subjectHash }, { lapsed });
};
