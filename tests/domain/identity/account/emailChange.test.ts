import t from 'tap';
import {
  type AccountEvent,
  account,
  changeEmail,
  holdsEmail,
  startEmailVerification,
  verifyEmail,
} from '../../../../src/domain/identity/account/index.ts';
import { newId, now, spec, system, user } from '../../../support/spec.ts';
import { accountId, at, deactivated, erased, minutes, registered, verified } from './past.ts';

const given = spec(account);
const holder = user(accountId);
const DAY = 24 * 60;

const asked = (requestId: string, hash = 'new hash'): AccountEvent => ({
  type: 'EmailChangeRequested',
  data: {
    accountId,
    newEmail: 'ada@example.net',
    newEmailHash: hash,
    requestId,
    expiresAt: minutes(DAY).toISOString(),
  },
});
const change = {
  oldEmail: 'ada@example.org',
  oldEmailHash: 'hash of the address',
  email: 'ada@example.net',
  emailHash: 'new hash',
};
const changed: AccountEvent = { type: 'EmailChanged', data: { accountId, ...change, at } };
const confirm = { token: 'authentic' };
const named = (requestId: string) => ({ accountId, requestId, change });

t.test('asking for another address', async (t) => {
  const input = { newEmail: ' Ada@Example.NET ', password: 'x' };
  const facts = { right: true, newEmailHash: 'new hash' };
  t.test('leaves the account as it is for a day', async (t) => {
    const { outcome, state } = given(registered, verified).when(changeEmail, input, holder, facts);
    t.strictSame(outcome, [asked(newId('email-change'))]);
    t.match(state, { emailHash: 'hash of the address', emailVerified: true });
  });
  t.test('needs the password, and another address than the own', async () => {
    given(registered)
      .when(changeEmail, input, holder, { ...facts, right: false })
      .rejected('password-wrong', 'password');
    given(registered)
      .when(changeEmail, input, holder, { ...facts, newEmailHash: 'hash of the address' })
      .rejected('email-taken', 'newEmail');
    given(registered)
      .when(changeEmail, { ...input, newEmail: 'nobody' }, holder, facts)
      .rejected('input-invalid', 'newEmail');
  });
  t.test('is refused a sixth time within the hour', async (t) => {
    const five = ['1', '2', '3', '4', '5'].map((requestId) => asked(requestId));
    const again = (time: Date) =>
      given(registered, ...five).when(changeEmail, input, { actor: holder, now: time }, facts);
    t.match(again(minutes(59)).outcome, { code: 'RATE_LIMIT_EXCEEDED', reason: 'asked-often', retryAfter: 60 });
    t.match(again(minutes(60)).outcome, [{ type: 'EmailChangeRequested' }]);
    t.match(given(registered, ...five.slice(1)).when(changeEmail, input, holder, facts).outcome, [{}]);
  });
  t.test('is refused for accounts that are closed or none', async () => {
    for (const past of [[], [registered, deactivated]])
      given(...past)
        .when(changeEmail, input, holder, facts)
        .rejected('account-unknown');
  });
});

t.test('confirming another address', async (t) => {
  t.test('makes it the account’s, verified, and voids what the old one was sent', async (t) => {
    const { outcome, state } = given(registered, asked('one')).when(verifyEmail, confirm, undefined, named('one'));
    t.strictSame(outcome, [changed]);
    t.match(state, { emailHash: 'new hash', emailVerified: true });
    t.notOk('emailChange' in state);
  });
  t.test('takes the newest token, once, within a day', async () => {
    given(registered, asked('one'), asked('two'))
      .when(verifyEmail, confirm, undefined, named('one'))
      .rejected('token-invalid', 'token');
    given(registered, asked('one'), changed)
      .when(verifyEmail, confirm, undefined, named('one'))
      .rejected('token-invalid');
    given(registered, asked('one'))
      .when(verifyEmail, confirm, { now: minutes(DAY) }, named('one'))
      .rejected('token-invalid');
    given(registered, asked('one'), deactivated)
      .when(verifyEmail, confirm, undefined, named('one'))
      .rejected('token-invalid');
    given(registered).when(verifyEmail, confirm, undefined, named('one')).rejected('token-invalid');
  });
  t.test('is refused for another address than was asked for, or in the place of another', async () => {
    given(registered, asked('one', 'third hash'))
      .when(verifyEmail, confirm, undefined, named('one'))
      .rejected('token-invalid');
    given(registered, asked('one'))
      .when(verifyEmail, confirm, undefined, { ...named('one'), change: { ...change, oldEmailHash: 'older hash' } })
      .rejected('token-invalid');
  });
});

t.test('a verification is begun only for the address that the account has', async () => {
  given(registered).when(startEmailVerification, { accountId, emailHash: 'new hash' }, system).nothing();
  given(registered)
    .when(startEmailVerification, { accountId, emailHash: 'hash of the address' }, system)
    .then({
      type: 'EmailVerificationRequested',
      data: { accountId, requestId: newId('verification'), expiresAt: minutes(DAY).toISOString() },
    });
});

t.test('an account holds', async (t) => {
  const holds = (past: readonly AccountEvent[], hash: string, time = now) =>
    holdsEmail(past.reduce(account.evolve, account.initial), hash, time);
  t.ok(holds([registered], 'hash of the address'), 'its own address');
  t.ok(holds([registered, deactivated], 'hash of the address'), 'its own while it is deactivated');
  t.notOk(holds([registered, erased], 'hash of the address'), 'none when it is erased');
  t.notOk(holds([], 'hash of the address'), 'none when it never was');
  t.ok(holds([registered, asked('one')], 'new hash'), 'the one that it may still confirm');
  t.ok(holds([registered, asked('one')], 'new hash', minutes(DAY)), 'and a minute longer');
  t.notOk(holds([registered, asked('one')], 'new hash', minutes(DAY + 1)), 'but no longer');
  t.notOk(holds([registered, asked('one'), asked('two', 'third hash')], 'new hash'), 'none that it asked for before');
  t.notOk(holds([registered, asked('one'), changed], 'hash of the address'), 'none that it had before');
});
