import { z } from 'zod';
import { bindingOf } from '../../../commands/bindings.ts';
import { uuid } from '../../../domain/fields.ts';
import { reactivateAccount } from '../../../domain/identity/account/index.ts';
import { answer, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { runCommand } from '../../commandRoutes.ts';
import { PROFILE_SOURCES, UserView, userView } from './profileView.ts';

/** Opening accounts again, with the account in the answer. */
export const closingRoutes = (app: App, deps: Deps): void => {
  app.post(
    '/users/:accountId/reactivate',
    {
      config: { access: '*:*', runsCommand: true },
      schema: {
        summary: 'Opens an account again that was deactivated',
        params: z.object({ accountId: uuid }),
        response: { 200: answer(UserView) },
      },
    },
    async (request, reply) => {
      const input = { accountId: request.params.accountId };
      const { position } = await runCommand(app, deps, bindingOf(reactivateAccount), { request, reply, input });
      await deps.caughtUp(PROFILE_SOURCES, position);
      return ok(await userView(deps, input.accountId));
    },
  );
};
