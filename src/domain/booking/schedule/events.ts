import { z } from 'zod';
import { type EventOf, pii } from '../../decider.ts';

const closed = z.literal(true).optional().describe('Outside the hours of an exception: it is not offered');
const Slot = z.object({ slotId: z.string(), startTime: z.string(), endTime: z.string(), closed });
const Interval = z.object({ start: z.string(), end: z.string() });
const Appointment = { appointmentId: z.string(), providerId: z.string(), clientId: z.string() };
const Opened = {
  providerId: z.string(),
  slotId: z.string(),
  startTime: z.string(),
  endTime: z.string(),
  isAvailable: z.boolean().describe('Not blocked'),
  closed,
};
const Held = {
  providerId: z.string(),
  slotId: z.string(),
  startTime: z.string(),
  accountId: z.string().describe('For whom it is held'),
  offerId: z.string().optional().describe('The offer of the waiting list that it is held for'),
};

/** Who acted, as seen from the appointment. */
export const Party = z.enum(['client', 'provider', 'admin', 'system']);
export type Party = z.output<typeof Party>;

/**
 * Stored facts of one provider's day. Type names and fields are the storage format: add to them, never rename or remove.
 * An appointment lives for ever in the stream of the day it was first booked on, wherever it is moved; while it takes a
 * slot of another day, that day's stream holds the slot reserved for it.
 */
export const events = {
  TimeSlotsGenerated: z.object({
    providerId: z.string(),
    day: z.string().describe('Date of the starts in the time zone of the provider'),
    slots: z.array(Slot),
    generationId: z.string(),
    skipped: z.int().optional().describe('Slots of the same plan that were there already'),
  }),
  TimeSlotAdded: z.object({
    ...Opened,
    moveId: z.string().optional().describe('It comes from another day: the move that brought it'),
  }),
  TimeSlotUpdated: z.object(Opened),
  TimeSlotRemoved: z.object({
    providerId: z.string(),
    slotId: z.string(),
    startTime: z.string(),
    endTime: z.string(),
    movedTo: z
      .object({
        moveId: z.string(),
        day: z.string(),
        startTime: z.string(),
        endTime: z.string(),
        isAvailable: z.boolean(),
      })
      .optional()
      .describe('It goes to another day, where it gets another id'),
  }),
  DayHoursChanged: z
    .object({
      providerId: z.string(),
      day: z.string(),
      seq: z.int().describe('Of the change of exceptions; an older one does not come through any more'),
      intervals: z.array(Interval).nullable().describe('Outside them nothing is offered; null: everything is'),
      closed: z.array(z.object({ slotId: z.string(), startTime: z.string() })),
      opened: z.array(z.object({ slotId: z.string(), startTime: z.string(), isAvailable: z.boolean() })),
    })
    .describe('What an exception to the availability means for one day'),
  SlotReserved: z.object({
    providerId: z.string(),
    slotId: z.string(),
    startTime: z.string().optional(),
    appointmentId: z.string().describe('An appointment of another day that is to move here'),
    reservationId: z.string(),
    reservedAt: z.string().describe('A reservation whose move does not come about is given back a minute later'),
  }),
  SlotReleased: z.object({
    providerId: z.string(),
    slotId: z.string(),
    appointmentId: z.string(),
    startTime: z.string().optional(),
    closed,
  }),
  SlotHeld: z
    .object({
      ...Held,
      heldAt: z.string().describe('Since when; a renewal keeps it'),
      until: z.string().describe('From then on nobody is kept from the slot, whether or not its release is stored'),
      usedSeconds: z.int().describe('How long the account has held the slot before, with no pause worth the name'),
    })
    .describe('A free slot is kept for one account: while it fills in a form, or for as long as an offer stands'),
  SlotHoldReleased: z
    .object({
      ...Held,
      at: z.string(),
      because: z.enum(['expired', 'given-up', 'another-slot', 'offer-ended']),
    })
    .describe('A slot that was held has not been taken; one that is booked, moved, blocked or closed needs no release'),
  AppointmentBooked: z.object({
    ...Appointment,
    slotId: z.string(),
    startTime: z.string(),
    endTime: z.string(),
    notes: pii('clientId', z.string().nullable()),
    timezone: z.string().nullable().describe('The zone that the client wants to read times in'),
    bookedBy: Party,
    priceCents: z.int().nullable().optional().describe('Price in force when it was booked'),
    currency: z.string().nullable().optional(),
  }),
  AppointmentRescheduled: z.object({
    ...Appointment,
    fromSlotId: z.string(),
    toSlotId: z.string(),
    oldStartTime: z.string(),
    startTime: z.string(),
    endTime: z.string(),
    by: Party,
    closed: closed.describe('The slot that it left lies outside the hours of an exception'),
  }),
  AppointmentNotesUpdated: z.object({ ...Appointment, notes: pii('clientId', z.string().nullable()), by: Party }),
  AppointmentCancelled: z.object({
    ...Appointment,
    slotId: z.string(),
    startTime: z.string(),
    by: Party,
    actorId: z.string(),
    reason: pii('clientId', z.string().nullable()),
    closed,
  }),
  AppointmentCompleted: z.object({
    ...Appointment,
    slotId: z.string(),
    startTime: z.string(),
    by: Party,
    outcome: z.enum(['attended', 'no_show']),
  }),
};
export type ScheduleEvent = EventOf<typeof events>;

/** The events that make up an appointment's own history; its version counts them from 0. */
export const appointmentHistory = [
  'AppointmentBooked',
  'AppointmentRescheduled',
  'AppointmentNotesUpdated',
  'AppointmentCancelled',
  'AppointmentCompleted',
] as const satisfies readonly ScheduleEvent['type'][];
