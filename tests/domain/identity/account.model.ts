import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/account/index.ts';
import {
  abandonRegistration,
  account,
  lockAccount,
  registerAccount,
  registerAdministrator,
  startEmailVerification,
  verifyEmail,
} from '../../../src/domain/identity/account/index.ts';
import { model, movesIn, named } from '../../support/model.ts';

const HOUR = 3_600_000;
const accountId = named('ada');
const facts = { passwordHash: '$2b$12$hash', emailHash: 'hash of the address' };
const registration = { email: 'ada@example.org', password: 'Correct-horse-7', displayName: 'Ada', acceptTerms: true };

type Mail = { readonly requestId: string; readonly expires: number };
type World = { life: 'none' | 'abandoned' | 'active'; emailVerified: boolean; mails: Mail[]; lockedUntil: number };
const on = movesIn<World>();

/** One account: it comes about once or never, and the newest mail verifies its address, once and within a day. */
export const accountModel = model({
  decider: account,
  commands,
  world: (): World => ({ life: 'none', emailVerified: false, mails: [], lockedUntil: 0 }),
  waits: [HOUR, 24 * HOUR - 1, 24 * HOUR, 1],
  lives: 200,
  moves: {
    register: on(fc.constant(registration), (input, world) => ({
      command: registerAccount,
      input,
      facts,
      expect: () => {
        if (world.life !== 'none') return 'email-taken';
        world.life = 'active';
        return [{ type: 'AccountRegistered', data: { plan: 'free', email: input.email, ...facts } }];
      },
    })),
    appoint: on(fc.constant({ accountId, email: 'ada@example.org', password: 'x' }), (input, world) => ({
      command: registerAdministrator,
      input,
      facts,
      twice: 'nothing',
      expect: () => {
        if (world.life === 'abandoned') return 'email-taken';
        if (world.life === 'active') return [];
        Object.assign(world, { life: 'active', emailVerified: true });
        return ['AccountRegistered', 'EmailVerified'];
      },
    })),
    abandon: on(fc.constant({ accountId }), (input, world) => ({
      command: abandonRegistration,
      input,
      twice: 'nothing',
      expect: () => {
        if (world.life === 'active') return 'email-taken';
        if (world.life === 'abandoned') return [];
        world.life = 'abandoned';
        return ['RegistrationAbandoned'];
      },
    })),
    mail: on(
      fc.constant({ accountId }),
      (input, world, { now, newId }) => ({
        command: startEmailVerification,
        input,
        expect: () => {
          if (world.life !== 'active' || world.emailVerified) return [];
          const expires = now.getTime() + 24 * HOUR;
          world.mails.push({ requestId: newId('verification'), expires });
          return [{ type: 'EmailVerificationRequested', data: { expiresAt: new Date(expires).toISOString() } }];
        },
      }),
      3,
    ),
    verify: on(
      // Which mail, the newest being 0; one that never was when there are not so many.
      fc.oneof(fc.constant(0), fc.nat(2)),
      (ago, world, { now }) => {
        const mail = world.mails.at(-1 - ago);
        return {
          command: verifyEmail,
          input: { token: 'token' },
          facts: { accountId, requestId: mail?.requestId ?? named('no request') },
          expect: () => {
            const counts = mail !== undefined && ago === 0 && !world.emailVerified && now.getTime() < mail.expires;
            if (!counts) return 'token-invalid';
            world.emailVerified = true;
            return ['EmailVerified'];
          },
        };
      },
      2,
    ),
    lock: on(fc.constantFrom(0, 1, 15), (minutes, world, { now }) => {
      const until = now.getTime() + minutes * 60_000;
      return {
        command: lockAccount,
        input: { accountId, until: new Date(until).toISOString(), reason: 'failed_logins' },
        twice: 'nothing',
        expect: () => {
          if (world.life !== 'active') return 'account-unknown';
          if (world.lockedUntil >= until) return [];
          world.lockedUntil = until;
          return ['AccountLocked'];
        },
      };
    }),
  },
  seen: ({ status, emailVerified, lockedUntil }) => ({
    life: status,
    emailVerified,
    lockedUntil: lockedUntil === undefined ? 0 : Date.parse(lockedUntil),
  }),
  expected: ({ life, emailVerified, lockedUntil }) => ({ life, emailVerified, lockedUntil }),
  always: (_state, _world, history) => {
    const times = (type: string) => history.filter((event) => event.type === type).length;
    assert.ok(times('AccountRegistered') + times('RegistrationAbandoned') <= 1, 'it comes about once or never');
    assert.ok(times('EmailVerified') <= 1, 'its address is verified once');
  },
  refusals: ['email-taken', 'token-invalid', 'account-unknown'],
});
