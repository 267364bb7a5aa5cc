import t from 'tap';
import {
  type AccountEvent,
  account,
  type ClosingFacts,
  completeErasure,
  deactivateAccount,
  eraseAccount,
  reactivateAccount,
} from '../../../../src/domain/identity/account/index.ts';
import { id, now, spec, system, user } from '../../../support/spec.ts';

const given = spec(account);
const accountId = id('ada');
const holder = user(accountId);
const admin = user(id('admin'), '*:*');
const stranger = user(id('eve'), 'write:users');
const at = now.toISOString();

const registered: AccountEvent = {
  type: 'AccountRegistered',
  data: {
    accountId,
    email: 'ada@example.org',
    emailHash: 'address',
    displayName: 'Ada',
    passwordHash: 'hash',
    timezone: 'UTC',
    language: 'en',
    plan: 'free',
    createdFrom: 'api',
    method: 'password',
  },
};
const abandoned: AccountEvent = { type: 'RegistrationAbandoned', data: { accountId } };
const deactivated = (by: 'owner' | 'admin' = 'admin', reason?: string): AccountEvent => ({
  type: 'AccountDeactivated',
  data: reason === undefined ? { accountId, by, at } : { accountId, by, at, reason },
});
const reactivated: AccountEvent = { type: 'AccountReactivated', data: { accountId, by: 'admin' } };
const erased = (by: 'owner' | 'admin' = 'admin'): AccountEvent => ({
  type: 'AccountErased',
  data: { accountId, by, emailHash: 'address', identifierHashes: ['one'], at },
});

const facts: ClosingFacts = { right: false, counted: false };
const right: ClosingFacts = { right: true, counted: false };
const counted = { counted: true };

t.test('deactivating', async (t) => {
  t.test('closes an account for an administrator', async (t) => {
    const { outcome, state } = given(registered).when(deactivateAccount, { accountId, reason: 'Left' }, admin, facts);
    t.strictSame(outcome, [deactivated('admin', 'Left')]);
    t.match(state, { status: 'deactivated', credentials: 1 });
  });
  t.test('closes the own account with its password', async () => {
    given(registered).when(deactivateAccount, {}, holder, right).then(deactivated('owner'));
    given(registered).when(deactivateAccount, {}, holder, facts).rejected('password-wrong', 'password');
  });
  t.test('asks an administrator for the password of his own account as well', async () => {
    const self = { ...holder, permissions: ['*:*'] };
    given(registered).when(deactivateAccount, { accountId }, self, facts).rejected('password-wrong');
  });
  t.test('is refused to others, whether there is such an account or not', async () => {
    for (const past of [[], [registered]])
      for (const actor of [stranger, { ...admin, verified: false }])
        given(...past)
          .when(deactivateAccount, { accountId }, actor, facts)
          .rejected('permission-missing');
  });
  t.test('is refused for accounts that are closed already, or not there', async () => {
    given(registered, deactivated())
      .when(deactivateAccount, { accountId }, admin, facts)
      .rejected('already-deactivated');
    for (const past of [[], [abandoned], [registered, deactivated(), erased()]])
      given(...past)
        .when(deactivateAccount, { accountId }, admin, facts)
        .rejected('account-unknown');
  });
  t.test('waits until the account is out of the circle of administrators', async () => {
    const context = { ...facts, ...counted };
    given(registered).when(deactivateAccount, { accountId }, admin, context).rejected('administrator-still-counted');
    given(registered)
      .when(deactivateAccount, {}, holder, { right: false, ...counted })
      .rejected('password-wrong');
  });
  t.test('takes a reason of 500 characters', async () =>
    given(registered)
      .when(deactivateAccount, { accountId, reason: 'x'.repeat(501) }, admin, facts)
      .rejected('input-invalid', 'reason'),
  );
});

t.test('reactivating', async (t) => {
  t.test('opens a deactivated account', async (t) => {
    const { outcome, state } = given(registered, deactivated()).when(reactivateAccount, { accountId }, admin);
    t.strictSame(outcome, [reactivated]);
    t.match(state, { status: 'active', passwordAt: 0 });
  });
  t.test('is refused for open accounts, erased ones and none', async () => {
    given(registered).when(reactivateAccount, { accountId }, admin).rejected('not-deactivated');
    given(registered, deactivated(), reactivated)
      .when(reactivateAccount, { accountId }, admin)
      .rejected('not-deactivated');
    for (const past of [[], [abandoned], [registered, deactivated(), erased()]])
      given(...past)
        .when(reactivateAccount, { accountId }, admin)
        .rejected('account-unknown');
  });
});

t.test('erasing', async (t) => {
  const confirm = 'ada@example.org';
  const byAdmin = { accountId, confirm };
  t.test('ends a deactivated account for an administrator', async (t) => {
    const { outcome, state } = given(registered, deactivated()).when(eraseAccount, byAdmin, admin, {
      ...facts,
      confirmed: true,
      identifierHashes: ['one'],
    });
    t.strictSame(outcome, [erased()]);
    t.match(state, { status: 'erased', emailVerified: false, phones: [] });
    t.notOk('passwordAt' in state || 'emailHash' in state);
  });
  t.test('deactivates and ends the own account in one', async () => {
    given(registered)
      .when(eraseAccount, { confirm }, holder, { ...right, confirmed: true, identifierHashes: ['one'] })
      .then(deactivated('owner'), erased('owner'));
  });
  t.test('needs the password of the holder, and the address typed in', async () => {
    given(registered)
      .when(eraseAccount, { confirm }, holder, { ...facts, confirmed: true, identifierHashes: ['one'] })
      .rejected('password-wrong', 'password');
    given(registered)
      .when(eraseAccount, { confirm }, holder, { ...right, confirmed: false, identifierHashes: [] })
      .rejected('confirmation-wrong', 'confirm');
    given(registered, deactivated())
      .when(eraseAccount, byAdmin, admin, { ...facts, confirmed: false, identifierHashes: [] })
      .rejected('confirmation-wrong', 'confirm');
  });
  t.test('is refused to administrators while the account is open, and to others', async () => {
    given(registered)
      .when(eraseAccount, byAdmin, admin, { ...facts, confirmed: true, identifierHashes: ['one'] })
      .rejected('account-active');
    given(registered, deactivated())
      .when(eraseAccount, byAdmin, stranger, { ...facts, confirmed: true, identifierHashes: ['one'] })
      .rejected('permission-missing');
  });
  t.test('waits until the account is out of the circle of administrators', async () =>
    given(registered)
      .when(eraseAccount, { confirm }, holder, { ...right, ...counted, confirmed: true, identifierHashes: ['one'] })
      .rejected('administrator-still-counted'),
  );
  t.test('is refused for none and for the erased', async () => {
    for (const past of [[], [registered, deactivated(), erased()]])
      given(...past)
        .when(eraseAccount, byAdmin, admin, { ...facts, confirmed: true, identifierHashes: ['one'] })
        .rejected('account-unknown');
  });
  t.test('is finished as often as it takes, but never begun by that', async () => {
    given(registered, deactivated(), erased()).when(completeErasure, { accountId }, system).nothing();
    for (const past of [[], [registered], [registered, deactivated()]])
      given(...past)
        .when(completeErasure, { accountId }, system)
        .rejected('account-unknown');
  });
});
