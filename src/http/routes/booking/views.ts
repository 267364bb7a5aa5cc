import { z } from 'zod';
import { type AvailabilityAnswer, exceptionAnswer, type ProfileAnswer } from '../../../commands/booking/answers.ts';
import { CALENDAR_STATUS } from '../../../domain/booking/calendarSync.ts';
import { SLOT_MINUTES } from '../../../domain/booking/grid.ts';
import type { AppointmentRow, NamedAppointment } from '../../../projections/booking/appointments.ts';
import { APPOINTMENT_STATUS } from '../../../projections/booking/appointments.ts';
import type { ProviderProfileRow } from '../../../projections/booking/providerProfiles.ts';
import { EMAIL_STATUS, type EmailRow } from '../../../projections/messaging/emails.ts';

/** An instant by the clock of a zone, with its offset: a doubled hour shows which of the two it is. */
export const localTime = (instant: string, timeZone: string): string =>
  Temporal.Instant.from(instant)
    .toZonedDateTimeISO(timeZone)
    .toString({ timeZoneName: 'never', smallestUnit: 'second' });

export const AppointmentStatus = z.enum(APPOINTMENT_STATUS);
/** On whose side somebody acts. */
export const PartyName = z.enum(['client', 'provider', 'admin', 'system']);

/** An appointment in a list of the client's own. */
export const ListedAppointment = z.object({
  id: z.string(),
  providerId: z.string(),
  providerName: z.string().nullable(),
  startTime: z.string(),
  endTime: z.string(),
  localStart: z.string().describe('By the clock of the zone asked for, else of the provider'),
  timezone: z.string(),
  status: AppointmentStatus,
  notes: z.string().nullable(),
  calendarStatus: z.enum(CALENDAR_STATUS).describe('How it stands in your own calendar'),
  createdAt: z.string(),
  updatedAt: z.string(),
});

const Client = z.object({
  id: z.string(),
  displayName: z.string().nullable(),
  email: z.string().nullable(),
  phone: z.string().nullable(),
});

/** An appointment in a list of its provider. */
export const ProvidedAppointment = ListedAppointment.extend({ client: Client });

/** One appointment with all there is to say about it. */
export const FullAppointment = ListedAppointment.extend({
  slotId: z.string(),
  clientId: z.string(),
  client: Client.nullable().describe('For the provider and administrators'),
  bookedBy: PartyName,
  outcome: z.enum(['attended', 'no_show']).nullable(),
  cancellation: z.object({ by: PartyName, reason: z.string().nullable(), at: z.string() }).nullable(),
  meetingLink: z.string().nullable(),
  location: z.string().nullable(),
  googleEventId: z.string().nullable().describe('Of the event in your own calendar'),
  emails: z
    .array(
      z.object({
        template: z.string(),
        to: z.enum(['client', 'provider']),
        status: z.enum(EMAIL_STATUS),
        queuedAt: z.string(),
        sentAt: z.string().nullable(),
      }),
    )
    .describe('What became of the mails about it; the client sees his own'),
  history: z.array(
    z.object({
      version: z.int(),
      event: z.string(),
      at: z.string(),
      by: PartyName,
      startTime: z.string().optional(),
      oldStartTime: z.string().optional(),
    }),
  ),
  version: z.int(),
});

/** An appointment as one of its sides sees it in a list. */
export const listed = (
  row: NamedAppointment,
  timeZone?: string,
  side: 'client' | 'provider' = 'client',
): z.output<typeof ListedAppointment> => {
  const zone = timeZone ?? row.provider_timezone ?? 'UTC';
  return {
    id: row.appointment_id,
    providerId: row.provider_id,
    providerName: row.provider_name,
    startTime: row.start_time,
    endTime: row.end_time,
    localStart: localTime(row.start_time, zone),
    timezone: zone,
    status: row.status,
    notes: row.notes,
    calendarStatus: (side === 'client' ? row.client_calendar : row.provider_calendar) ?? 'pending',
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
};

const clientOf = (row: NamedAppointment): z.output<typeof Client> => ({
  id: row.client_id,
  displayName: row.client_name,
  email: row.client_email,
  phone: row.client_phone,
});

/** An appointment as its provider sees it in a list. */
export const provided = (row: NamedAppointment, timeZone?: string): z.output<typeof ProvidedAppointment> => ({
  ...listed(row, timeZone, 'provider'),
  client: clientOf(row),
});

const cancellationOf = ({ cancelled_by, cancel_reason, updated_at }: AppointmentRow) =>
  cancelled_by === null ? null : { by: cancelled_by, reason: cancel_reason, at: updated_at };

/** All of an appointment; who the client is, only for those who may know. */
export const full = (
  row: NamedAppointment,
  mails: readonly EmailRow[],
  showClient: boolean,
  side: 'client' | 'provider',
): z.output<typeof FullAppointment> => ({
  ...listed(row, undefined, side),
  slotId: row.slot_id,
  clientId: row.client_id,
  client: showClient ? clientOf(row) : null,
  bookedBy: row.booked_by,
  outcome: row.outcome,
  cancellation: cancellationOf(row),
  meetingLink: row.meeting_link,
  location: row.location,
  googleEventId: side === 'client' ? row.client_event : row.provider_event,
  emails: mails
    .filter(({ account_id }) => showClient || account_id === row.client_id)
    .map(({ account_id, template, status, queued_at, sent_at }) => ({
      template,
      to: account_id === row.client_id ? 'client' : 'provider',
      status,
      queuedAt: queued_at,
      sentAt: sent_at,
    })),
  history: [...row.history],
  version: row.version,
});

/** A profile as the provider himself and administrators see it. */
export const profileView = (row: ProviderProfileRow): z.output<typeof ProfileAnswer> => ({
  providerId: row.provider_id,
  displayName: row.display_name,
  bio: row.bio,
  timezone: row.timezone,
  meetingLink: row.meeting_link,
  location: row.location,
  priceCents: row.price_cents,
  currency: row.currency,
  active: row.active,
  version: row.version,
});

/** Working hours, notice, horizon, buffer, cut-offs, and the exceptions that end on a date or later. */
export const availabilityView = (row: ProviderProfileRow, today: string): z.output<typeof AvailabilityAnswer> => ({
  providerId: row.provider_id,
  timezone: row.timezone,
  weekly: row.weekly.map(({ dayOfWeek, intervals }) => ({ dayOfWeek, intervals: [...intervals] })),
  slotDurationMinutes: SLOT_MINUTES,
  minNoticeMinutes: row.min_notice_minutes,
  maxAdvanceDays: row.max_advance_days,
  bufferMinutes: row.buffer_minutes,
  cancelCutoffMinutes: row.cancel_cutoff_minutes,
  moveCutoffMinutes: row.move_cutoff_minutes,
  exceptions: row.exceptions.filter(({ to }) => to >= today).map(exceptionAnswer),
  version: row.version,
});
