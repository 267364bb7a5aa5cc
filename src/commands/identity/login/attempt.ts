import { account, lockAccount } from '../../../domain/identity/account/index.ts';
import { type FAILURES, lockOf, loginAttempts, recordFailedLogin } from '../../../domain/identity/loginAttempts.ts';
import type { Refused, Run } from '../../binding.ts';
import { refused } from '../../outcomes.ts';
import { addressHash } from '../suspicion.ts';

/** What is needed to count an attempt. */
export type Attempting = Pick<Run<unknown>, 'reads' | 'step' | 'origin'>;

/** The refusal while the identifier, or the account behind it, is locked: whatever the secret. */
export const refuseWhileLocked = async (
  { reads }: Pick<Attempting, 'reads'>,
  identifierHash: string,
  accountId: string | undefined,
): Promise<Refused | undefined> => {
  const attempts = (await reads.load(loginAttempts, identifierHash)).state;
  const closed = accountId === undefined ? undefined : (await reads.load(account, accountId)).state.lockedUntil;
  for (const until of [attempts.lockedUntil, closed]) {
    const lock = lockOf(until, reads.now());
    if (lock !== undefined) return refused(lock);
  }
  return undefined;
};

/**
 * Counts a failure and says how it is answered: the fifth in a row as locked, the others as `otherwise`. The fifth locks
 * the account behind the identifier as well, before it is answered; a policy does so should a crash come in between.
 */
export const countFailure = async (
  run: Attempting,
  failure: {
    readonly identifierHash: string;
    readonly accountId?: string | undefined;
    readonly reason: (typeof FAILURES)[number];
  },
  otherwise: Refused,
): Promise<Refused> => {
  const { accountId, ...rest } = failure;
  const ipHash = addressHash(run.reads.hash, run.origin.ip);
  const input = { ...rest, ...(accountId === undefined ? {} : { accountId }), ...run.origin, ipHash };
  const counted = await run.step(recordFailedLogin, failure.identifierHash, input);
  if (!counted.ok) return counted;
  const { lockedUntil: until } = (await run.reads.load(loginAttempts, failure.identifierHash)).state;
  const lock = lockOf(until, run.reads.now());
  if (lock === undefined) return { ...otherwise, recorded: true };
  if (accountId !== undefined) await run.step(lockAccount, accountId, { accountId, until, reason: 'failed_logins' });
  return { ...refused(lock), recorded: true };
};
