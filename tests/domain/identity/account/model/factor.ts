import fc from 'fast-check';
import {
  confirmMfaSetup,
  consumeBackupCode,
  disableMfa,
  regenerateBackupCodes,
  revokeTrustedDevice,
  startMfaSetup,
  trustDevice,
  useTotpStep,
} from '../../../../../src/domain/identity/account/index.ts';
import { type Moment, named } from '../../../../support/model.ts';
import { accountId, ada, DAY, MINUTE, on, type World } from './world.ts';

/** What the devices call themselves. */
export const DEVICES = Array.from({ length: 12 }, (_none, index) => `device ${index}`);

const often = (times: number) => fc.integer({ min: 0, max: times }).map((drawn) => drawn > 0);
const typed = often(5).map((right) => (right ? 'right' : 'wrong'));
const isRight = (typed: string, world: World): boolean => typed === 'right' && world.password !== undefined;
/** The time step that codes of an app are made for just now. */
const stepOf = (now: Date): number => Math.floor(now.getTime() / 30_000);
const newCodes = ({ newId }: Moment) => ['a', 'b', 'c'].map((which) => newId(`code ${which}`));
/** The holder of a closed account has no session to ask from. */
const isLoggedOut = ({ life }: World): boolean => life === 'deactivated';

const proof = fc.record({ typed, codeRight: often(3) });
/** What turning the second factor off, or renewing its codes, fails for. */
const unprovedBy = (drawn: { typed: string; codeRight: boolean }, world: World): string | undefined => {
  if (!isRight(drawn.typed, world)) return 'password-wrong';
  if (world.factor === undefined) return 'mfa-off';
  return drawn.codeRight ? undefined : 'code-wrong';
};

/** A second factor is offered for ten minutes, and on once a code of it came back. */
export const offer = {
  'offer a factor': on(
    fc.record({
      typed,
      method: fc.constantFrom('totp', 'sms'),
      unverified: fc.constantFrom(false, false, false, true),
    }),
    ({ typed, method, unverified }, world, moment) => {
      const codes = newCodes(moment);
      const phone = world.phones.find(({ verified }) => (verified === undefined) === unverified);
      const bySms = method === 'sms' ? { phoneNumberId: phone?.id ?? named('no number') } : {};
      return {
        command: startMfaSetup,
        input: { password: typed, method, ...bySms },
        actor: ada,
        facts: { passwordRight: isRight(typed, world), secret: 'BASE32', secretKey: 'mfa', backupCodeHashes: codes },
        expect: () => {
          if (world.life !== 'active') return 'account-unknown';
          if (!isRight(typed, world)) return 'password-wrong';
          if (world.factor !== undefined) return 'mfa-on';
          if (method === 'sms' && phone?.verified === undefined) return 'number-unverified';
          const ends = moment.now.getTime() + 10 * MINUTE;
          world.offer = method === 'sms' ? { method, phone: phone?.id, codes, ends } : { method: 'totp', codes, ends };
          const secret = method === 'totp' ? 'BASE32' : undefined;
          const expiresAt = new Date(ends).toISOString();
          return [{ type: 'MfaSetupStarted', data: { accountId, method, secret, ...bySms, expiresAt } }];
        },
      };
    },
    2,
  ),
  'confirm the factor': on(
    fc.record({ right: often(4), sameSecret: often(8) }),
    ({ right, sameSecret }, world, { now }) => {
      if (isLoggedOut(world)) return undefined;
      const { offer } = world;
      const step = right && offer?.method === 'totp' ? { step: stepOf(now) } : {};
      return {
        command: confirmMfaSetup,
        input: { code: '123456' },
        actor: ada,
        facts: { right, sameSecret, ...step },
        expect: () => {
          if (offer === undefined || now.getTime() >= offer.ends) return 'mfa-not-pending';
          if (!sameSecret) return 'secret-differs';
          if (!right) return 'code-wrong';
          const { ends: _once, ...confirmed } = offer;
          Object.assign(world, { factor: confirmed, offer: undefined, ...step });
          world.credentials += 1;
          const enabled = { type: 'MfaEnabled', data: { accountId, method: offer.method } };
          return offer.method === 'totp'
            ? [enabled, { type: 'TotpStepUsed', data: { accountId, ...step } }]
            : [enabled];
        },
      };
    },
    3,
  ),
};

/** It is on until it is turned off with both factors, its codes good for once. */
export const factor = {
  'use a code of the app': on(fc.constantFrom(-1, 0, 1), (off, world, { now }) => {
    if (world.factor?.method !== 'totp') return undefined;
    const step = stepOf(now) + off;
    return {
      command: useTotpStep,
      input: { accountId, step },
      expect: () => {
        if (step <= world.step) return 'code-wrong';
        world.step = step;
        return [{ type: 'TotpStepUsed', data: { accountId, step } }];
      },
    };
  }),
  'use a backup code': on(fc.nat(3), (which, world) => {
    const code = world.factor?.codes[which] ?? 'no code';
    return {
      command: consumeBackupCode,
      input: { accountId, codeHash: code },
      expect: () => {
        if (world.factor === undefined || code === 'no code') return 'code-wrong';
        world.factor.codes = world.factor.codes.filter((other) => other !== code);
        return [{ type: 'BackupCodeConsumed', data: { codeHash: code, remaining: world.factor.codes.length } }];
      },
    };
  }),
  'renew the backup codes': on(
    proof,
    (drawn, world, moment) => {
      if (isLoggedOut(world)) return undefined;
      const codes = newCodes(moment);
      return {
        command: regenerateBackupCodes,
        input: { password: drawn.typed, code: '123456' },
        actor: ada,
        facts: {
          passwordRight: isRight(drawn.typed, world),
          codeRight: drawn.codeRight && world.factor !== undefined,
          backupCodeHashes: codes,
        },
        expect: () => {
          const refused = unprovedBy(drawn, world);
          if (refused !== undefined) return refused;
          if (world.factor !== undefined) world.factor.codes = codes;
          return [{ type: 'BackupCodesRegenerated', data: { backupCodeHashes: codes } }];
        },
      };
    },
    0.5,
  ),
  'turn the factor off': on(
    proof,
    (drawn, world) => {
      if (isLoggedOut(world)) return undefined;
      return {
        command: disableMfa,
        input: { password: drawn.typed, code: '123456' },
        actor: ada,
        facts: {
          passwordRight: isRight(drawn.typed, world),
          codeRight: drawn.codeRight && world.factor !== undefined,
        },
        expect: () => {
          const refused = unprovedBy(drawn, world);
          if (refused !== undefined) return refused;
          Object.assign(world, { factor: undefined, offer: undefined, devices: new Map() });
          world.credentials += 1;
          return ['MfaDisabled'];
        },
      };
    },
    0.5,
  ),
};

/** Ten devices at most on which it is not asked for, each for thirty days. */
export const devices = {
  'trust a device': on(
    fc.constantFrom(...DEVICES),
    (deviceId, world, { now }) => ({
      command: trustDevice,
      input: { accountId, deviceId, deviceInfo: 'Laptop' },
      expect: () => {
        const { factor, devices } = world;
        if (factor === undefined) return [];
        const others = [...devices].filter(([other]) => other !== deviceId);
        const first = others.length < 10 ? undefined : others.reduce((a, b) => (b[1] < a[1] ? b : a))[0];
        if (first !== undefined) devices.delete(first);
        const ends = now.getTime() + 30 * DAY;
        devices.set(deviceId, ends);
        return [
          ...(first === undefined ? [] : [{ type: 'DeviceTrustRevoked', data: { accountId, deviceId: first } }]),
          { type: 'DeviceTrusted', data: { accountId, deviceId, expiresAt: new Date(ends).toISOString() } },
        ];
      },
    }),
    4,
  ),
  'trust a device no more': on(fc.nat(4), (which, world, { now }) => {
    if (isLoggedOut(world)) return undefined;
    const deviceId = [...world.devices.keys()][which] ?? 'no device';
    return {
      command: revokeTrustedDevice,
      input: { deviceId },
      actor: ada,
      expect: () => {
        if ((world.devices.get(deviceId) ?? 0) <= now.getTime()) return 'device-unknown';
        world.devices.delete(deviceId);
        return [{ type: 'DeviceTrustRevoked', data: { accountId, deviceId } }];
      },
    };
  }),
};
