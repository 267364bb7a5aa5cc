import { z } from 'zod';
import { PROVIDERS } from '../../../domain/messaging/offers.ts';
import { calendarSyncs, syncFigures } from '../../../projections/booking/calendarSyncs.ts';
import { integrations, integrationsOf, known } from '../../../projections/messaging/integrations.ts';
import { answer, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { accountOf } from '../../request.ts';

const CalendarStatusAnswer = z.object({
  connected: z.boolean(),
  configured: z.boolean().describe('Whether calendars can be connected here at all'),
  provider: z.enum(PROVIDERS).nullable(),
  account: z.string().nullable().describe('What its holder calls the account whose calendar it is'),
  connectedAt: z.string().nullable(),
  lastSyncAt: z.string().nullable().describe('When an appointment was last brought to the calendar'),
  failures: z.int().describe('Appointments that are not there although they should be, and are not tried any more'),
  needsReconnect: z.boolean(),
});

/** How the caller's calendar stands. */
export const calendarRoutes = (app: App, { db, commands: { reads } }: Deps): void => {
  app.get(
    '/calendar/status',
    {
      config: { access: 'loggedIn', reads: [integrations, calendarSyncs] },
      schema: {
        summary: 'Whether your calendar is connected, and how writing to it goes',
        response: { 200: answer(CalendarStatusAnswer) },
      },
    },
    async (request) => {
      const accountId = accountOf(request);
      const rows = (await integrationsOf(db, accountId)).filter((row) => known(row).capabilities.includes('calendar'));
      const row = rows.find(({ status }) => status === 'active') ?? rows[0];
      const { failures, lastSyncAt } = await syncFigures(db, accountId);
      return ok({
        connected: row?.status === 'active',
        configured: reads.connectors.providers.google !== undefined,
        provider: row?.provider ?? null,
        account: row?.external_account ?? null,
        connectedAt: row?.connected_at ?? null,
        lastSyncAt,
        failures,
        needsReconnect: row?.status === 'needs_reconnect',
      });
    },
  );
};
