import { z } from 'zod';
import type { Account } from '../../domain/identity/account/index.ts';
import * as accounts from '../../domain/identity/account/index.ts';
import { bind, type Outcome, type Run } from '../binding.ts';
import { latest } from '../outcomes.ts';
import type { Reads } from '../reads.ts';
import { clearFailures } from './clearing.ts';
import { endEach, othersOf } from './sessionEnding.ts';

const Lock = z.object({ status: z.enum(['active', 'locked', 'deactivated']), lockedUntil: z.string().nullable() });

type Locking = z.output<typeof accounts.lockAccount.input>;

/**
 * Whether the failures have locked the account until that instant before. The policy that does so after a crash comes
 * along behind every log-in that locks, and by then somebody may have ended the lock.
 */
const isTold = async ({ accountId, until }: Locking, reads: Reads): Promise<boolean> =>
  (await reads.history(accounts.account, accountId)).some(
    ({ type, data }) => type === 'AccountLocked' && data.reason === 'failed_logins' && data.until === until,
  );

const locked = async (run: Run<Locking, accounts.LockFacts | undefined>): Promise<Outcome> => {
  const { input, actor, reads } = run;
  const { accountId, reason } = input;
  if (reason === 'failed_logins')
    return run.judge(input, { told: actor.kind === 'system' && (await isTold(input, reads)) });
  const sessionIds = await othersOf(run, accountId, undefined);
  const outcome = await run.judge();
  return latest(outcome, ...(outcome.ok ? await endEach(run, sessionIds, { by: reason }) : []));
};

/** How accounts are locked and unlocked. */
export const lockingBindings = [
  bind(accounts.lockAccount, {
    path: 'POST /users/:accountId/lock',
    access: '*:*',
    stream: ({ accountId }) => accountId,
    process: locked,
    answer: {
      schema: Lock,
      of: ({ state }: { state: Account }) => ({ status: 'locked' as const, lockedUntil: state.lockedUntil ?? null }),
    },
    summary: 'Locks an account until an instant and ends its login sessions',
    example: { accountId: '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01', until: '2030-03-01T09:30:00.000Z', reason: 'admin' },
  }),
  bind(accounts.unlockAccount, {
    path: 'POST /users/:accountId/unlock',
    access: '*:*',
    stream: ({ accountId }) => accountId,
    process: async (run) => {
      const outcome = await run.judge();
      if (outcome.ok && run.actor.kind !== 'system') await clearFailures(run, run.input.accountId);
      return outcome;
    },
    answer: {
      schema: Lock,
      of: ({ state }: { state: Account }) => ({
        status: state.status === 'deactivated' ? ('deactivated' as const) : ('active' as const),
        lockedUntil: null,
      }),
    },
    summary: 'Ends the lock of an account',
    example: { accountId: '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01' },
  }),
];
