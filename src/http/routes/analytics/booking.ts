import { z } from 'zod';
import { type Actor, can } from '../../../domain/decider.ts';
import { timeZone, uuid } from '../../../domain/fields.ts';
import { appointmentFigures } from '../../../projections/analytics/appointmentFigures.ts';
import {
  bookingsByBucket,
  leadTimeOf,
  revenueOf,
  slotsByBucket,
} from '../../../projections/analytics/bookingFigures.ts';
import { providerProfiles } from '../../../projections/booking/providerProfiles.ts';
import { timeSlots } from '../../../projections/booking/timeSlots.ts';
import { answer, found, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { demandOneOf } from '../../auth.ts';
import { Problem } from '../../problem.ts';
import { actorOf } from '../../request.ts';
import { bucketsOf, rate, windowOf, windowQuery } from './window.ts';

const count = z.int().min(0);
const fraction = z.number().min(0);
const figures = {
  offered: count.describe('Slots neither blocked nor removed, booked ones included'),
  booked: count.describe('Appointments, later cancelled ones included'),
  cancelled: count,
  attended: count,
  noShow: count,
  utilisation: fraction.describe('Booked and not cancelled, divided by offered'),
  cancellationRate: fraction.describe('Cancelled divided by booked'),
  noShowRate: fraction.describe('Not attended divided by completed'),
};
const Figures = z.object({
  from: z.string(),
  to: z.string(),
  timezone: z.string(),
  groupBy: z.enum(['day', 'week', 'month']),
  asOf: z.string(),
  providerId: z.string().nullable().describe('null: all providers'),
  totals: z.object({
    ...figures,
    completed: count,
    medianLeadMinutes: z.number().describe('From booking to the start booked first'),
    revenue: z
      .array(z.object({ currency: z.string(), amount: z.int() }))
      .nullable()
      .describe('Of attended appointments, in the smallest unit; null without a price'),
  }),
  trend: z.object({
    previousBooked: count.describe('In the span of equal length before'),
    change: z.number().describe('Of booked against it, as a fraction; 0 when there is nothing to compare with'),
  }),
  series: z.array(z.object({ start: z.string().describe('Beginning of the bucket, with offset'), ...figures })),
});

type Counts = {
  readonly booked: number;
  readonly cancelled: number;
  readonly attended: number;
  readonly noShow: number;
};
type Offer = { readonly offered: number; readonly taken: number };
const none: Counts & Offer = { booked: 0, cancelled: 0, attended: 0, noShow: 0, offered: 0, taken: 0 };

const figuresOf = ({ offered, taken, booked, cancelled, attended, noShow }: Counts & Offer) => ({
  offered,
  booked,
  cancelled,
  attended,
  noShow,
  utilisation: rate(taken, offered),
  cancellationRate: rate(cancelled, booked),
  noShowRate: rate(noShow, attended + noShow),
});

const sum = (all: readonly (Counts & Offer)[]): Counts & Offer =>
  all.reduce(
    (a, b) => ({
      booked: a.booked + b.booked,
      cancelled: a.cancelled + b.cancelled,
      attended: a.attended + b.attended,
      noShow: a.noShow + b.noShow,
      offered: a.offered + b.offered,
      taken: a.taken + b.taken,
    }),
    none,
  );

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
export const bookingAnalyticsRoutes = (app: App, { db }: Deps): void => {
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
        response: { 200: answer(Figures) },
      },
    },
    async (request) => {
      const { query } = request;
      const actor = actorOf(request);
      const providerId = scopeOf(actor, query.providerId);
      const ownZone = await zoneOf(providerId, query.providerId !== undefined && providerId !== actor.id);
      const now = new Date();
      const window = windowOf(query, query.timezone ?? ownZone, now);
      const span = { from: window.from, to: window.to, providerId };
      const length = Date.parse(window.to) - Date.parse(window.from);
      const before = { from: new Date(Date.parse(window.from) - length).toISOString(), to: window.from, providerId };
      const [bookings, slots, lead, earlier, revenue] = await Promise.all([
        bookingsByBucket(db, span, query.groupBy, window.zone),
        slotsByBucket(db, span, query.groupBy, window.zone),
        leadTimeOf(db, span),
        leadTimeOf(db, before),
        revenueOf(db, span),
      ]);
      const series = bucketsOf(window, query.groupBy).map(({ key, start }) => ({
        start,
        counts: { ...none, ...bookings.get(key), ...slots.get(key) },
      }));
      const total = sum(series.map(({ counts }) => counts));
      return ok({
        from: window.from,
        to: window.to,
        timezone: window.zone,
        groupBy: query.groupBy,
        asOf: now.toISOString(),
        providerId: providerId ?? null,
        totals: {
          ...figuresOf(total),
          completed: total.attended + total.noShow,
          medianLeadMinutes: lead.minutes,
          revenue: revenue.length === 0 ? null : revenue,
        },
        trend: { previousBooked: earlier.booked, change: rate(lead.booked - earlier.booked, earlier.booked) },
        series: series.map(({ start, counts }) => ({ start, ...figuresOf(counts) })),
      });
    },
  );
};
