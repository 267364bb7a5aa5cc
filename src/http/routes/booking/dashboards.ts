import { z } from 'zod';
import { appointmentFigures } from '../../../projections/analytics/appointmentFigures.ts';
import { slotsByBucket } from '../../../projections/analytics/bookingFigures.ts';
import { appointments, listAppointments } from '../../../projections/booking/appointments.ts';
import { calendarSyncs } from '../../../projections/booking/calendarSyncs.ts';
import {
  countByStatus,
  countCancelledSince,
  latestChanges,
  peakOf,
  returningClients,
} from '../../../projections/booking/dashboards.ts';
import { providerProfiles } from '../../../projections/booking/providerProfiles.ts';
import { availableSlots, timeSlots } from '../../../projections/booking/timeSlots.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { answer, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { accountOf } from '../../request.ts';
import { BookingFigures, bookingFiguresOf } from '../analytics/bookingFigures.ts';
import { rate, windowOf, windowQuery } from '../analytics/window.ts';
import { ownProfile } from './ownProfile.ts';
import { ListedAppointment, listed, PartyName, ProvidedAppointment, provided } from './views.ts';

const UPCOMING = 5;
const PAST = 5;
const CHANGES = 10;
/** As many half hours as a day has on which clocks go back by two hours. */
const PER_DAY = 52;
const DAYS_AHEAD = 7;
const CANCELLATION_DAYS = 30;

const StatusCounts = z.object({ SCHEDULED: z.int(), COMPLETED: z.int(), CANCELLED: z.int() });

const ClientDashboard = z.object({
  next: ListedAppointment.nullable(),
  upcoming: z.array(ListedAppointment).describe('Up to 5, the next one first'),
  counts: StatusCounts,
  past: z.array(ListedAppointment).describe('The last 5'),
});

const ProviderDashboard = z.object({
  timezone: z.string(),
  today: z.array(ProvidedAppointment).describe('What was not cancelled, in order'),
  nextDays: z.array(ProvidedAppointment).describe('The seven days from tomorrow on, without what was cancelled'),
  thisWeek: StatusCounts.describe('By start; weeks begin on Monday'),
  thisMonth: StatusCounts,
  freeSlots: z.int().describe('That clients could book now in the next seven days'),
  utilisation: z.number().describe('Booked and not cancelled divided by offered slots of this month, 0 to 1'),
  cancellations: z.int().describe('Of the last 30 days'),
  changes: z.array(
    z.object({
      appointmentId: z.string(),
      event: z.string(),
      at: z.string(),
      by: PartyName,
      clientName: z.string().nullable(),
      startTime: z.string(),
    }),
  ),
});

const ProviderFigures = BookingFigures.extend({
  busiest: z
    .object({ weekday: z.int().nullable().describe('1 is Monday'), hour: z.int().nullable() })
    .describe('With most starts not cancelled, in the zone of the figures; null without any'),
  clients: z.int().describe('With an appointment that was not cancelled'),
  repeatClients: z.int().describe('Of them, those with more than one'),
});

const instantOf = (at: Temporal.ZonedDateTime): string => at.toInstant().toString({ fractionalSecondDigits: 3 });

/** What clients and providers see first, and the figures of a provider. */
export const dashboardRoutes = (app: App, { db, commands: { reads } }: Deps): void => {
  app.get(
    '/appointments/dashboard',
    {
      config: { access: 'loggedIn', reads: [appointments, providerProfiles, accounts, calendarSyncs] },
      schema: { summary: 'Your own appointments at a glance', response: { 200: answer(ClientDashboard) } },
    },
    async (request) => {
      const now = reads.now();
      const of = { clientId: accountOf(request) };
      const list = { of, sort: 'startTime', now, offset: 0 } as const;
      const [ahead, behind, counts] = await Promise.all([
        listAppointments(db, { ...list, status: 'SCHEDULED', when: 'upcoming', order: 'asc', limit: UPCOMING }),
        listAppointments(db, { ...list, when: 'past', order: 'desc', limit: PAST }),
        countByStatus(db, of),
      ]);
      const upcoming = ahead.items.map((row) => listed(row));
      return ok({ next: upcoming[0] ?? null, upcoming, counts, past: behind.items.map((row) => listed(row)) });
    },
  );

  app.get(
    '/provider/dashboard',
    {
      config: {
        access: 'read:provider-appointments',
        reads: [appointments, providerProfiles, accounts, calendarSyncs, timeSlots],
      },
      schema: { summary: 'Your calendar at a glance', response: { 200: answer(ProviderDashboard) } },
    },
    async (request) => {
      const { provider_id: providerId, timezone } = await ownProfile(db, accountOf(request));
      const now = reads.now();
      const local = Temporal.Instant.from(now.toISOString()).toZonedDateTimeISO(timezone);
      const today = local.startOfDay();
      const span = (from: Temporal.ZonedDateTime, to: Temporal.ZonedDateTime) => ({
        from: instantOf(from.startOfDay()),
        to: instantOf(to.startOfDay()),
      });
      const tomorrow = today.add({ days: 1 });
      const monday = today.subtract({ days: today.dayOfWeek - 1 });
      const first = today.with({ day: 1 });
      const month = span(first, first.add({ months: 1 }));
      const of = { providerId };
      const day = async (within: { from: string; to: string }, days: number) => {
        const list = { of, without: 'CANCELLED', sort: 'startTime', order: 'asc', now, offset: 0 } as const;
        const { items } = await listAppointments(db, { ...list, ...within, limit: days * PER_DAY });
        return items.map((row) => provided(row));
      };
      const window = { from: now.toISOString(), to: instantOf(local.add({ days: DAYS_AHEAD })) };
      const [ofToday, nextDays, thisWeek, thisMonth, free, offers, cancellations, changes] = await Promise.all([
        day(span(today, tomorrow), 1),
        day(span(tomorrow, tomorrow.add({ days: DAYS_AHEAD })), DAYS_AHEAD),
        countByStatus(db, of, span(monday, monday.add({ weeks: 1 }))),
        countByStatus(db, of, month),
        availableSlots(db, { ...window, providerId, accountId: providerId, now, limit: 1, offset: 0 }),
        slotsByBucket(db, { ...month, providerId }, 'month', timezone),
        countCancelledSince(db, providerId, instantOf(local.subtract({ days: CANCELLATION_DAYS }))),
        latestChanges(db, providerId, CHANGES),
      ]);
      const [offer] = offers.values();
      return ok({
        timezone,
        today: ofToday,
        nextDays,
        thisWeek,
        thisMonth,
        freeSlots: Number(free.total),
        utilisation: offer === undefined ? 0 : rate(offer.taken, offer.offered),
        cancellations,
        changes: changes.map(({ appointmentId, event, at, by, clientName, startTime }) => ({
          appointmentId,
          event,
          at,
          by,
          clientName,
          startTime,
        })),
      });
    },
  );

  app.get(
    '/provider/analytics',
    {
      config: { access: 'read:booking-analytics', reads: [appointmentFigures, timeSlots, providerProfiles] },
      schema: {
        summary: 'The figures of your calendar, in your time zone',
        querystring: z.object({ ...windowQuery, groupBy: z.enum(['day', 'week', 'month']).default('day') }),
        response: { 200: answer(ProviderFigures) },
      },
    },
    async (request) => {
      const { query } = request;
      const { provider_id: providerId, timezone } = await ownProfile(db, accountOf(request));
      const now = reads.now();
      const window = windowOf(query, timezone, now);
      const [figures, busiest, people] = await Promise.all([
        bookingFiguresOf(db, { window, groupBy: query.groupBy, providerId, now }),
        peakOf(db, providerId, window, timezone),
        returningClients(db, providerId, window),
      ]);
      return ok({ ...figures, busiest, ...people });
    },
  );
};
