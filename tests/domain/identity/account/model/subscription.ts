import fc from 'fast-check';
import {
  cancelSubscription,
  changeSubscription,
  expireSubscription,
} from '../../../../../src/domain/identity/account/index.ts';
import { system } from '../../../../support/spec.ts';
import { accountId, ada, DAY, eve, isThere, on, root, type World } from './world.ts';

const expired = (world: World) => {
  const previousPlan = world.plan;
  world.plan = 'free';
  world.subscription = { ...world.subscription, status: 'expired', autoRenew: false };
  return { type: 'SubscriptionExpired', data: { accountId, previousPlan } };
};

/** What an account pays for: until its end, or until it is cancelled and runs out. */
export const subscription = {
  'change the plan': on(
    fc.record({
      plan: fc.constantFrom('free' as const, 'premium' as const, 'enterprise' as const),
      days: fc.constantFrom(undefined, undefined, 0, 2, 2, 30),
      autoRenew: fc.boolean(),
      paymentMethod: fc.constantFrom(undefined, 'card 1'),
    }),
    ({ plan, days, autoRenew, paymentMethod }, world, { now }) => {
      const end = days === undefined ? undefined : new Date(now.getTime() + days * DAY).toISOString();
      const references = paymentMethod === undefined ? {} : { paymentMethod };
      return {
        command: changeSubscription,
        input: { accountId, plan, autoRenew, ...(end === undefined ? {} : { expiresAt: end }), ...references },
        actor: root,
        facts: world.references,
        expect: () => {
          if (days === 0) return 'expiry-past';
          const paid = plan !== 'free';
          if (paid && end === undefined && !autoRenew) return 'expiry-missing';
          if (!isThere(world)) return 'account-unknown';
          const { subscription: before, plan: fromPlan } = world;
          const goesOn = plan === fromPlan && before.status === 'active';
          const expiresAt = paid ? end : undefined;
          const renews = paid && autoRenew;
          const same = goesOn && before.expiresAt === expiresAt && before.autoRenew === renews;
          if (same && world.references.paymentMethod === paymentMethod) return [];
          const startedAt = (goesOn ? before.startedAt : undefined) ?? now.toISOString();
          Object.assign(world, { plan, references });
          const ends = expiresAt === undefined ? {} : { expiresAt };
          world.subscription = { status: 'active', startedAt, autoRenew: renews, ...ends };
          const data = { accountId, fromPlan, plan, startedAt, expiresAt, autoRenew: renews, paymentMethod };
          return [{ type: 'SubscriptionChanged', data }];
        },
      };
    },
    2,
  ),
  'cancel the plan': on(fc.constantFrom(ada, root, eve), (by, world, { now }) => ({
    command: cancelSubscription,
    input: by === ada ? {} : { accountId },
    actor: by,
    expect: () => {
      if (by === eve) return 'permission-missing';
      if (!isThere(world)) return 'account-unknown';
      if (world.plan === 'free') return 'no-paid-plan';
      if (world.subscription.status === 'cancelled') return 'already-cancelled';
      const effectiveAt = world.subscription.expiresAt ?? now.toISOString();
      world.subscription = { ...world.subscription, status: 'cancelled', expiresAt: effectiveAt, autoRenew: false };
      const cancelled = { type: 'SubscriptionCancelled', data: { accountId, effectiveAt } };
      return Date.parse(effectiveAt) > now.getTime() ? [cancelled] : [cancelled, expired(world)];
    },
  })),
  'the plan runs out': on(fc.constant({ accountId }), (input, world, { now }) => ({
    command: expireSubscription,
    input,
    actor: system,
    twice: 'nothing',
    expect: () => {
      const end = world.subscription.expiresAt;
      const over = end !== undefined && Date.parse(end) <= now.getTime();
      return isThere(world) && world.plan !== 'free' && over ? [expired(world)] : [];
    },
  })),
};
