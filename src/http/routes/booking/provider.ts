import { z } from 'zod';
import { AvailabilityAnswer, ProfileAnswer } from '../../../commands/booking/answers.ts';
import { dateIn } from '../../../domain/booking/grid.ts';
import { line } from '../../../domain/fields.ts';
import { appointments, listAppointments } from '../../../projections/booking/appointments.ts';
import { directory, profileOf, providerProfiles } from '../../../projections/booking/providerProfiles.ts';
import { SLOT_STATUS, slotsOfProvider, timeSlots } from '../../../projections/booking/timeSlots.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { answer, listAnswer, offsetOf, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { atMostDays, rangeEnd, rangeOf } from '../../dateRange.ts';
import { single, unchangedSince } from '../../etag.ts';
import { Problem } from '../../problem.ts';
import { accountOf } from '../../request.ts';
import { appointmentFilters, DEFAULT_DAYS, MOST_DAYS, orderOf } from './appointments.ts';
import { availabilityView, localTime, ProvidedAppointment, profileView, provided } from './views.ts';

const DAY_MS = 86_400_000;

const ListedSlot = z.object({
  id: z.string(),
  startTime: z.string(),
  endTime: z.string(),
  localStart: z.string(),
  localEnd: z.string(),
  isAvailable: z.boolean().describe('Neither taken nor blocked'),
  booked: z.boolean(),
  appointmentId: z.string().nullable(),
});
const ListedProvider = z.object({
  id: z.string(),
  name: z.string(),
  bio: z.string().nullable(),
  timezone: z.string(),
});

/** What providers read of their own profile, slots and appointments, and the directory of providers. */
export const providerRoutes = (app: App, { db, commands }: Deps): void => {
  const ownProfile = async (accountId: string) => {
    const row = await profileOf(db, accountId);
    if (row !== undefined) return row;
    throw new Problem('FORBIDDEN', 'This account gives no appointments', { reason: 'no-provider-profile' });
  };

  app.get(
    '/provider/profile',
    {
      config: { access: 'manage:availability', reads: [providerProfiles] },
      schema: { summary: 'Your profile as a provider', response: { 200: answer(ProfileAnswer), ...unchangedSince } },
    },
    async (request, reply) => {
      const row = await ownProfile(accountOf(request));
      return single(request, reply, profileView(row), row.version);
    },
  );

  app.get(
    '/provider/availability',
    {
      config: { access: 'manage:availability', reads: [providerProfiles] },
      schema: {
        summary: 'Your working hours, notice and horizon',
        response: { 200: answer(AvailabilityAnswer), ...unchangedSince },
      },
    },
    async (request, reply) => {
      const row = await ownProfile(accountOf(request));
      return single(request, reply, availabilityView(row), row.version);
    },
  );

  app.get(
    '/provider/timeslots',
    {
      config: { access: 'manage:availability', reads: [providerProfiles, timeSlots] },
      schema: {
        summary: 'Your slots, taken ones included; a week from today when no range is asked for',
        querystring: z.object({
          ...page({ max: 100 }),
          from: rangeEnd.optional(),
          to: rangeEnd.optional(),
          status: z.enum(SLOT_STATUS).optional(),
        }),
        response: { 200: listAnswer('items', ListedSlot) },
      },
    },
    async (request) => {
      const { query } = request;
      const { provider_id: providerId, timezone } = await ownProfile(accountOf(request));
      const today = dateIn(timezone, commands.reads.now());
      const wanted = rangeOf({ ...query, from: query.from ?? (query.to === undefined ? today : undefined) }, timezone);
      const from = wanted.from ?? new Date(Date.parse(wanted.to ?? today) - DEFAULT_DAYS * DAY_MS).toISOString();
      const to = wanted.to ?? new Date(Date.parse(from) + DEFAULT_DAYS * DAY_MS).toISOString();
      atMostDays({ from, to }, MOST_DAYS);
      const { items, total } = await slotsOfProvider(db, { ...query, providerId, from, to, offset: offsetOf(query) });
      const slots = items.map((slot) => ({
        id: slot.slot_id,
        startTime: slot.start_time,
        endTime: slot.end_time,
        localStart: localTime(slot.start_time, timezone),
        localEnd: localTime(slot.end_time, timezone),
        isAvailable: slot.appointment_id === null && !slot.blocked,
        booked: slot.appointment_id !== null,
        appointmentId: slot.appointment_id,
      }));
      return paginated('items', slots, total, query);
    },
  );

  app.get(
    '/provider/appointments',
    {
      config: { access: 'read:provider-appointments', reads: [appointments, providerProfiles, accounts] },
      schema: {
        summary: 'The appointments in your calendar',
        querystring: z.object({ ...page({ max: 100 }), ...appointmentFilters }),
        response: { 200: listAnswer('appointments', ProvidedAppointment) },
      },
    },
    async (request) => {
      const { query } = request;
      const { provider_id: providerId, timezone } = await ownProfile(accountOf(request));
      const { items, total } = await listAppointments(db, {
        ...query,
        ...rangeOf(query, query.timezone ?? timezone),
        of: { providerId },
        order: orderOf(query),
        now: commands.reads.now(),
        offset: offsetOf(query),
      });
      return paginated(
        'appointments',
        items.map((row) => provided(row, query.timezone)),
        total,
        query,
      );
    },
  );

  app.get(
    '/provider/directory',
    {
      config: { access: 'loggedIn', reads: [providerProfiles] },
      schema: {
        summary: 'Who gives appointments',
        querystring: z.object({ ...page(), q: line(1, 100).optional() }),
        response: { 200: listAnswer('items', ListedProvider) },
      },
    },
    async ({ query }) => {
      const { items, total } = await directory(db, { ...query, offset: offsetOf(query) });
      const providers = items.map(({ provider_id: id, display_name: name, bio, timezone }) => ({
        id,
        name,
        bio,
        timezone,
      }));
      return paginated('items', providers, total, query);
    },
  );
};
