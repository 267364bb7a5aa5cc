import { SubscriptionView, subscriptionView } from '../../../commands/identity/subscription.ts';
import { account } from '../../../domain/identity/account/index.ts';
import { answer, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { callerOf } from '../../request.ts';

/** What the own account pays for, as the log itself knows it. */
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
};
