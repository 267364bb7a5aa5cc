import { z } from 'zod';
import { SubscriptionView, subscriptionView } from '../../../commands/identity/subscription.ts';
import { uuid } from '../../../domain/fields.ts';
import { account } from '../../../domain/identity/account/index.ts';
import { answer, found, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { callerOf } from '../../request.ts';
import { othersNeed } from './users.ts';

/** What accounts pay for, as the log itself knows it. */
export const subscriptionRoutes = (app: App, { commands }: Deps): void => {
  app.get(
    '/users/me/subscription',
    {
      config: { access: 'loggedIn', unverified: true },
      schema: { summary: 'The own subscription and what it allows', response: { 200: answer(SubscriptionView) } },
    },
    async (request) => {
      const { state } = await commands.reads.load(account, callerOf(request).accountId);
      return ok(subscriptionView(state));
    },
  );

  app.get(
    '/users/:accountId/subscription',
    {
      config: { access: 'loggedIn' },
      preValidation: othersNeed('read:users'),
      schema: {
        summary: 'The subscription of an account and what it allows',
        params: z.object({ accountId: uuid }),
        response: { 200: answer(SubscriptionView) },
      },
    },
    async ({ params: { accountId } }) => {
      const { state } = await commands.reads.load(account, accountId);
      const isThere = state.status === 'active' || state.status === 'deactivated';
      return ok(subscriptionView(found(isThere ? state : undefined, 'account')));
    },
  );
};
