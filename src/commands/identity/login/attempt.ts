import { account, lockAccount } from '../../../domain/identity/account/index.ts';
import { type FAILURES, lockOf, loginAttempts, recordFailedLogin } from '../../../domain/identity/loginAttempts.ts';
import type { Outcome, Refused, Run } from '../../binding.ts';
import { refused } from '../../outcomes.ts';
import { addressHash } from '../suspicion.ts';

/** What is needed to count an attempt. */
export type Attempting = Pick<Run<unknown>, 'reads' | 'step' | 'origin'>;

/** An attempt that came to nothing: at which identifier, on whose account if anybody's, and why. */
type Failure = {
  readonly identifierHash: string;
  readonly accountId?: string | undefined;
  readonly reason: (typeof FAILURES)[number];
};

const note = ({ reads, step, origin }: Attempting, { accountId, ...rest }: Failure): Promise<Outcome> => {
  const ipHash = addressHash(reads.hash, origin.ip);
  const whose = accountId === undefined ? {} : { accountId };
  return step(recordFailedLogin, rest.identifierHash, { ...rest, ...whose, ...origin, ipHash });
};

/** The refusal while the identifier, or the account behind it, is locked: whatever the secret. The attempt is noted. */
export const refuseWhileLocked = async (
  run: Attempting,
  identifierHash: string,
  accountId: string | undefined,
): Promise<Refused | undefined> => {
  const { reads } = run;
  const attempts = (await reads.load(loginAttempts, identifierHash)).state;
  const closed = accountId === undefined ? undefined : (await reads.load(account, accountId)).state.lockedUntil;
  const now = reads.now();
  const lock = lockOf(attempts.lockedUntil, now) ?? lockOf(closed, now);
  if (lock === undefined) return undefined;
  const noted = await note(run, { identifierHash, accountId, reason: 'locked' });
  return { ...refused(lock), ...(noted.ok ? { recorded: true } : {}) };
};

/**
 * Counts a failure and says how it is answered: the fifth in a row as locked, the others as `otherwise`. The fifth locks
 * the account behind the identifier as well, before it is answered; a policy does so should a crash come in between.
 */
export const countFailure = async (run: Attempting, failure: Failure, otherwise: Refused): Promise<Refused> => {
  const { identifierHash, accountId } = failure;
  const counted = await note(run, failure);
  if (!counted.ok) return counted;
  const { lockedUntil: until } = (await run.reads.load(loginAttempts, identifierHash)).state;
  const lock = lockOf(until, run.reads.now());
  if (lock === undefined) return { ...otherwise, recorded: true };
  if (accountId !== undefined) await run.step(lockAccount, accountId, { accountId, until, reason: 'failed_logins' });
  return { ...refused(lock), recorded: true };
};
