import t from 'tap';
import { passwordReset, releases, sessions, unlocking, verification } from '../../src/policies/identity.ts';
import { id } from '../support/spec.ts';

const accountId = id('ada');
const EVENT = { recordedAt: '2026-03-02T10:00:00.000Z', stream: 'emailClaim-hash' };
const on = <Handler extends (event: never) => unknown>(handler: Handler, data: object, more: object = {}) =>
  handler({ ...EVENT, ...more, data: { accountId, ...data } } as never);

t.test('who asks for a mail gets one only when he has an account, and only to the address asked for', async (t) => {
  for (const [handler, command] of [
    [verification.on.EmailVerificationAsked, 'StartEmailVerification'],
    [passwordReset.on.PasswordResetAsked, 'StartPasswordReset'],
  ] as const) {
    t.match(on(handler, {}), [{ command, input: { accountId, emailHash: 'hash' } }]);
    t.strictSame(on(handler, { accountId: undefined }), []);
  }
});

t.test('sessions end with the password, and with a lock by hand', async (t) => {
  const end = (more: object) => [{ command: 'EndLoginSessions', input: { accountId, ...more } }];
  const at = '2026-03-02T09:59:59.000Z';
  const reset = on(sessions.on.PasswordResetCompleted, { at });
  t.match(reset, end({ before: at, by: 'password_change' }), 'not those that began with the new password');
  const dropped = on(sessions.on.UnprovedAccessDropped, { at });
  t.match(dropped, end({ before: at, by: 'password_change' }), 'not that of the person whose the address is');
  const kept = on(sessions.on.PasswordChanged, { keptSessionId: id('here'), at });
  t.match(kept, end({ exceptSessionId: id('here'), before: at, by: 'password_change' }));
  for (const reason of ['admin', 'breach']) t.match(on(sessions.on.AccountLocked, { reason }), end({ by: reason }));
  t.strictSame(on(sessions.on.AccountLocked, { reason: 'failed_logins' }), []);
});

t.test('a lock is ended when its time comes', async (t) => {
  const until = '2026-03-02T10:15:00.000Z';
  t.match(on(unlocking.on.AccountLocked, { until }), [
    { command: 'UnlockAccount', input: { accountId }, at: new Date(until) },
  ]);
});

t.test('addresses, numbers and identities that an account no longer has are given back', async (t) => {
  t.match(on(releases.on.EmailChanged, { oldEmailHash: 'old', emailHash: 'new' }), [
    { command: 'ReleaseEmail', input: { accountId, emailHash: 'old' } },
  ]);
  t.match(on(releases.on.PhoneNumberRemoved, { numberHash: 'n' }), [
    { command: 'ReleasePhoneNumber', input: { accountId, numberHash: 'n' } },
  ]);
  t.match(on(releases.on.OAuthIdentityUnlinked, { subjectHash: 's' }), [
    { command: 'ReleaseOAuthIdentity', input: { accountId, subjectHash: 's' } },
  ]);
});
