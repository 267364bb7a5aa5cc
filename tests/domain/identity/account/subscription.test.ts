import t from 'tap';
import {
  type AccountEvent,
  account,
  cancelSubscription,
  changeSubscription,
  expireSubscription,
} from '../../../../src/domain/identity/account/index.ts';
import { id, now, spec, system, user } from '../../../support/spec.ts';

const given = spec(account);
const accountId = id('ada');
const holder = user(accountId);
const admin = user(id('admin'), '*:*');
const at = now.toISOString();
const days = (count: number): string => new Date(now.getTime() + count * 86_400_000).toISOString();
const later = (count: number, actor = system) => ({ now: new Date(days(count)), actor });

const registered: AccountEvent = {
  type: 'AccountRegistered',
  data: {
    accountId,
    email: 'ada@example.org',
    emailHash: 'address',
    displayName: 'Ada',
    timezone: 'UTC',
    language: 'en',
    plan: 'free',
    createdFrom: 'api',
    method: 'password',
  },
};
type Changed = Extract<AccountEvent, { type: 'SubscriptionChanged' }>['data'];
const changed = (data: Partial<Changed> = {}): AccountEvent => ({
  type: 'SubscriptionChanged',
  data: {
    accountId,
    fromPlan: 'free',
    plan: 'premium',
    status: 'active',
    startedAt: at,
    expiresAt: days(30),
    autoRenew: false,
    ...data,
  },
});
const forGood: AccountEvent = {
  type: 'SubscriptionChanged',
  data: { accountId, fromPlan: 'free', plan: 'premium', status: 'active', startedAt: at, autoRenew: true },
};
const cancelled = (effectiveAt: string): AccountEvent => ({
  type: 'SubscriptionCancelled',
  data: { accountId, effectiveAt },
});
const expired: AccountEvent = { type: 'SubscriptionExpired', data: { accountId, previousPlan: 'premium' } };
const deactivated: AccountEvent = { type: 'AccountDeactivated', data: { accountId, by: 'admin', at } };
const erased: AccountEvent = { type: 'AccountErased', data: { accountId, by: 'admin', emailHash: 'address', at } };

const premium = { accountId, plan: 'premium' as const, expiresAt: days(30) };

t.test('changing a subscription', async (t) => {
  t.test('begins a paid plan until an instant', async () =>
    given(registered).when(changeSubscription, premium, admin, {}).then(changed()),
  );
  t.test('keeps what the payment service calls it', async (t) => {
    const references = { paymentMethod: 'card', stripeCustomerId: 'cus_1', stripeSubscriptionId: 'sub_1' };
    const { outcome, state } = given(registered).when(changeSubscription, { ...premium, ...references }, admin, {});
    t.strictSame(outcome, [changed(references)]);
    t.notOk(JSON.stringify(state).includes('cus_1'), 'but not in the state');
  });
  t.test('renews with a later end, from the first day on', async () => {
    const input = { ...premium, expiresAt: days(60) };
    given(registered, changed())
      .when(changeSubscription, input, later(20, admin), {})
      .then(changed({ fromPlan: 'premium', expiresAt: days(60) }));
  });
  t.test('begins anew after a cancellation or on another plan', async () => {
    const { now: moment } = later(20);
    for (const [past, input] of [
      [[changed(), cancelled(days(30))], { ...premium, expiresAt: days(60) }],
      [[changed()], { ...premium, plan: 'enterprise' as const, expiresAt: days(60) }],
    ] as const)
      given(registered, ...past)
        .when(changeSubscription, input, later(20, admin), {})
        .then(
          changed({
            fromPlan: 'premium',
            plan: input.plan,
            startedAt: moment.toISOString(),
            expiresAt: days(60),
          }),
        );
  });
  t.test('changes nothing when it is so already', async () => {
    given(registered, changed()).when(changeSubscription, premium, admin, {}).nothing();
    const known = { paymentMethod: 'card' };
    given(registered, changed(known))
      .when(changeSubscription, { ...premium, ...known }, admin, known)
      .nothing();
    given(registered, changed(known))
      .when(changeSubscription, premium, admin, known)
      .then(changed({ fromPlan: 'premium' }));
  });
  t.test('goes back to the free plan, which never ends', async (t) => {
    const input = { accountId, plan: 'free' as const, expiresAt: days(9), autoRenew: true };
    const { outcome } = given(registered, changed()).when(changeSubscription, input, admin, {});
    t.match(outcome, [{ data: { fromPlan: 'premium', plan: 'free', autoRenew: false } }]);
    t.notMatch(outcome, [{ data: { expiresAt: /./ } }]);
  });
  t.test('needs an end or renewal for a paid plan', async () => {
    given(registered)
      .when(changeSubscription, { accountId, plan: 'premium' }, admin, {})
      .rejected('expiry-missing', 'expiresAt');
    given(registered)
      .when(changeSubscription, { accountId, plan: 'premium', autoRenew: true }, admin, {})
      .then(forGood);
  });
  t.test('is refused for an end in the past, or what is no plan', async () => {
    given(registered)
      .when(changeSubscription, { ...premium, expiresAt: at }, admin, {})
      .rejected('expiry-past', 'expiresAt');
    given(registered)
      .when(changeSubscription, { ...premium, plan: 'gold' as never }, admin, {})
      .rejected('input-invalid', 'plan');
    given(registered)
      .when(changeSubscription, { ...premium, paymentMethod: 'x'.repeat(101) }, admin, {})
      .rejected('input-invalid', 'paymentMethod');
  });
  t.test('goes on for a deactivated account, not for none or an erased one', async () => {
    given(registered, deactivated).when(changeSubscription, premium, admin, {}).then(changed());
    for (const past of [[], [registered, deactivated, erased]])
      given(...past)
        .when(changeSubscription, premium, admin, {})
        .rejected('account-unknown');
  });
});

t.test('cancelling a subscription', async (t) => {
  t.test('leaves the benefits until the end', async (t) => {
    const { outcome, state } = given(registered, changed()).when(cancelSubscription, {}, holder);
    t.strictSame(outcome, [cancelled(days(30))]);
    t.match(state, { plan: 'premium', subscription: { status: 'cancelled', expiresAt: days(30), autoRenew: false } });
  });
  t.test('ends a plan without an end at once', async (t) => {
    const { outcome, state } = given(registered, forGood).when(cancelSubscription, {}, holder);
    t.strictSame(outcome, [cancelled(at), expired]);
    t.match(state, { plan: 'free', subscription: { status: 'expired' } });
  });
  t.test('ends a plan whose end has passed unnoticed', async () =>
    given(registered, changed())
      .when(cancelSubscription, {}, later(31, holder))
      .then(cancelled(days(30)), expired),
  );
  t.test('is refused without a paid plan, and twice', async () => {
    given(registered).when(cancelSubscription, {}, holder).rejected('no-paid-plan');
    given(registered, changed(), cancelled(days(30)))
      .when(cancelSubscription, {}, holder)
      .rejected('already-cancelled');
    given(registered, changed(), expired).when(cancelSubscription, {}, holder).rejected('no-paid-plan');
    given().when(cancelSubscription, {}, holder).rejected('account-unknown');
  });
  t.test('is an administrator’s matter too, and nobody else’s', async () => {
    given(registered, changed())
      .when(cancelSubscription, { accountId }, admin)
      .then(cancelled(days(30)));
    for (const stranger of [user(id('eve')), { ...admin, verified: false }])
      given(registered, changed()).when(cancelSubscription, { accountId }, stranger).rejected('permission-missing');
  });
});

t.test('the end of a subscription', async (t) => {
  t.test('is noted when it has come, once', async () => {
    given(registered, changed()).when(expireSubscription, { accountId }, later(30)).then(expired);
    given(registered, changed(), expired).when(expireSubscription, { accountId }, later(30)).nothing();
    given(registered, changed(), cancelled(days(30)))
      .when(expireSubscription, { accountId }, later(30))
      .then(expired);
  });
  t.test('is not noted before, after a renewal, or where there is none', async () => {
    given(registered, changed())
      .when(expireSubscription, { accountId }, { now: new Date(Date.parse(days(30)) - 1), actor: system })
      .nothing();
    const renewed = changed({ fromPlan: 'premium', expiresAt: days(60) });
    given(registered, changed(), renewed).when(expireSubscription, { accountId }, later(30)).nothing();
    for (const past of [[], [registered], [registered, forGood], [registered, changed(), deactivated, erased]])
      given(...past)
        .when(expireSubscription, { accountId }, later(30))
        .nothing();
  });
});
