import { account } from '../../../domain/identity/account/index.ts';
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

/** Counts a failure and says how it is answered: the fifth in a row as locked, the others as `otherwise`. */
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
  return { ...((await refuseWhileLocked(run, failure.identifierHash, undefined)) ?? otherwise), recorded: true };
};
