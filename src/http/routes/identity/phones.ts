import { z } from 'zod';
import { PhoneItem } from '../../../commands/identity/phones.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { answer, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { callerOf } from '../../request.ts';
import { accountRow } from './profileView.ts';

/** The own telephone numbers, oldest first. */
export const phoneRoutes = (app: App, deps: Deps): void => {
  app.get(
    '/users/me/phone-numbers',
    {
      config: { access: 'loggedIn', unverified: true, reads: [accounts] },
      schema: {
        summary: 'The own telephone numbers, oldest first',
        response: { 200: answer(z.object({ items: z.array(PhoneItem) })) },
      },
    },
    async (request) => {
      const { phones, primary_phone_id } = await accountRow(deps, callerOf(request).accountId);
      const items = phones.map(({ id, number, label, addedAt, verifiedAt }) => ({
        id,
        number,
        label,
        verified: verifiedAt !== null,
        primary: id === primary_phone_id,
        addedAt,
      }));
      return ok({ items });
    },
  );
};
