import { z } from 'zod';
import { reject } from '../../decider.ts';
import { instant, line, uuid } from '../../fields.ts';
import { type AccountEvent, PLANS, type Plan } from './events.ts';
import { accountUnknown, refuseForeign } from './refusals.ts';
import { type Account, command } from './state.ts';

/** Planners that the free plan has room for. */
const FREE_PLANNERS = 5;

/** What a plan allows beside what every account may do. `planners`: null stands for any number. */
export const limitsOf = (plan: Plan) => ({
  planners: plan === 'free' ? FREE_PLANNERS : null,
  exports: plan !== 'free',
  ai: plan !== 'free',
});

const isThere = ({ status }: Account): boolean => status === 'active' || status === 'deactivated';

/** The references that the payment service knows a subscription by, as the history tells them. */
export type References = {
  readonly paymentMethod?: string | undefined;
  readonly stripeCustomerId?: string | undefined;
  readonly stripeSubscriptionId?: string | undefined;
};

const reference = line(1, 100).optional();
const REFERENCES = ['paymentMethod', 'stripeCustomerId', 'stripeSubscriptionId'] as const;

const given = (input: References): References =>
  Object.fromEntries(REFERENCES.flatMap((name) => (input[name] === undefined ? [] : [[name, input[name]]])));

/**
 * Puts an account on a plan, for good or until an instant; a renewal is the same plan with a later end. The free plan
 * never ends. Asking for what already is changes nothing.
 */
export const changeSubscription = command(
  'ChangeSubscription',
  z.object({
    accountId: uuid,
    plan: z.enum(PLANS),
    expiresAt: instant.optional().describe('When a paid plan ends unless it is renewed'),
    autoRenew: z.boolean().default(false),
    paymentMethod: reference,
    stripeCustomerId: reference,
    stripeSubscriptionId: reference,
  }),
  (input, state, { now, facts }: { now: Date; facts: References }) => {
    const { accountId, plan } = input;
    const paid = plan !== 'free';
    const expiresAt = paid ? input.expiresAt : undefined;
    const autoRenew = paid && input.autoRenew;
    if (input.expiresAt !== undefined && Date.parse(input.expiresAt) <= now.getTime())
      return reject('VALIDATION_ERROR', 'expiry-past', 'The end must lie in the future', 'expiresAt');
    if (paid && expiresAt === undefined && !autoRenew)
      return reject('VALIDATION_ERROR', 'expiry-missing', 'A paid plan has an end or renews itself', 'expiresAt');
    if (!isThere(state)) return accountUnknown();
    const { subscription } = state;
    const goesOn = state.plan === plan && subscription.status === 'active';
    const same = goesOn && subscription.expiresAt === expiresAt && subscription.autoRenew === autoRenew;
    if (same && REFERENCES.every((name) => facts[name] === input[name])) return [];
    return [
      {
        type: 'SubscriptionChanged',
        data: {
          accountId,
          fromPlan: state.plan,
          plan,
          status: 'active',
          startedAt: (goesOn ? subscription.startedAt : undefined) ?? now.toISOString(),
          ...(expiresAt === undefined ? {} : { expiresAt }),
          autoRenew,
          ...given(input),
        },
      },
    ];
  },
);

const expired = (accountId: string, previousPlan: Plan): AccountEvent => ({
  type: 'SubscriptionExpired',
  data: { accountId, previousPlan },
});

/** Ends a paid plan: its benefits last until its end, or until now when it has none. */
export const cancelSubscription = command(
  'CancelSubscription',
  z.object({ accountId: uuid.optional().describe('The own account when omitted') }),
  ({ accountId: named }, state, { actor, now }) => {
    const accountId = named ?? actor.id;
    const refusal = refuseForeign(accountId, actor, '*:*');
    if (refusal !== undefined) return refusal;
    if (!isThere(state)) return accountUnknown();
    const { plan, subscription } = state;
    if (plan === 'free') return reject('CONFLICT', 'no-paid-plan', 'This account has no paid plan');
    if (subscription.status === 'cancelled')
      return reject('CONFLICT', 'already-cancelled', 'This subscription is cancelled already');
    const effectiveAt = subscription.expiresAt ?? now.toISOString();
    const cancelled: AccountEvent = { type: 'SubscriptionCancelled', data: { accountId, effectiveAt } };
    return Date.parse(effectiveAt) > now.getTime() ? [cancelled] : [cancelled, expired(accountId, plan)];
  },
);

/** Takes note that a paid plan has come to its end and was not renewed. Before that nothing happens. */
export const expireSubscription = command(
  'ExpireSubscription',
  z.object({ accountId: uuid }),
  ({ accountId }, state, { now }) => {
    const { plan, subscription } = state;
    const end = subscription.expiresAt;
    if (!isThere(state) || plan === 'free' || end === undefined || Date.parse(end) > now.getTime()) return [];
    return [expired(accountId, plan)];
  },
);
