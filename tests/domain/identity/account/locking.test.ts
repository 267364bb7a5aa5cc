import t from 'tap';
import {
  type AccountEvent,
  account,
  endLoginSessions,
  lockAccount,
  lockedUntil,
  unlockAccount,
} from '../../../../src/domain/identity/account/index.ts';
import { id, now, spec, system, user } from '../../../support/spec.ts';
import { abandoned, accountId, deactivated, erased, locked, minutes, registered } from './past.ts';

const given = spec(account);
const admin = user(id('admin'), '*:*');
const DAY = 24 * 60;

const lock = (until: Date, reason: 'failed_logins' | 'admin' | 'breach' = 'admin') => ({
  accountId,
  until: until.toISOString(),
  reason,
});
const event = (until: Date, reason: 'failed_logins' | 'admin' | 'breach' = 'admin'): AccountEvent => ({
  type: 'AccountLocked',
  data: lock(until, reason),
});

t.test('locking by an administrator', async (t) => {
  t.test('lasts a quarter of an hour unless told otherwise', async () => {
    given(registered)
      .when(lockAccount, { accountId }, admin)
      .then(event(minutes(15)));
    given(registered)
      .when(lockAccount, lock(minutes(30 * DAY), 'breach'), admin)
      .then(event(minutes(30 * DAY), 'breach'));
  });
  t.test('may shorten a lock; the same one again changes nothing', async () => {
    given(registered, locked(minutes(60)))
      .when(lockAccount, lock(minutes(5)), admin)
      .then(event(minutes(5)));
    given(registered, locked(minutes(60)))
      .when(lockAccount, lock(minutes(60)), admin)
      .nothing();
  });
  t.test('is refused for the past and beyond thirty days', async () => {
    given(registered).when(lockAccount, lock(now), admin).rejected('until-past', 'until');
    given(registered)
      .when(lockAccount, lock(new Date(minutes(30 * DAY).getTime() + 1)), admin)
      .rejected('until-too-far', 'until');
  });
  t.test('is refused for oneself and for accounts that are none', async () => {
    given(registered).when(lockAccount, { accountId }, user(accountId, '*:*')).rejected('own-account');
    for (const past of [[], [abandoned], [registered, erased]])
      given(...past)
        .when(lockAccount, { accountId }, admin)
        .rejected('account-unknown');
  });
});

t.test('locking for failures only ever lasts longer', async () => {
  given(registered)
    .when(lockAccount, lock(minutes(15), 'failed_logins'), system)
    .then(event(minutes(15), 'failed_logins'));
  given(registered, locked(minutes(60)))
    .when(lockAccount, lock(minutes(15), 'failed_logins'), system)
    .nothing();
});

t.test('unlocking', async (t) => {
  const unlocked = (by: 'admin' | 'timer'): AccountEvent => ({ type: 'AccountUnlocked', data: { accountId, by } });
  t.test('is an administrator’s at any time', async () => {
    given(registered, locked(minutes(5)))
      .when(unlockAccount, { accountId }, admin)
      .then(unlocked('admin'));
    given(registered, deactivated, locked(minutes(5)))
      .when(unlockAccount, { accountId }, admin)
      .then(unlocked('admin'));
  });
  t.test('is refused where nothing is locked', async () => {
    given(registered).when(unlockAccount, { accountId }, admin).rejected('not-locked');
    given(registered, locked(minutes(5)))
      .when(unlockAccount, { accountId }, { actor: admin, now: minutes(5) })
      .rejected('not-locked');
    given().when(unlockAccount, { accountId }, admin).rejected('account-unknown');
  });
  t.test('is the clock’s when the lock has run out, and not before', async () => {
    const at = (count: number) => ({ actor: system, now: minutes(count) });
    given(registered, locked(minutes(5)))
      .when(unlockAccount, { accountId }, at(5))
      .then(unlocked('timer'));
    given(registered, locked(minutes(5)))
      .when(unlockAccount, { accountId }, at(4))
      .nothing();
    given(registered, locked(minutes(5)), locked(minutes(9)))
      .when(unlockAccount, { accountId }, at(5))
      .nothing();
    given(registered).when(unlockAccount, { accountId }, at(5)).nothing();
  });
});

t.test('an account is locked until the instant, and not at it', async (t) => {
  const state = [registered, locked(minutes(5))].reduce(account.evolve, account.initial);
  t.equal(lockedUntil(state, now), minutes(5).toISOString());
  t.equal(lockedUntil(state, minutes(5)), undefined);
});

t.test('ending login sessions adds nothing to the account', async () =>
  given(registered).when(endLoginSessions, { accountId, by: 'breach' }, system).nothing(),
);
