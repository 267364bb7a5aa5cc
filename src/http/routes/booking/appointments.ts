import { z } from 'zod';
import type { AnyBinding } from '../../../commands/binding.ts';
import { AppointmentAnswer, exampleIds } from '../../../commands/booking/answers.ts';
import { cancelBinding, completeBinding, moveBinding, notesBinding } from '../../../commands/booking/appointments.ts';
import { appointmentIdField, slotIdField } from '../../../domain/booking/ids.ts';
import { isProvider } from '../../../domain/booking/provider/index.ts';
import { can } from '../../../domain/decider.ts';
import { DAY_MS } from '../../../domain/durations.ts';
import { instant, line, lines, timeZone, uuid, version } from '../../../domain/fields.ts';
import { appointmentOf, appointments, listAppointments } from '../../../projections/booking/appointments.ts';
import { calendarSyncs } from '../../../projections/booking/calendarSyncs.ts';
import { profileOf, providerProfiles } from '../../../projections/booking/providerProfiles.ts';
import { availableSlots, timeSlots } from '../../../projections/booking/timeSlots.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { emails, emailsAbout } from '../../../projections/messaging/emails.ts';
import { answer, found, listAnswer, offsetOf, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { runCommand } from '../../commandRoutes.ts';
import { atMostDays, rangeEnd, rangeOf } from '../../dateRange.ts';
import { fieldsOf, single, unchangedSince } from '../../etag.ts';
import { accountOf, actorOf } from '../../request.ts';
import { AppointmentStatus, FullAppointment, full, ListedAppointment, listed, localTime } from './views.ts';

/** Days that a list of slots shows when no end is asked for, and the most it may show. */
export const DEFAULT_DAYS = 7;
export const MOST_DAYS = 92;

const OfAppointment = z.object({ appointmentId: appointmentIdField });

/** Filters of lists of appointments. */
export const appointmentFilters = {
  status: AppointmentStatus.optional(),
  from: rangeEnd.optional(),
  to: rangeEnd.optional(),
  when: z.enum(['upcoming', 'past']).optional(),
  search: line(1, 100).optional(),
  timezone: timeZone.optional(),
  sort: z.enum(['startTime', 'createdAt', 'status']).default('startTime'),
  order: z.enum(['asc', 'desc']).optional(),
};

/** The order that a list has when none is asked for: what comes next first, otherwise the latest first. */
export const orderOf = ({
  sort,
  order,
  when,
}: {
  readonly sort: string;
  readonly order?: 'asc' | 'desc' | undefined;
  readonly when?: string | undefined;
}): 'asc' | 'desc' => order ?? (sort === 'status' || (sort === 'startTime' && when === 'upcoming') ? 'asc' : 'desc');

const AvailableSlot = z.object({
  slotId: z.string(),
  providerId: z.string(),
  providerName: z.string(),
  startTime: z.string(),
  endTime: z.string(),
  localStart: z.string(),
  localEnd: z.string(),
  timezone: z.string(),
  heldUntil: z.string().nullable().describe('Until then it is held for you'),
});

const Change = z
  .object({
    slotId: slotIdField.optional(),
    startTime: instant.optional(),
    notes: lines(0, 1000).nullable().optional(),
    status: z.enum(['COMPLETED', 'CANCELLED']).optional(),
    outcome: z.enum(['attended', 'no_show']).optional(),
    reason: lines(0, 500).nullable().optional(),
    version: version.optional(),
  })
  .check(({ value, issues }) => {
    const refuse = (field: string, message: string) =>
      issues.push({ code: 'custom', input: value, path: [field], message });
    const moves = value.slotId !== undefined || value.startTime !== undefined;
    if (value.outcome !== undefined && value.status !== 'COMPLETED') refuse('outcome', 'Only with status COMPLETED');
    if (value.reason !== undefined && value.status !== 'CANCELLED') refuse('reason', 'Only with status CANCELLED');
    if (value.status !== undefined && (moves || value.notes !== undefined))
      refuse('status', 'Not together with a move or notes');
    if (value.status === undefined && !moves && value.notes === undefined)
      refuse('slotId', 'Give a new slot, notes or a status');
  });

const changeOf = (change: z.output<typeof Change>): AnyBinding => {
  if (change.status === 'CANCELLED') return cancelBinding;
  if (change.status === 'COMPLETED') return completeBinding;
  return change.slotId === undefined && change.startTime === undefined ? notesBinding : moveBinding;
};

/** What clients read of free slots and of their own appointments, and the one address that changes an appointment. */
export const appointmentRoutes = (app: App, deps: Deps): void => {
  const { db, commands } = deps;
  const named = [calendarSyncs, appointments, providerProfiles, accounts];

  app.get(
    '/appointments/available',
    {
      config: { access: 'loggedIn', reads: [timeSlots, providerProfiles] },
      schema: {
        summary: 'Slots that can be booked',
        querystring: z.object({
          ...page({ max: 100 }),
          from: rangeEnd.optional(),
          to: rangeEnd.optional(),
          providerId: uuid.optional(),
          timezone: timeZone.optional(),
        }),
        response: { 200: listAnswer('slots', AvailableSlot) },
      },
    },
    async (request) => {
      const { query } = request;
      const now = commands.reads.now();
      const { providerId } = query;
      const provider = providerId === undefined ? undefined : await profileOf(db, providerId);
      const wanted = rangeOf(query, query.timezone ?? provider?.timezone);
      const from =
        wanted.from ?? (wanted.to !== undefined && wanted.to < now.toISOString() ? wanted.to : now.toISOString());
      const to = wanted.to ?? new Date(Date.parse(from) + DEFAULT_DAYS * DAY_MS).toISOString();
      atMostDays({ from, to }, MOST_DAYS, query.to);
      const { items, total } = await availableSlots(db, {
        ...query,
        ...{ from, to, now, accountId: accountOf(request) },
        offset: offsetOf(query),
      });
      const slots = items.map((slot) => {
        const timezone = query.timezone ?? slot.timezone;
        return {
          slotId: slot.slot_id,
          providerId: slot.provider_id,
          providerName: slot.display_name,
          startTime: slot.start_time,
          endTime: slot.end_time,
          localStart: localTime(slot.start_time, timezone),
          localEnd: localTime(slot.end_time, timezone),
          timezone,
          heldUntil: slot.held_until !== null && slot.held_until > now.toISOString() ? slot.held_until : null,
        };
      });
      return paginated('slots', slots, total, query);
    },
  );

  app.get(
    '/appointments',
    {
      config: { access: 'loggedIn', reads: named },
      schema: {
        summary: 'Your own appointments',
        querystring: z.object({ ...page(), ...appointmentFilters }),
        response: { 200: listAnswer('appointments', ListedAppointment) },
      },
    },
    async (request) => {
      const { query } = request;
      const { items, total } = await listAppointments(db, {
        ...query,
        ...rangeOf(query, query.timezone),
        of: { clientId: accountOf(request) },
        order: orderOf(query),
        now: commands.reads.now(),
        offset: offsetOf(query),
      });
      return paginated(
        'appointments',
        items.map((row) => listed(row, query.timezone)),
        total,
        query,
      );
    },
  );

  app.get(
    '/appointments/:appointmentId',
    {
      config: { access: 'loggedIn', reads: [...named, emails] },
      schema: {
        summary: 'One appointment, for its client, its provider and administrators',
        params: OfAppointment,
        querystring: z.object(fieldsOf(FullAppointment)),
        response: { 200: answer(FullAppointment.partial()), ...unchangedSince },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const row = found(await appointmentOf(db, request.params.appointmentId), 'appointment');
      const known = isProvider(actor, row.provider_id) || can(actor, '*:*');
      found(known || actor.id === row.client_id ? row : undefined, 'appointment');
      const side = isProvider(actor, row.provider_id) ? 'provider' : 'client';
      const mails = await emailsAbout(db, row.appointment_id);
      return single(request, reply, full(row, mails, known, side), row.version);
    },
  );

  app.put(
    '/appointments/:appointmentId',
    {
      config: { access: 'loggedIn', runsCommand: true },
      schema: {
        summary: 'Move, annotate, complete or cancel an appointment: one change a call',
        params: OfAppointment,
        body: Change.meta({ examples: [{ slotId: exampleIds.slot }] }),
        response: { 200: answer(AppointmentAnswer) },
      },
    },
    async (request, reply) => {
      const { status: _chosen, ...change } = request.body;
      const input = { ...change, ...request.params };
      const { data } = await runCommand(app, deps, changeOf(request.body), { request, reply, input });
      return { success: true as const, data: data as z.output<typeof AppointmentAnswer> };
    },
  );
};
