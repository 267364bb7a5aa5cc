import { z } from 'zod';
import { type Actor, can } from '../../../domain/decider.ts';
import { timeZone, uuid } from '../../../domain/fields.ts';
import { appointmentFigures } from '../../../projections/analytics/appointmentFigures.ts';
import { providerProfiles } from '../../../projections/booking/providerProfiles.ts';
import { timeSlots } from '../../../projections/booking/timeSlots.ts';
import { answer, found, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { demandOneOf } from '../../auth.ts';
import { Problem } from '../../problem.ts';
import { actorOf } from '../../request.ts';
import { BookingFigures, bookingFiguresOf } from './bookingFigures.ts';
import { windowOf, windowQuery } from './window.ts';

/** Whose figures the caller sees: those of the provider asked for, his own, or (undefined) all. Throws 403. */
const scopeOf = (actor: Actor, providerId: string | undefined): string | undefined => {
  if (can(actor, 'read:all-analytics')) return providerId;
  if (providerId !== undefined && providerId !== actor.id)
    throw new Problem('FORBIDDEN', 'You may read the figures of your own calendar alone', {
      reason: 'not-own-figures',
    });
  return actor.id;
};

/** GET /analytics/booking: what was offered, booked, cancelled and attended. */
export const bookingAnalyticsRoutes = (app: App, { db, commands: { reads } }: Deps): void => {
  const zoneOf = async (providerId: string | undefined, mustExist: boolean): Promise<string> => {
    if (providerId === undefined) return 'UTC';
    const row = await db
      .selectFrom('provider_profiles')
      .select('timezone')
      .where('provider_id', '=', providerId)
      .executeTakeFirst();
    return (mustExist ? found(row, 'provider') : row)?.timezone ?? 'UTC';
  };

  app.get(
    '/analytics/booking',
    {
      config: { access: 'loggedIn', reads: [appointmentFigures, timeSlots, providerProfiles], refuses: [404] },
      preValidation: demandOneOf('read:booking-analytics', 'read:all-analytics'),
      schema: {
        tags: ['analytics'],
        summary: 'Figures of bookings: own ones for providers, all with read:all-analytics',
        querystring: z.object({
          ...windowQuery,
          providerId: uuid.optional(),
          groupBy: z.enum(['day', 'week', 'month']).default('day'),
          timezone: timeZone.optional().describe("Default: the provider's, else UTC"),
        }),
        response: { 200: answer(BookingFigures) },
      },
    },
    async (request) => {
      const { query } = request;
      const actor = actorOf(request);
      const providerId = scopeOf(actor, query.providerId);
      const ownZone = await zoneOf(providerId, query.providerId !== undefined && providerId !== actor.id);
      const now = reads.now();
      const window = windowOf(query, query.timezone ?? ownZone, now);
      return ok(await bookingFiguresOf(db, { window, groupBy: query.groupBy, providerId, now }));
    },
  );
};
