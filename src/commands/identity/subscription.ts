import { z } from 'zod';
import { SYSTEM_ROLES } from '../../domain/access/systemRoles.ts';
import { PLANS, type Plan } from '../../domain/identity/account/events.ts';
import * as accounts from '../../domain/identity/account/index.ts';
import { type Account, account, limitsOf, type References } from '../../domain/identity/account/index.ts';
import { bind, internal } from '../binding.ts';
import type { Reads } from '../reads.ts';

/** What an account pays for, and what it gets for that. */
export const SubscriptionView = z.object({
  plan: z.enum(PLANS),
  status: z.enum(['active', 'cancelled', 'expired']),
  startedAt: z.string().nullable(),
  expiresAt: z.string().nullable().describe('When the benefits end unless the plan is renewed'),
  autoRenew: z.boolean(),
  benefits: z.array(z.string()).describe('Permissions that the plan adds to what every account may do'),
  limits: z.object({
    planners: z.int().nullable().describe('How many there may be; null for any number'),
    exports: z.boolean(),
    ai: z.boolean(),
  }),
});

/** Permissions that a plan adds to those of the free one. */
const BENEFITS: Readonly<Record<Plan, readonly string[]>> = {
  free: [],
  premium: SYSTEM_ROLES.premium.permissions,
  enterprise: [...SYSTEM_ROLES.premium.permissions, ...SYSTEM_ROLES.enterprise.permissions],
};

/** The subscription of an account, with what its plan allows. */
export const subscriptionView = ({
  plan,
  subscription,
}: Pick<Account, 'plan' | 'subscription'>): z.output<typeof SubscriptionView> => ({
  plan,
  status: subscription.status,
  startedAt: subscription.startedAt ?? null,
  expiresAt: subscription.expiresAt ?? null,
  autoRenew: subscription.autoRenew,
  benefits: [...BENEFITS[plan]],
  limits: limitsOf(plan),
});

/** The references of the payment service, which no state may hold, as the history tells them. */
const referencesOf = async (reads: Reads, accountId: string): Promise<References> => {
  const latest = (await reads.history(account, accountId)).findLast(({ type }) => type === 'SubscriptionChanged');
  return latest?.type === 'SubscriptionChanged' ? latest.data : {};
};

const answer = { schema: SubscriptionView, of: ({ state }: { readonly state: Account }) => subscriptionView(state) };

/** What accounts pay for. */
export const subscriptionBindings = [
  bind(accounts.changeSubscription, {
    path: 'PUT /users/:accountId/subscription',
    access: '*:*',
    stream: ({ accountId }) => accountId,
    facts: ({ accountId }, reads) => referencesOf(reads, accountId),
    answer,
    summary: 'Puts an account on a plan',
    example: {
      accountId: '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01',
      plan: 'premium',
      expiresAt: '2030-03-01T00:00:00.000Z',
      autoRenew: true,
    },
  }),
  bind(accounts.cancelSubscription, {
    path: 'POST /users/me/subscription/cancel',
    access: 'loggedIn',
    unverified: true,
    stream: ({ accountId }, { actor }) => accountId ?? actor.id,
    answer,
    summary: 'Cancels the own paid plan: its benefits last until its end',
    example: {},
  }),
  internal(accounts.expireSubscription, ({ accountId }) => accountId),
];
