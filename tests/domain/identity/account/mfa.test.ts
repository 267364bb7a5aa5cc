import t from 'tap';
import {
  type AccountEvent,
  account,
  confirmMfaSetup,
  consumeBackupCode,
  disableMfa,
  regenerateBackupCodes,
  revokeTrustedDevice,
  startMfaSetup,
  trustDevice,
  trustsDevice,
  useTotpStep,
} from '../../../../src/domain/identity/account/index.ts';
import { id, now, spec, system, user } from '../../../support/spec.ts';

const given = spec(account);
const accountId = id('ada');
const ada = user(accountId);
const later = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000);
const registered: AccountEvent = {
  type: 'AccountRegistered',
  data: {
    accountId,
    email: 'ada@example.org',
    emailHash: 'e1',
    displayName: 'Ada Lovelace',
    passwordHash: '$2b$',
    timezone: 'UTC',
    language: 'en',
    plan: 'free',
    createdFrom: 'api',
    method: 'password',
    termsAcceptedAt: now.toISOString(),
  },
};
const secret = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const backupCodeHashes = ['b1', 'b2'];
const secretKey = 'mfa:1';
const facts = { passwordRight: true, secret, secretKey, backupCodeHashes };
const offered: AccountEvent = {
  type: 'MfaSetupStarted',
  data: { accountId, method: 'totp', secretKey, secret, backupCodeHashes, expiresAt: later(10).toISOString() },
};
const enabled: AccountEvent = { type: 'MfaEnabled', data: { accountId, method: 'totp', at: now.toISOString() } };
const used = (step: number): AccountEvent => ({ type: 'TotpStepUsed', data: { accountId, step } });
const on = [registered, offered, enabled, used(7)];
const proved = { passwordRight: true, codeRight: true };

t.test('offering a second factor', async (t) => {
  t.test('waits ten minutes for its confirmation', async () =>
    given(registered).when(startMfaSetup, { password: 'x' }, ada, facts).then(offered),
  );
  t.test('needs the password, and that none is on', async () => {
    given(registered)
      .when(startMfaSetup, { password: 'x' }, ada, { ...facts, passwordRight: false })
      .rejected('password-wrong', 'password');
    given(...on)
      .when(startMfaSetup, { password: 'x' }, ada, facts)
      .rejected('mfa-on');
  });
  t.test('by SMS needs a verified number', async () => {
    const sms = { password: 'x', method: 'sms' as const };
    given(registered).when(startMfaSetup, sms, ada, facts).rejected('input-invalid', 'phoneNumberId');
    const number: AccountEvent = {
      type: 'PhoneNumberAdded',
      data: { accountId, phoneNumberId: id('phone'), number: '+4930123456', numberHash: 'n1', at: now.toISOString() },
    };
    const withNumber = { ...sms, phoneNumberId: id('phone') };
    given(registered, number)
      .when(startMfaSetup, withNumber, ada, facts)
      .rejected('number-unverified', 'phoneNumberId');
    const verified: AccountEvent = {
      type: 'PhoneNumberVerified',
      data: { accountId, phoneNumberId: id('phone'), at: now.toISOString() },
    };
    const { outcome } = given(registered, number, verified).when(startMfaSetup, withNumber, ada, facts);
    const [event] = outcome as readonly AccountEvent[];
    t.match(event, { data: { method: 'sms', phoneNumberId: id('phone') } });
    t.notOk(event !== undefined && 'secret' in event.data, 'an app secret makes no sense here');
  });
});

t.test('confirming it', async (t) => {
  const right = { right: true, step: 7, sameSecret: true };
  t.test('turns it on and uses the code up', async () =>
    given(registered, offered).when(confirmMfaSetup, { code: '123456' }, ada, right).then(enabled, used(7)),
  );
  t.test('is refused with a wrong code, another secret, and when nothing waits', async () => {
    const input = { code: '123456' };
    given(registered, offered)
      .when(confirmMfaSetup, input, ada, { right: false, sameSecret: true })
      .rejected('code-wrong', 'code');
    given(registered, offered)
      .when(confirmMfaSetup, input, ada, { ...right, sameSecret: false })
      .rejected('secret-differs', 'secret');
    given(registered, offered)
      .when(confirmMfaSetup, input, { actor: ada, now: later(10) }, right)
      .rejected('mfa-not-pending');
    given(...on)
      .when(confirmMfaSetup, input, ada, right)
      .rejected('mfa-not-pending');
  });
});

t.test('a code never counts twice', async (t) => {
  t.test('neither that of a step nor of an earlier one', async () => {
    given(...on)
      .when(useTotpStep, { accountId, step: 7 }, system)
      .rejected('code-wrong');
    given(...on)
      .when(useTotpStep, { accountId, step: 6 }, system)
      .rejected('code-wrong');
    given(...on)
      .when(useTotpStep, { accountId, step: 8 }, system)
      .then(used(8));
  });
  t.test('nor a backup code', async () => {
    const consumed: AccountEvent = { type: 'BackupCodeConsumed', data: { accountId, codeHash: 'b1', remaining: 1 } };
    given(...on)
      .when(consumeBackupCode, { accountId, codeHash: 'b1' }, system)
      .then(consumed);
    given(...on, consumed)
      .when(consumeBackupCode, { accountId, codeHash: 'b1' }, system)
      .rejected('code-wrong');
    given(...on)
      .when(consumeBackupCode, { accountId, codeHash: 'b9' }, system)
      .rejected('code-wrong');
  });
});

t.test('turning it off or renewing its backup codes', async (t) => {
  const input = { password: 'x', code: '123456' };
  t.test('needs both password and code', async () => {
    given(...on)
      .when(disableMfa, input, ada, { passwordRight: false, codeRight: false })
      .rejected('password-wrong');
    given(...on)
      .when(disableMfa, input, ada, { passwordRight: true, codeRight: false })
      .rejected('code-wrong');
    given(registered)
      .when(disableMfa, input, ada, { passwordRight: false, codeRight: false })
      .rejected('password-wrong');
    given(registered).when(disableMfa, input, ada, proved).rejected('mfa-off');
    given(registered)
      .when(regenerateBackupCodes, input, ada, { ...proved, backupCodeHashes: [] })
      .rejected('mfa-off');
  });
  t.test('forgets the devices that were trusted', async (t) => {
    const device = { accountId, deviceId: 'd1', deviceInfo: 'Laptop', expiresAt: later(60).toISOString() };
    const { state } = given(...on, { type: 'DeviceTrusted', data: device }).when(disableMfa, input, ada, proved);
    t.notOk(trustsDevice(state, 'd1', now));
    t.equal(state.mfa, undefined);
  });
  t.test('replaces every backup code', async (t) => {
    const { state } = given(...on).when(regenerateBackupCodes, input, ada, { ...proved, backupCodeHashes: ['c1'] });
    t.same(state.mfa?.backupCodes, ['c1']);
  });
});

t.test('trusted devices', async (t) => {
  const trusting = (deviceId: string) => ({ accountId, deviceId, deviceInfo: 'Laptop' });
  t.test('are trusted for thirty days', async (t) => {
    const { state } = given(...on).when(trustDevice, trusting('d1'), system);
    t.ok(trustsDevice(state, 'd1', new Date(now.getTime() + 30 * 86_400_000 - 1)));
    t.notOk(trustsDevice(state, 'd1', new Date(now.getTime() + 30 * 86_400_000)));
    t.notOk(trustsDevice(state, 'constructor', now));
  });
  t.test('are ten at most: the oldest makes room', async (t) => {
    const ten = Array.from(
      { length: 10 },
      (_, index): AccountEvent => ({
        type: 'DeviceTrusted',
        data: { ...trusting(`d${index}`), expiresAt: later(100 + index).toISOString() },
      }),
    );
    const { state, outcome } = given(...on, ...ten).when(trustDevice, trusting('d10'), system);
    t.match(outcome, [{ type: 'DeviceTrustRevoked', data: { deviceId: 'd0' } }, { type: 'DeviceTrusted' }]);
    t.equal(Object.keys(state.trustedDevices).length, 10);
  });
  t.test('are asked again once revoked', async () => {
    const trusted: AccountEvent = {
      type: 'DeviceTrusted',
      data: { ...trusting('d1'), expiresAt: later(60).toISOString() },
    };
    given(...on, trusted)
      .when(revokeTrustedDevice, { deviceId: 'd1' }, ada)
      .then({ type: 'DeviceTrustRevoked', data: { accountId, deviceId: 'd1' } });
    given(...on)
      .when(revokeTrustedDevice, { deviceId: 'd1' }, ada)
      .rejected('device-unknown');
  });
});
