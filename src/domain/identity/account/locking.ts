import { z } from 'zod';
import { reject } from '../../decider.ts';
import { uuid } from '../../fields.ts';
import { events } from './events.ts';
import { command } from './state.ts';

/** Closes the account's log-in until an instant. A lock that lasts as long already stays as it is. */
export const lockAccount = command('LockAccount', events.AccountLocked, (data, { status, lockedUntil }) => {
  if (status !== 'active') return reject('NOT_FOUND', 'account-unknown', 'There is no such account');
  if (lockedUntil !== undefined && lockedUntil >= data.until) return [];
  return [{ type: 'AccountLocked', data }];
});

/**
 * Ends the login sessions of an account, all or all but one. Adds nothing to the account itself: each session ends in its
 * own stream.
 */
export const revokeAllLoginSessions = command(
  'RevokeAllLoginSessions',
  z.object({ exceptSessionId: uuid.optional() }),
  (_input, { status }) =>
    status === 'active' ? [] : reject('NOT_FOUND', 'account-unknown', 'There is no such account'),
);
