import { ERASED } from '../../domain/decider.ts';
import { type Account, account } from '../../domain/identity/account/index.ts';
import type { Reads } from '../reads.ts';

/**
 * The hash of the password of an account, from the one event of the log that has it, sealed under the key of the person;
 * undefined without a password, and once the key is destroyed.
 */
export const passwordHashOf = async (
  reads: Pick<Reads, 'opened'>,
  accountId: string,
  { passwordAt }: Pick<Account, 'passwordAt'>,
): Promise<string | undefined> => {
  const event = passwordAt === undefined ? undefined : await reads.opened(account, accountId, passwordAt);
  const hash = event !== undefined && 'passwordHash' in event.data ? event.data.passwordHash : undefined;
  return hash === ERASED ? undefined : hash;
};

/** Whether it is the password of the account. Without one: no, after the same time as with one. */
export const isPassword = async (
  reads: Pick<Reads, 'load' | 'opened' | 'passwords'>,
  accountId: string,
  clear: string,
): Promise<boolean> => {
  const { state } = await reads.load(account, accountId);
  return reads.passwords.verify(clear, await passwordHashOf(reads, accountId, state));
};
