import { z } from 'zod';
import { type Context, type Rejection, reject } from '../../decider.ts';
import { MINUTE_MS } from '../../durations.ts';
import { lines, version } from '../../fields.ts';
import { ageInSeconds } from '../clientCalendar.ts';
import { appointmentIdField, dayOfAppointment, dayOfSlot, isHome } from '../ids.ts';
import {
  type Nearby,
  onlyOneSlot,
  refuseCrowded,
  refuseHeld,
  refusePast,
  refuseSlot,
  refuseTaken,
  refuseUnclaimed,
  slotChoice,
  type TimeClaim,
} from './booking.ts';
import type { Party, ScheduleEvent } from './events.ts';
import {
  APPOINTMENT_UNKNOWN,
  type Appointment,
  command,
  NOT_SCHEDULED,
  partyOf,
  type Schedule,
  type Slot,
} from './state.ts';

/** A move must be decided this long after the new slot was reserved, well before the reservation may be given back. */
const DECIDE_WITHIN_SECONDS = 40;

export const movingInput = z
  .object({
    appointmentId: appointmentIdField,
    ...slotChoice,
    notes: lines(0, 1000).nullish().describe('New notes that come along with the move'),
    version: version.optional().describe('Of the appointment that the change is meant for'),
  })
  .refine(...onlyOneSlot);
export type MovingInput = z.output<typeof movingInput>;

/** What a move must know of the provider, and of the new slot when it lies on another day. */
export type MovingFacts = Nearby & {
  readonly target?: Slot | undefined;
  /** Time that the client's calendar has set aside. */
  readonly claims: readonly TimeClaim[];
  /** For notes that come along: what they are at present. */
  readonly notes?: NotesFacts;
};

/** The notes of an appointment, which no state may hold, and the version at which they were read. */
export type NotesFacts = { readonly notes: string | null; readonly version: number } | undefined;

/** Whether the notes asked for are those that the appointment has already; null stands for none. */
export const sameNotes = (appointment: Appointment, notes: string | null, facts: NotesFacts): boolean =>
  notes === null ? !appointment.hasNotes : facts?.version === appointment.version && facts.notes === notes;

/** Whether an instant is closer than so many minutes, or over. */
export const isPast = (instant: string, minutesBefore: number, now: Date): boolean =>
  Date.parse(instant) - minutesBefore * MINUTE_MS <= now.getTime();

type Move = {
  readonly appointment: Appointment;
  readonly slotId: string;
  readonly slot: Slot;
  readonly party: Party;
};

/** Refuses a change that was meant for another version of an appointment. */
export const refuseStale = (appointment: Appointment, wanted: number | undefined): Rejection | undefined =>
  wanted !== undefined && wanted !== appointment.version
    ? reject('CONFLICT', 'stale-version', 'The appointment was changed meanwhile', 'version')
    : undefined;

/** Judges everything about a move but whether a slot of another day is reserved for it; undefined when nothing moves. */
export const judgeMove = (
  { appointmentId, slotId, startTime, version }: MovingInput,
  state: Schedule,
  { actor, now, facts }: Pick<Context<Omit<MovingFacts, 'claims' | 'notes'>>, 'actor' | 'now' | 'facts'>,
): Move | Rejection | undefined => {
  const { providerId } = dayOfAppointment(appointmentId);
  const appointment = state.appointments[appointmentId];
  const party = appointment && partyOf(actor, providerId, appointment.clientId);
  if (appointment === undefined || party === undefined) return APPOINTMENT_UNKNOWN;
  if (party === 'admin') return reject('FORBIDDEN', 'not-a-party', 'Only client and provider move an appointment');
  const past = startTime === undefined ? undefined : refusePast(startTime, now);
  if (past !== undefined) return past;
  if (slotId === undefined) return reject('NOT_FOUND', 'slot-unknown', 'No such slot', 'slotId');
  if (dayOfSlot(slotId).providerId !== providerId)
    return reject('VALIDATION_ERROR', 'other-provider', 'The slot belongs to another provider', 'slotId');
  const stale = refuseStale(appointment, version);
  if (stale !== undefined) return stale;
  if (appointment.status !== 'SCHEDULED') return NOT_SCHEDULED;
  if (appointment.slotId === slotId) return undefined;
  if (appointment.startTime <= now.toISOString())
    return reject('CONFLICT', 'appointment-started', 'The appointment has begun already');
  if (party === 'client' && isPast(appointment.startTime, facts.provider.moveCutoffMinutes, now))
    return reject('CONFLICT', 'too-late-to-move', 'It is too late to move this appointment');
  const slot = isHome(slotId, appointmentId) ? state.slots[slotId] : facts.target;
  const refusal =
    refuseSlot(slot, facts.provider, party, now) ??
    refuseTaken(slot, appointmentId) ??
    refuseHeld(slot, [actor.id, appointment.clientId], now);
  if (refusal !== undefined || slot === undefined) return refusal;
  return refuseCrowded(slot, state, { appointmentId, party, facts }) ?? { appointment, slotId, slot, party };
};

/**
 * Moves an appointment to another slot of the same provider. A slot of the appointment's first day is exchanged here
 * and now; one of another day was reserved before and is held by that reservation.
 */
export const rescheduleAppointment = command(
  'RescheduleAppointment',
  movingInput,
  (input, state, context: Context<MovingFacts>) => {
    const { appointmentId, notes } = input;
    const { providerId } = dayOfAppointment(appointmentId);
    const move = judgeMove(input, state, context);
    if (move !== undefined && 'code' in move) return move;
    const appointment = state.appointments[appointmentId];
    if (appointment === undefined) return APPOINTMENT_UNKNOWN;
    const { clientId } = appointment;
    const ids = { appointmentId, providerId, clientId };
    const party = partyOf(context.actor, providerId, clientId) ?? 'system';
    const noted: readonly ScheduleEvent[] =
      notes === undefined || sameNotes(appointment, notes || null, context.facts.notes)
        ? []
        : [{ type: 'AppointmentNotesUpdated', data: { ...ids, notes: notes || null, by: party } }];
    if (move === undefined) return noted;
    if (!isHome(move.slotId, appointmentId)) {
      const { heldBy, reservation } = move.slot;
      const held = heldBy === appointmentId && reservation !== undefined;
      if (!held || ageInSeconds(reservation.at, context.now) > DECIDE_WITHIN_SECONDS)
        return reject('CONFLICT', 'contended', 'The slot could not be held; please try again');
    }
    const { startTime, endTime } = move.slot;
    const unclaimed = refuseUnclaimed(context.facts.claims, { appointmentId, startTime });
    if (unclaimed !== undefined) return unclaimed;
    const left = state.slots[appointment.slotId];
    const data = {
      ...(left?.closed && { closed: left.closed }),
      ...ids,
      fromSlotId: appointment.slotId,
      toSlotId: move.slotId,
      oldStartTime: appointment.startTime,
      startTime,
      endTime,
      by: party,
    };
    return [{ type: 'AppointmentRescheduled', data }, ...noted];
  },
);
