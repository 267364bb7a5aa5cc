import { z } from 'zod';
import { type Actor, reject } from '../../decider.ts';
import { DAY_MS } from '../../durations.ts';
import { instant, uuid } from '../../fields.ts';
import { LOCK_TIME } from '../loginAttempts.ts';
import { accountUnknown } from './refusals.ts';
import { type Account, command } from './state.ts';

/** Milliseconds that an administrator may lock an account for at most. */
const LONGEST_LOCK = 30 * DAY_MS;

const isThere = ({ status }: Account): boolean => status === 'active' || status === 'deactivated';

/** Until when the account is locked; undefined when it is not. */
export const lockedUntil = (state: Account, now: Date): string | undefined =>
  state.lockedUntil !== undefined && Date.parse(state.lockedUntil) > now.getTime() ? state.lockedUntil : undefined;

/** What LockAccount may be told: that the failures have locked the account until that instant before. */
export type LockFacts = { readonly told: boolean };

type Locking = { readonly actor: Actor; readonly now: Date; readonly facts: LockFacts | undefined };

/**
 * Closes the account's log-in until an instant, a quarter of an hour by default. After failures a lock only ever grows
 * longer, and none comes back that was ended. Administrators lock whom they like for thirty days at most, but not themselves.
 */
export const lockAccount = command(
  'LockAccount',
  z.object({
    accountId: uuid,
    until: instant.optional().describe('Within 30 days; 15 minutes from now when omitted'),
    reason: z.enum(['failed_logins', 'admin', 'breach']).default('admin'),
  }),
  ({ accountId, until, reason }, state, { actor, now, facts }: Locking) => {
    const time = now.getTime();
    const end = until ?? new Date(time + LOCK_TIME).toISOString();
    if (actor.kind !== 'system') {
      if (Date.parse(end) <= time) return reject('VALIDATION_ERROR', 'until-past', 'Must lie in the future', 'until');
      if (Date.parse(end) > time + LONGEST_LOCK)
        return reject('VALIDATION_ERROR', 'until-too-far', 'Must lie within 30 days', 'until');
    }
    if (!isThere(state)) return accountUnknown();
    if (accountId === actor.id) return reject('CONFLICT', 'own-account', 'Nobody locks his own account');
    const longEnough = state.lockedUntil !== undefined && state.lockedUntil >= end;
    if (longEnough && (reason === 'failed_logins' || state.lockedUntil === end)) return [];
    if (facts?.told) return [];
    return [{ type: 'AccountLocked', data: { accountId, until: end, reason } }];
  },
);

/** Opens the account's log-in again: by an administrator at any time, by the clock when the lock has run out. */
export const unlockAccount = command(
  'UnlockAccount',
  z.object({ accountId: uuid }),
  ({ accountId }, state, { actor, now }) => {
    if (!isThere(state)) return accountUnknown();
    if (actor.kind === 'system')
      return state.lockedUntil === undefined || lockedUntil(state, now) !== undefined
        ? []
        : [{ type: 'AccountUnlocked', data: { accountId, by: 'timer' } }];
    if (lockedUntil(state, now) === undefined) return reject('CONFLICT', 'not-locked', 'This account is not locked');
    return [{ type: 'AccountUnlocked', data: { accountId, by: 'admin' } }];
  },
);

/**
 * Ends the login sessions of an account, all or all but one. Adds nothing to the account itself: each session ends in its
 * own stream.
 */
export const revokeAllLoginSessions = command(
  'RevokeAllLoginSessions',
  z.object({ exceptSessionId: uuid.optional() }),
  (_input, { status }) => (status === 'active' ? [] : accountUnknown()),
);

/** The same for a reason of the service's own, whatever became of the account. */
export const endLoginSessions = command(
  'EndLoginSessions',
  z.object({
    accountId: uuid,
    exceptSessionId: uuid.optional(),
    before: instant.optional().describe('Sessions that began then or later go on'),
    by: z.enum(['admin', 'password_change', 'deactivation', 'breach']),
  }),
  () => [],
);
