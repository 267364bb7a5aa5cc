import t from 'tap';
import {
  type AccountEvent,
  account,
  changePassword,
  type ResetFacts,
  rehashPassword,
  resetPassword,
  startPasswordReset,
} from '../../../../src/domain/identity/account/index.ts';
import { id, newId, now, spec, system, user } from '../../../support/spec.ts';
import { abandoned, accountId, at, deactivated, erased, locked, minutes, registered } from './past.ts';

const given = spec(account);
const holder = user(accountId);
const NEW = 'Another-horse-8';

const asked = (requestId: string): AccountEvent => ({
  type: 'PasswordResetRequested',
  data: { accountId, requestId, expiresAt: minutes(60).toISOString() },
});
const changed: AccountEvent = { type: 'PasswordChanged', data: { accountId, passwordHash: 'another hash', at } };

t.test('beginning to choose another password', async (t) => {
  const begin = { accountId, emailHash: 'hash of the address' };
  t.test('makes a token that lives for an hour', async () =>
    given(registered)
      .when(startPasswordReset, begin, system)
      .then(asked(newId('reset'))),
  );
  t.test('comes to nothing for an address that is not the account’s, and for accounts that are closed', async () => {
    given(registered)
      .when(startPasswordReset, { ...begin, emailHash: 'another' }, system)
      .nothing();
    for (const past of [[], [abandoned], [registered, deactivated], [registered, erased]])
      given(...past)
        .when(startPasswordReset, begin, system)
        .nothing();
  });
});

t.test('choosing another password by token', async (t) => {
  const facts: ResetFacts = {
    accountId,
    requestId: 'one',
    passwordHash: 'new hash',
    against: 0,
    same: false,
  };
  const input = { token: 'authentic', newPassword: NEW };
  const completed: AccountEvent = { type: 'PasswordResetCompleted', data: { accountId, passwordHash: 'new hash', at } };
  t.test('takes the newest token, once', async () => {
    given(registered, asked('one')).when(resetPassword, input, undefined, facts).then(completed);
    given(registered, asked('one'), asked('two'))
      .when(resetPassword, input, undefined, facts)
      .rejected('token-invalid', 'token');
    given(registered, asked('one'), completed).when(resetPassword, input, undefined, facts).rejected('token-invalid');
    given(registered, asked('one'), changed).when(resetPassword, input, undefined, facts).rejected('token-invalid');
    given().when(resetPassword, input, undefined, facts).rejected('token-invalid');
  });
  t.test('is refused from the end of the hour on', async (t) => {
    const when = (time: Date) => given(registered, asked('one')).when(resetPassword, input, { now: time }, facts);
    when(minutes(60)).rejected('token-invalid', 'token');
    t.match(when(new Date(minutes(60).getTime() - 1)).outcome, [{ type: 'PasswordResetCompleted' }]);
  });
  t.test('ends a lock', async () =>
    given(registered, locked(minutes(15)), asked('one'))
      .when(resetPassword, input, undefined, facts)
      .then(completed, { type: 'AccountUnlocked', data: { accountId, by: 'reset' } }),
  );
  t.test('needs another password than the current one', async () =>
    given(registered, asked('one'))
      .when(resetPassword, input, undefined, { ...facts, same: true })
      .rejected('password-same', 'newPassword'),
  );
  t.test('begins anew when the password was changed since it was looked at', async () =>
    given(registered, changed, asked('one')).when(resetPassword, input, undefined, facts).rejected('contended'),
  );
  t.test('is refused for closed accounts', async () =>
    given(registered, asked('one'), deactivated).when(resetPassword, input, undefined, facts).rejected('token-invalid'),
  );
  t.test('takes only good passwords', async () => {
    for (const newPassword of [
      'short-1',
      'no-capital-1',
      'NO-SMALL-1',
      'No-digits-x',
      'NoSpecial11',
      'Password123!',
      `Ab1-${'x'.repeat(69)}`,
    ])
      given(registered, asked('one'))
        .when(resetPassword, { ...input, newPassword }, undefined, facts)
        .rejected('input-invalid', 'newPassword');
  });
});

t.test('changing the password', async (t) => {
  const input = { currentPassword: 'Correct-horse-7', newPassword: NEW };
  const facts = { passwordHash: 'new hash', against: 0, right: true, same: false };
  const done = (sessionId?: string): AccountEvent => ({
    type: 'PasswordChanged',
    data: { accountId, passwordHash: 'new hash', at, ...(sessionId === undefined ? {} : { keptSessionId: sessionId }) },
  });
  t.test('keeps the session of the request', async () => {
    given(registered)
      .when(changePassword, input, { ...holder, sessionId: id('here') }, facts)
      .then(done(id('here')));
    given(registered).when(changePassword, input, holder, facts).then(done());
  });
  t.test('needs the current password, and another one', async () => {
    given(registered)
      .when(changePassword, input, holder, { ...facts, right: false })
      .rejected('password-wrong', 'currentPassword');
    given(registered)
      .when(changePassword, input, holder, { ...facts, same: true })
      .rejected('password-same', 'newPassword');
  });
  t.test('begins anew when it was changed meanwhile', async () =>
    given(registered, changed).when(changePassword, input, holder, facts).rejected('contended'),
  );
  t.test('is refused for accounts that are closed or none', async () => {
    for (const past of [[], [registered, deactivated]])
      given(...past)
        .when(changePassword, input, holder, facts)
        .rejected('account-unknown');
  });
  t.test('voids log-ins under way', async (t) => {
    const { state } = given(registered).when(changePassword, input, holder, facts);
    t.equal(state.credentials, 1);
    t.equal(state.passwordAt, 1, 'the event behind the registration has the hash');
  });
});

t.test('the hash of a password', async (t) => {
  t.test('is in no state, which tells the event that has it', async (t) => {
    const states = [
      given(registered),
      given(registered, changed),
      given(registered, changed, { type: 'PasswordRehashed', data: { accountId, passwordHash: 'dearer hash' } }),
    ].map((past) => past.when(startPasswordReset, { accountId, emailHash: 'another' }, system).state);
    t.strictSame(
      states.map(({ passwordAt }) => passwordAt),
      [0, 1, 2],
    );
    for (const state of states) t.notMatch(JSON.stringify(state), /hash of the password|another hash|dearer hash/);
  });
  t.test('is forgotten with the account', async (t) => {
    const { state } = given(registered, erased).when(startPasswordReset, { accountId, emailHash: 'another' }, system);
    t.notOk('passwordAt' in state);
  });
});

t.test('hashing the same password anew', async (t) => {
  const facts = { against: 0, passwordHash: 'dearer hash' };
  t.test('keeps the new hash, and log-ins under way go on', async (t) => {
    const { outcome, state } = given(registered).when(rehashPassword, { accountId }, undefined, facts);
    t.strictSame(outcome, [{ type: 'PasswordRehashed', data: { accountId, passwordHash: 'dearer hash' } }]);
    t.equal(state.credentials, 0);
  });
  t.test('comes to nothing when the password was changed meanwhile, or the account closed', async () => {
    for (const past of [[registered, changed], [registered, deactivated], []])
      given(...past)
        .when(rehashPassword, { accountId }, { now }, facts)
        .nothing();
  });
});
