import { z } from 'zod';
import { type Context, type Rejection, reject } from '../../decider.ts';
import { DAY_MS } from '../../durations.ts';
import { lines, version } from '../../fields.ts';
import { appointmentIdField, dayOfAppointment, slotIdField } from '../ids.ts';
import type { Provider } from '../provider/index.ts';
import type { Party } from './events.ts';
import { isPast, type NotesFacts, refuseStale, sameNotes } from './moving.ts';
import { APPOINTMENT_UNKNOWN, type Appointment, command, NOT_SCHEDULED, partyOf, type Schedule } from './state.ts';

const seen = (
  appointmentId: string,
  state: Schedule,
  actor: Context['actor'],
): { readonly appointment: Appointment; readonly party: Party; readonly ids: Ids } | Rejection => {
  const { providerId } = dayOfAppointment(appointmentId);
  const appointment = state.appointments[appointmentId];
  const party = appointment && partyOf(actor, providerId, appointment.clientId);
  if (appointment === undefined || party === undefined) return APPOINTMENT_UNKNOWN;
  return { appointment, party, ids: { appointmentId, providerId, clientId: appointment.clientId } };
};
type Ids = { readonly appointmentId: string; readonly providerId: string; readonly clientId: string };

const versionField = version.optional().describe('Of the appointment that the change is meant for');

/** Replaces the notes of an appointment to come; null or nothing but blanks takes them away. */
export const updateAppointmentNotes = command(
  'UpdateAppointmentNotes',
  z.object({ appointmentId: appointmentIdField, notes: lines(0, 1000).nullable(), version: versionField }),
  (input, state, { actor, facts }: Context<NotesFacts>) => {
    const found = seen(input.appointmentId, state, actor);
    if ('code' in found) return found;
    const { appointment, party, ids } = found;
    if (party === 'admin') return reject('FORBIDDEN', 'not-a-party', 'Only client and provider change the notes');
    const stale = refuseStale(appointment, input.version);
    if (stale !== undefined) return stale;
    if (appointment.status !== 'SCHEDULED') return NOT_SCHEDULED;
    const notes = input.notes || null;
    if (sameNotes(appointment, notes, facts)) return [];
    return [{ type: 'AppointmentNotesUpdated', data: { ...ids, notes, by: party } }];
  },
);

/** What a client's cancelling must know: how long before the start his provider takes it. */
export type CancellingFacts = { readonly provider: Provider };

type Standing = { readonly appointment: Appointment; readonly ids: Ids };
const cancelled = (
  { slots }: Schedule,
  { appointment: { slotId, startTime }, ids }: Standing,
  by: { readonly by: Party; readonly actorId: string; readonly reason: string | null },
) => {
  const closed = slots[slotId]?.closed;
  return {
    type: 'AppointmentCancelled' as const,
    data: { ...ids, slotId, startTime, ...by, ...(closed && { closed }) },
  };
};

/**
 * Cancels an appointment and frees its slot: clients until it begins, or as long before as the provider wants it,
 * providers and administrators until a day after its beginning.
 */
export const cancelAppointment = command(
  'CancelAppointment',
  z.object({ appointmentId: appointmentIdField, reason: lines(0, 500).nullish(), version: versionField }),
  (input, state, { actor, now, facts }: Context<CancellingFacts | undefined>) => {
    const found = seen(input.appointmentId, state, actor);
    if ('code' in found) return found;
    const { appointment, party } = found;
    const stale = refuseStale(appointment, input.version);
    if (stale !== undefined) return stale;
    if (appointment.status !== 'SCHEDULED') return NOT_SCHEDULED;
    const grace = party === 'client' ? 0 : DAY_MS;
    if (Date.parse(appointment.startTime) + grace <= now.getTime())
      return reject('CONFLICT', 'appointment-started', 'It is too late to cancel this appointment');
    const cutoff = party === 'client' ? (facts?.provider.cancelCutoffMinutes ?? 0) : 0;
    if (cutoff > 0 && isPast(appointment.startTime, cutoff, now))
      return reject('CONFLICT', 'too-late-to-cancel', 'It is too late to cancel this appointment');
    const reason = input.reason || null;
    return [cancelled(state, found, { by: party, actorId: actor.id, reason })];
  },
);

/** What cancelling a displaced appointment must know: why, as the exception says. */
export type DisplacingFacts = { readonly reason: string | null };

/**
 * Cancels, in the name of its provider, an appointment that lies outside the hours of an exception. One that lies
 * elsewhere by now stays.
 */
export const cancelDisplacedAppointment = command(
  'CancelDisplacedAppointment',
  z.object({ appointmentId: appointmentIdField, slotId: slotIdField }),
  ({ appointmentId, slotId }, state, { facts: { reason } }: Context<DisplacingFacts>) => {
    const { providerId } = dayOfAppointment(appointmentId);
    const appointment = state.appointments[appointmentId];
    if (appointment?.status !== 'SCHEDULED' || appointment.slotId !== slotId) return [];
    const ids = { appointmentId, providerId, clientId: appointment.clientId };
    return [cancelled(state, { appointment, ids }, { by: 'provider', actorId: providerId, reason })];
  },
);

/** Notes that an appointment took place, or that nobody came. Left open, it counts as attended a day after its end. */
export const completeAppointment = command(
  'CompleteAppointment',
  z.object({
    appointmentId: appointmentIdField,
    outcome: z.enum(['attended', 'no_show']).default('attended'),
    version: versionField,
  }),
  (input, state, { actor, now }) => {
    const found = seen(input.appointmentId, state, actor);
    if ('code' in found) return found;
    const { appointment, party, ids } = found;
    if (party === 'client')
      return reject('FORBIDDEN', 'not-the-provider', 'Only the provider completes an appointment');
    const stale = refuseStale(appointment, input.version);
    if (stale !== undefined) return stale;
    if (appointment.status !== 'SCHEDULED') return NOT_SCHEDULED;
    const { slotId, startTime, endTime } = appointment;
    // A timer set before a move must not end the appointment at its new time.
    const due = party === 'system' ? Date.parse(endTime) + DAY_MS : Date.parse(startTime);
    if (now.getTime() < due) return reject('CONFLICT', 'not-started', 'The appointment has not begun yet');
    return [{ type: 'AppointmentCompleted', data: { ...ids, slotId, startTime, by: party, outcome: input.outcome } }];
  },
);
