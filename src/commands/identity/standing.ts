import { type Account, account } from '../../domain/identity/account/index.ts';
import { newest, type Reads } from '../reads.ts';

/** The account as the log knows it now, whichever process changed it last. */
export const newestAccount = (reads: Pick<Reads, 'history'>, accountId: string): Promise<Account> =>
  newest(reads, account, accountId);

/** Whether the account is neither deactivated nor erased, as the log says now. */
export const isOpen = async (reads: Pick<Reads, 'history'>, accountId: string): Promise<boolean> =>
  (await newestAccount(reads, accountId)).status === 'active';
