import fc from 'fast-check';
import {
  changePassword,
  lockAccount,
  rehashPassword,
  resetPassword,
  startPasswordReset,
  unlockAccount,
} from '../../../../../src/domain/identity/account/index.ts';
import { named } from '../../../../support/model.ts';
import { system } from '../../../../support/spec.ts';
import { ADDRESSES, accountId, ada, DAY, HOUR, hashOf, isThere, MINUTE, on, root, type World } from './world.ts';

const PASSWORDS = ['Correct-horse-7', 'Another-horse-8', 'Yet-another-horse-9'] as const;
const another = fc.record({
  newPassword: fc.constantFrom(...PASSWORDS),
  /** Another password was set after this one was held against the account's. */
  overtaken: fc.integer({ min: 0, max: 7 }).map((drawn) => drawn === 0),
});
type Another = typeof another extends fc.Arbitrary<infer Drawn> ? Drawn : never;

const factsOf = ({ newPassword, overtaken }: Another, world: World) => ({
  passwordHash: hashOf(newPassword),
  against: overtaken ? -1 : world.passwordAt,
  same: newPassword === world.password,
});
const setPassword = (world: World, password: string): void => {
  Object.assign(world, { password, passwordAt: world.events, reset: undefined });
  world.credentials += 1;
};

const LOCKS = [undefined, -1, 0, 5 * MINUTE, 15 * MINUTE, 30 * DAY, 30 * DAY + 1] as const;

/** The password, and the lock that closes the log-in for a while. */
export const secrets = {
  'ask for another password': on(fc.constantFrom(...ADDRESSES), (to, world, { now, newId }) => ({
    command: startPasswordReset,
    input: { accountId, emailHash: hashOf(to) },
    expect: () => {
      if (world.life !== 'active' || to !== world.address) return [];
      world.reset = { requestId: newId('reset'), ends: now.getTime() + HOUR };
      world.resets.push(world.reset);
      const expiresAt = new Date(world.reset.ends).toISOString();
      return [{ type: 'PasswordResetRequested', data: { requestId: world.reset.requestId, expiresAt } }];
    },
  })),
  'reset the password': on(
    fc.record({ ago: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3)), of: another }),
    ({ ago, of }, world, { now }) => {
      const mail = world.resets.at(-1 - ago);
      if (mail === undefined) return undefined;
      return {
        command: resetPassword,
        input: { token: 'token', newPassword: of.newPassword },
        facts: { accountId, requestId: mail.requestId, ...factsOf(of, world) },
        expect: () => {
          if (world.life !== 'active' || mail !== world.reset || now.getTime() >= mail.ends) return 'token-invalid';
          if (of.overtaken) return 'contended';
          if (of.newPassword === world.password) return 'password-same';
          setPassword(world, of.newPassword);
          const wasLocked = world.lockedUntil > 0;
          world.lockedUntil = 0;
          return [
            { type: 'PasswordResetCompleted', data: { accountId, passwordHash: hashOf(of.newPassword) } },
            ...(wasLocked ? [{ type: 'AccountUnlocked', data: { by: 'reset' } }] : []),
          ];
        },
      };
    },
    2,
  ),
  'change the password': on(
    fc.record({ typed: fc.constantFrom(...PASSWORDS), of: another, inSession: fc.boolean() }),
    ({ typed, of, inSession }, world) => {
      const sessionId = named('session');
      return {
        command: changePassword,
        input: { currentPassword: typed, newPassword: of.newPassword },
        actor: inSession ? { ...ada, sessionId } : ada,
        facts: { ...factsOf(of, world), right: typed === world.password },
        expect: () => {
          if (world.life !== 'active') return 'account-unknown';
          if (of.overtaken) return 'contended';
          if (typed !== world.password) return 'password-wrong';
          if (of.newPassword === world.password) return 'password-same';
          setPassword(world, of.newPassword);
          return [{ type: 'PasswordChanged', data: { accountId, keptSessionId: inSession ? sessionId : undefined } }];
        },
      };
    },
  ),
  'hash the password anew': on(
    fc.boolean(),
    (overtaken, world) => {
      const anew = `${hashOf(world.password ?? 'none')} at another cost (${world.events})`;
      return {
        command: rehashPassword,
        input: { accountId },
        actor: system,
        facts: { against: overtaken ? -1 : (world.passwordAt ?? -1), passwordHash: anew },
        twice: 'nothing',
        expect: () => {
          if (world.life !== 'active' || overtaken || world.passwordAt === undefined) return [];
          world.passwordAt = world.events;
          return [{ type: 'PasswordRehashed', data: { passwordHash: anew } }];
        },
      };
    },
    0.5,
  ),
  lock: on(
    fc.oneof(
      fc.record({
        by: fc.constant(system),
        length: fc.constantFrom(5 * MINUTE, 15 * MINUTE),
        reason: fc.constant('failed_logins'),
      }),
      fc.record({
        by: fc.constantFrom(root, root, root, { ...ada, permissions: ['*:*'] }),
        length: fc.constantFrom(...LOCKS),
        reason: fc.constantFrom('admin', 'breach', 'failed_logins'),
      }),
    ),
    ({ by, length, reason }, world, { now }) => {
      const until = now.getTime() + (length ?? 15 * MINUTE);
      return {
        command: lockAccount,
        input: { accountId, reason, ...(length === undefined ? {} : { until: new Date(until).toISOString() }) },
        actor: by,
        twice: 'nothing',
        expect: () => {
          if (until <= now.getTime()) return 'until-past';
          if (until > now.getTime() + 30 * DAY) return 'until-too-far';
          if (!isThere(world)) return 'account-unknown';
          if (by.id === accountId) return 'own-account';
          // After failures a lock is never made shorter; an administrator may do so.
          if (reason === 'failed_logins' ? world.lockedUntil >= until : world.lockedUntil === until) return [];
          world.lockedUntil = until;
          return [{ type: 'AccountLocked', data: { accountId, until: new Date(until).toISOString(), reason } }];
        },
      };
    },
    2,
  ),
  unlock: on(fc.constantFrom(system, root), (by, world, { now }) => ({
    command: unlockAccount,
    input: { accountId },
    actor: by,
    expect: () => {
      if (!isThere(world)) return 'account-unknown';
      const isLocked = now.getTime() < world.lockedUntil;
      if (by === root && !isLocked) return 'not-locked';
      if (by === system && (isLocked || world.lockedUntil === 0)) return [];
      world.lockedUntil = 0;
      return [{ type: 'AccountUnlocked', data: { accountId, by: by === root ? 'admin' : 'timer' } }];
    },
  })),
};
