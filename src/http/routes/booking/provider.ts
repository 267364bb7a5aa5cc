import { z } from 'zod';
import { AvailabilityAnswer, GenerationAnswer, ProfileAnswer, SlotAnswer } from '../../../commands/booking/answers.ts';
import { generateBinding } from '../../../commands/booking/providers.ts';
import { addBinding } from '../../../commands/booking/slots.ts';
import { dateIn } from '../../../domain/booking/grid.ts';
import { generateTimeSlots } from '../../../domain/booking/provider/index.ts';
import { addTimeSlot } from '../../../domain/booking/schedule/index.ts';
import { DAY_MS } from '../../../domain/durations.ts';
import { line } from '../../../domain/fields.ts';
import { appointments, listAppointments } from '../../../projections/booking/appointments.ts';
import { calendarSyncs } from '../../../projections/booking/calendarSyncs.ts';
import { directory, providerProfiles } from '../../../projections/booking/providerProfiles.ts';
import { SLOT_STATUS, slotsOfProvider, timeSlots } from '../../../projections/booking/timeSlots.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { answer, listAnswer, offsetOf, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { runCommand } from '../../commandRoutes.ts';
import { atMostDays, rangeEnd, rangeOf } from '../../dateRange.ts';
import { single, unchangedSince } from '../../etag.ts';
import { accountOf } from '../../request.ts';
import { appointmentFilters, DEFAULT_DAYS, MOST_DAYS, orderOf } from './appointments.ts';
import { ownProfile } from './ownProfile.ts';
import { availabilityView, localTime, ProvidedAppointment, profileView, provided } from './views.ts';

const ListedSlot = z.object({
  id: z.string(),
  startTime: z.string(),
  endTime: z.string(),
  localStart: z.string(),
  localEnd: z.string(),
  isAvailable: z.boolean().describe('Neither taken nor blocked nor closed by an exception'),
  booked: z.boolean(),
  appointmentId: z.string().nullable(),
  heldUntil: z
    .string()
    .nullable()
    .describe('Until then somebody who is about to book it keeps it; you may change it all the same'),
});
/** The fields of both commands; the one that is meant says which of them it needs. */
const OneOrMany = z
  .object({
    ...addTimeSlot.input.shape,
    ...generateTimeSlots.input.shape,
  })
  .partial();

const ListedProvider = z.object({
  id: z.string(),
  name: z.string(),
  bio: z.string().nullable(),
  timezone: z.string(),
});

/** What providers read of their own profile, slots and appointments, and the directory of providers. */
export const providerRoutes = (app: App, deps: Deps): void => {
  const { db, commands } = deps;
  app.get(
    '/provider/profile',
    {
      config: { access: 'manage:availability', reads: [providerProfiles] },
      schema: { summary: 'Your profile as a provider', response: { 200: answer(ProfileAnswer), ...unchangedSince } },
    },
    async (request, reply) => {
      const row = await ownProfile(db, accountOf(request));
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
      const row = await ownProfile(db, accountOf(request));
      return single(request, reply, availabilityView(row, dateIn(row.timezone, commands.reads.now())), row.version);
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
      const { provider_id: providerId, timezone } = await ownProfile(db, accountOf(request));
      const today = dateIn(timezone, commands.reads.now());
      const wanted = rangeOf({ ...query, from: query.from ?? (query.to === undefined ? today : undefined) }, timezone);
      const from = wanted.from ?? new Date(Date.parse(wanted.to ?? today) - DEFAULT_DAYS * DAY_MS).toISOString();
      const to = wanted.to ?? new Date(Date.parse(from) + DEFAULT_DAYS * DAY_MS).toISOString();
      atMostDays({ from, to }, MOST_DAYS, query.to);
      const { items, total } = await slotsOfProvider(db, { ...query, providerId, from, to, offset: offsetOf(query) });
      const slots = items.map((slot) => ({
        id: slot.slot_id,
        startTime: slot.start_time,
        endTime: slot.end_time,
        localStart: localTime(slot.start_time, timezone),
        localEnd: localTime(slot.end_time, timezone),
        isAvailable: slot.appointment_id === null && !slot.blocked && !slot.closed,
        booked: slot.appointment_id !== null,
        appointmentId: slot.appointment_id,
        heldUntil:
          slot.held_until !== null && slot.held_until > commands.reads.now().toISOString() ? slot.held_until : null,
      }));
      return paginated('items', slots, total, query);
    },
  );

  app.post(
    '/provider/timeslots',
    {
      config: { access: 'manage:availability', runsCommand: true },
      schema: {
        summary: 'Open the slots of a stretch of days, or one by its start and end',
        body: OneOrMany.meta({ examples: [generateBinding.example, addBinding.example] }),
        response: { 201: answer(z.union([GenerationAnswer, SlotAnswer])) },
      },
    },
    async (request, reply) => {
      const input = request.body;
      const binding = input.startTime === undefined && input.endTime === undefined ? generateBinding : addBinding;
      const { data } = await runCommand(app, deps, binding, { request, reply, input });
      return { success: true as const, data: data as z.output<typeof SlotAnswer> };
    },
  );

  app.get(
    '/provider/appointments',
    {
      config: {
        access: 'read:provider-appointments',
        reads: [appointments, providerProfiles, accounts, calendarSyncs],
      },
      schema: {
        summary: 'The appointments in your calendar',
        querystring: z.object({ ...page({ max: 100 }), ...appointmentFilters }),
        response: { 200: listAnswer('appointments', ProvidedAppointment) },
      },
    },
    async (request) => {
      const { query } = request;
      const { provider_id: providerId, timezone } = await ownProfile(db, accountOf(request));
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
