import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { publicUrlOf } from '../../../config.ts';
import { appointmentIdField } from '../../../domain/booking/ids.ts';
import { isProvider } from '../../../domain/booking/provider/index.ts';
import { appointmentEntry, type CalendarEntry, iCalendar } from '../../../integrations/iCalendar.ts';
import { appointmentOf, appointments, type NamedAppointment } from '../../../projections/booking/appointments.ts';
import { providerProfiles } from '../../../projections/booking/providerProfiles.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { asFile, found } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { actorOf } from '../../request.ts';

export const CALENDAR_TYPE = 'text/calendar; charset=utf-8';

/** Among the responses of a route: an iCalendar object. */
export const calendarAnswer = {
  description: 'An iCalendar object (RFC 5545)',
  content: { 'text/calendar': { schema: z.string() } },
} as const;

/** An appointment as one of its sides has it in a calendar. */
export const entryOf = (row: NamedAppointment, side: 'client' | 'provider', publicUrl: string): CalendarEntry =>
  appointmentEntry(
    {
      appointmentId: row.appointment_id,
      version: row.version,
      changedAt: row.updated_at,
      startTime: row.start_time,
      endTime: row.end_time,
      cancelled: row.status === 'CANCELLED',
      notes: row.notes,
      withWhom: (side === 'client' ? row.provider_name : row.client_name) ?? 'deleted user',
      meetingLink: row.meeting_link,
      location: row.location,
    },
    publicUrl,
  );

/** Sends an iCalendar object as a file of that name. */
export const sendCalendar = (reply: FastifyReply, content: string, name: string) =>
  reply.headers(asFile(name, CALENDAR_TYPE)).send(content);

/** One appointment as a file for a calendar. */
export const calendarFileRoutes = (app: App, deps: Deps): void => {
  app.get(
    '/appointments/:appointmentId/calendar.ics',
    {
      config: { access: 'loggedIn', reads: [appointments, providerProfiles, accounts] },
      schema: {
        summary: 'One appointment as a file for a calendar, for its client and its provider',
        params: z.object({ appointmentId: appointmentIdField }),
        response: { 200: calendarAnswer },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const row = found(await appointmentOf(deps.db, request.params.appointmentId), 'appointment');
      const asProvider = isProvider(actor, row.provider_id);
      found(asProvider || actor.id === row.client_id ? row : undefined, 'appointment');
      const entry = entryOf(row, asProvider ? 'provider' : 'client', publicUrlOf(deps.config));
      return sendCalendar(reply, iCalendar([entry], { method: 'PUBLISH' }), 'appointment.ics');
    },
  );
};
