import { rehashPassword } from '../../domain/identity/account/index.ts';
import type { Run } from '../binding.ts';
import { HashingBusy } from '../passwordThreads.ts';

/**
 * After a right password: hashes it anew where its hash has another cost than passwords are hashed with now, unless too
 * many wait for that already; the next log-in does it then. A change of the password that comes in between stands: `at`
 * is the revision of the event that has the hash.
 */
export const upgradePassword = async (
  { reads, step }: Pick<Run<unknown>, 'reads' | 'step'>,
  accountId: string,
  clear: string,
  { hash, at: against }: { readonly hash: string; readonly at: number },
): Promise<void> => {
  if (reads.passwords.current(hash)) return;
  try {
    await step(rehashPassword, accountId, { accountId }, { against, passwordHash: await reads.passwords.hash(clear) });
  } catch (error) {
    if (!(error instanceof HashingBusy)) throw error;
  }
};
