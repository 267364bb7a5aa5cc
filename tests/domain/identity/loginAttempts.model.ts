import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/loginAttempts.ts';
import {
  clearLoginFailures,
  logIn,
  loginAttempts,
  recordFailedLogin,
  recordLogin,
} from '../../../src/domain/identity/loginAttempts.ts';
import { model, movesIn, named } from '../../support/model.ts';

const MINUTE = 60_000;
const accountId = named('ada');
const from = { identifierHash: 'ada', ip: '203.0.113.7', userAgent: 'curl' };

/** `lockedUntil`: of the latest lock that nothing has come after. */
type World = { inARow: number; lockedUntil: number };
const on = movesIn<World>();

/** One identifier: the fifth failure in a row locks it for 15 minutes; a success, a lock or an unlocking forgets them. */
export const loginAttemptsModel = model({
  decider: loginAttempts,
  commands,
  world: (): World => ({ inARow: 0, lockedUntil: 0 }),
  waits: [1000, 15 * MINUTE - 1, 15 * MINUTE, 1],
  length: 60,
  silent: ['LogIn'],
  moves: {
    fail: on(
      fc.record({
        known: fc.boolean(),
        reason: fc.constantFrom('unknown', 'wrong_secret', 'deactivated', 'wrong_otp', 'wrong_mfa', 'locked'),
      }),
      ({ known, reason }, world, { now }) => ({
        command: recordFailedLogin,
        input: { ...from, reason, ...(known ? { accountId } : {}) },
        expect: () => {
          // Noted by whoever found the account locked, whatever the identifier is.
          if (reason === 'locked') return [{ type: 'LoginFailed', data: { consecutiveFailures: world.inARow } }];
          if (now.getTime() < world.lockedUntil) return 'locked';
          const consecutiveFailures = world.inARow + 1;
          world.inARow = consecutiveFailures === 5 ? 0 : consecutiveFailures;
          world.lockedUntil = consecutiveFailures === 5 ? now.getTime() + 15 * MINUTE : 0;
          const lockedUntil = consecutiveFailures === 5 ? new Date(world.lockedUntil).toISOString() : undefined;
          return [{ type: 'LoginFailed', data: { consecutiveFailures, lockedUntil } }];
        },
      }),
      4,
    ),
    succeed: on(fc.constant(undefined), (_none, world, { now, newId }) => ({
      command: recordLogin,
      input: { ...from, accountId, sessionId: newId('session'), method: 'password' },
      expect: () => {
        if (now.getTime() < world.lockedUntil) return 'locked';
        Object.assign(world, { inARow: 0, lockedUntil: 0 });
        return ['LoginSucceeded'];
      },
    })),
    clear: on(fc.constant({ identifierHash: 'ada', accountId }), (input, world) => ({
      command: clearLoginFailures,
      input,
      twice: 'nothing',
      expect: () => {
        if (world.inARow === 0 && world.lockedUntil === 0) return [];
        Object.assign(world, { inARow: 0, lockedUntil: 0 });
        return ['LoginFailuresCleared'];
      },
    })),
    attempt: on(
      fc.constantFrom({ password: 'right or wrong' }, { otpCode: '123456' }),
      (secret, { lockedUntil }, { now }) => ({
        command: logIn,
        input: { email: 'ada@example.org', ...secret },
        expect: () => (now.getTime() < lockedUntil ? 'locked' : []),
      }),
    ),
  },
  seen: ({ failures, lockedUntil }, { now }) => ({
    failures,
    locked: lockedUntil !== undefined && Date.parse(lockedUntil) > now.getTime(),
  }),
  expected: ({ inARow, lockedUntil }, { now }) => ({ failures: inARow, locked: lockedUntil > now.getTime() }),
  always: (_state, _world, history) => {
    const failures = history.flatMap((event) => {
      if (event.type !== 'LoginFailed') return [0];
      return event.data.reason === 'locked' ? [] : [event.data.consecutiveFailures];
    });
    assert.ok(
      failures.every((failed, index) => failed === 0 || failed === 1 + ((failures[index - 1] ?? 0) % 5)),
      'failures are counted one by one, up to five',
    );
  },
  refusals: ['locked'],
});
