import { type Account, account } from '../../domain/identity/account/index.ts';
import type { Reads } from '../binding.ts';

/** The account as the log knows it now, whichever process changed it last. */
export const newestAccount = async (reads: Pick<Reads, 'history'>, accountId: string): Promise<Account> =>
  (await reads.history(account, accountId)).reduce(account.evolve, account.initial);

/** Whether the account is neither deactivated nor erased, as the log says now. */
export const isOpen = async (reads: Pick<Reads, 'history'>, accountId: string): Promise<boolean> =>
  (await newestAccount(reads, accountId)).status === 'active';
