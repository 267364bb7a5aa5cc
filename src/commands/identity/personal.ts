import { account } from '../../domain/identity/account/index.ts';
import type { Reads } from '../reads.ts';

/** The address of an account, in the clear: only the log holds it, sealed under the person's key. */
export const emailOf = async (reads: Reads, accountId: string): Promise<string> => {
  const history = await reads.history(account, accountId);
  const latest = history.findLast(({ type }) => type === 'EmailChanged' || type === 'AccountRegistered');
  return latest?.type === 'EmailChanged' || latest?.type === 'AccountRegistered' ? latest.data.email : '';
};
