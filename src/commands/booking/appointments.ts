import { claimTime, clientCalendar } from '../../domain/booking/clientCalendar.ts';
import { dateIn } from '../../domain/booking/grid.ts';
import {
  dayOfAppointment,
  dayOfSlot,
  isHome,
  scheduleId,
  slotIdOf,
  slotRef,
  unusedSlotId,
} from '../../domain/booking/ids.ts';
import { provider } from '../../domain/booking/provider/index.ts';
import {
  type Appointment,
  type BookingInput,
  bookAppointment,
  cancelAppointment,
  completeAppointment,
  judgeBooking,
  judgeMove,
  type MovingInput,
  refusePast,
  rescheduleAppointment,
  reserveSlot,
  type Schedule,
  schedule,
  updateAppointmentNotes,
} from '../../domain/booking/schedule/index.ts';
import { type Actor, type Rejection, reject } from '../../domain/decider.ts';
import { MINUTE_MS } from '../../domain/durations.ts';
import { bind } from '../binding.ts';
import { latest, uncontended } from '../outcomes.ts';
import type { Reads } from '../reads.ts';
import { onlyProvider } from './activeProvider.ts';
import { AppointmentAnswer, appointmentAnswer, exampleIds } from './answers.ts';
import { settleHold } from './holds.ts';
import { takenNearby } from './nearby.ts';
import { accountExists } from './providers.ts';
import { cancellation, homeOf, reservationOf, settleCalendar, settleReservation } from './settling.ts';

const home = ({ appointmentId }: { readonly appointmentId: string }): string =>
  scheduleId(dayOfAppointment(appointmentId));
const versionOf = ({ appointments }: Schedule, { appointmentId }: { readonly appointmentId: string }) =>
  appointments[appointmentId]?.version;
const answer = {
  schema: AppointmentAnswer,
  of: ({ state, input }: { readonly state: Schedule; readonly input: { readonly appointmentId: string } }) =>
    appointmentAnswer(state, input.appointmentId),
};

const SLOT_UNKNOWN = reject('NOT_FOUND', 'slot-unknown', 'No such slot', 'startTime');

/** The id of a provider's slot that begins at an instant; one that no slot bears when there is none. */
const slotAt = async (providerId: string, startTime: string, reads: Reads): Promise<string | Rejection> => {
  const { profile } = (await reads.load(provider, providerId)).state;
  if (profile === undefined) return reject('NOT_FOUND', 'provider-unknown', 'No such provider', 'providerId');
  if (Date.parse(startTime) % MINUTE_MS !== 0 || Date.parse(startTime) < 0) return SLOT_UNKNOWN;
  const ref = { providerId, day: dateIn(profile.timezone, startTime), startTime };
  if (slotRef(slotIdOf(ref)) === undefined) return SLOT_UNKNOWN;
  const { slots } = (await reads.load(schedule, scheduleId(ref))).state;
  const [slotId] = Object.entries(slots).find(([, slot]) => slot.startTime === startTime) ?? [];
  return slotId ?? unusedSlotId(slots, ref);
};

const chosenSlot = async (input: BookingInput, reads: Reads): Promise<string | Rejection> => {
  const { slotId, startTime, providerId } = input;
  if (slotId !== undefined || startTime === undefined) return slotId ?? '';
  const of = providerId ?? (await onlyProvider(reads, SLOT_UNKNOWN));
  if (typeof of !== 'string') return refusePast(startTime, reads.now()) ?? of;
  const slot = await slotAt(of, startTime, reads);
  return typeof slot === 'string' ? slot : (refusePast(startTime, reads.now()) ?? slot);
};

/** The free or taken slot of another day than the appointment's own. */
const targetOf = async (appointmentId: string, slotId: string | undefined, reads: Reads) => {
  if (slotId === undefined || isHome(slotId, appointmentId)) return {};
  return { target: (await reads.load(schedule, scheduleId(dayOfSlot(slotId)))).state.slots[slotId] };
};

const claimsOf = async (clientId: string, reads: Reads) => (await reads.load(clientCalendar, clientId)).state.claims;

const bookingFacts = async ({ slotId = '', onBehalfOf }: BookingInput, actor: Actor, reads: Reads) => {
  const { state } = await reads.load(provider, dayOfSlot(slotId).providerId);
  return {
    provider: state,
    nearby: await takenNearby(slotId, state, { judgedBy: scheduleId(dayOfSlot(slotId)) }, reads),
    beneficiaryExists: onBehalfOf === undefined || (await accountExists(reads, onBehalfOf)),
    claims: await claimsOf(onBehalfOf ?? actor.id, reads),
  };
};

const movingFacts = async ({ appointmentId, slotId, notes }: MovingInput, reads: Reads) => {
  const appointment = (await homeOf(reads, appointmentId)).appointments[appointmentId];
  const { state } = await reads.load(provider, dayOfAppointment(appointmentId).providerId);
  const judge = { judgedBy: home({ appointmentId }), appointmentId };
  return {
    provider: state,
    nearby: slotId === undefined ? [] : await takenNearby(slotId, state, judge, reads),
    claims: appointment === undefined ? [] : await claimsOf(appointment.clientId, reads),
    ...(appointment && notes ? { notes: await notesOf(appointmentId, appointment, reads) } : {}),
    ...(await targetOf(appointmentId, slotId, reads)),
  };
};

const bookBinding = bind(bookAppointment, {
  path: 'POST /appointments',
  access: 'book:appointments',
  status: 201,
  summary: 'Book a free slot',
  example: { slotId: exampleIds.slot, notes: 'First visit' },
  resolve: async (input, reads) => {
    const slotId = await chosenSlot(input, reads);
    return typeof slotId === 'string' ? { ...input, slotId } : slotId;
  },
  stream: ({ slotId }) => scheduleId(dayOfSlot(slotId ?? '')),
  facts: (input, reads, { actor }) => bookingFacts(input, actor, reads),
  version: () => 0,
  answer: {
    schema: AppointmentAnswer,
    of: ({ state, events: [booked] }) => {
      if (booked?.type !== 'AppointmentBooked') throw new TypeError('A booking came about without its event');
      return appointmentAnswer(state, booked.data.appointmentId);
    },
  },
  process: ({ input, actor, newId, reads, step, judge }) =>
    uncontended(async () => {
      const { slotId = '' } = input;
      const { state } = await reads.load(schedule, scheduleId(dayOfSlot(slotId)));
      const facts = await bookingFacts(input, actor, reads);
      const booked = judgeBooking(input, state, { now: reads.now(), actor, newId, facts });
      // Refused, or booked before by this very command: the day's stream has the word, and nothing is to be set aside.
      if (booked === undefined || 'code' in booked) return judge();
      const { appointmentId, clientId: accountId, startTime, endTime } = booked.data;
      const claimed = await step(claimTime, accountId, { accountId, appointmentId, startTime, endTime });
      if (!claimed.ok) return claimed;
      const outcome = await judge();
      if (!outcome.ok) await settleCalendar(accountId, appointmentId, { reads, step });
      const holder = outcome.ok ? state.slots[slotId]?.hold?.accountId : undefined;
      return holder === undefined ? outcome : latest(outcome, ...(await settleHold(holder, slotId, { reads, step })));
    }),
});

/** Moves; reached through `PUT /appointments/{id}`. */
export const moveBinding = bind(rescheduleAppointment, {
  access: 'book:appointments',
  summary: 'Move an appointment to another slot of the same provider',
  example: { appointmentId: exampleIds.appointment, slotId: exampleIds.slot },
  resolve: async (input, reads) => {
    const { slotId, startTime, appointmentId } = input;
    if (slotId !== undefined || startTime === undefined) return input;
    const resolved = await slotAt(dayOfAppointment(appointmentId).providerId, startTime, reads);
    return typeof resolved === 'string' ? { ...input, slotId: resolved } : input;
  },
  stream: home,
  version: versionOf,
  facts: (input, reads) => movingFacts(input, reads),
  answer,
  process: ({ input, actor, newId, reads, step, judge }) =>
    uncontended(async () => {
      const { appointmentId } = input;
      const facts = await movingFacts(input, reads);
      const move = judgeMove(input, await homeOf(reads, appointmentId), { actor, now: reads.now(), facts });
      if (move === undefined || 'code' in move) return judge();

      const tools = { reads, step };
      const { slotId, slot, appointment } = move;
      const { clientId } = appointment;
      const leaving = await reservationOf(appointment.slotId, appointmentId, reads);
      const claim = { accountId: clientId, appointmentId, startTime: slot.startTime, endTime: slot.endTime };
      const claimed = await step(claimTime, clientId, claim);
      if (!claimed.ok) return claimed;
      const reservationId = isHome(slotId, appointmentId) ? undefined : newId('reservation');
      if (reservationId !== undefined) {
        const day = scheduleId(dayOfSlot(slotId));
        const reserved = await step(reserveSlot, day, { slotId, appointmentId, reservationId, clientId });
        if (!reserved.ok) {
          await settleCalendar(clientId, appointmentId, tools);
          return reserved;
        }
      }
      const outcome = await judge();
      // Whatever came of it, slots and calendar follow what the appointment's own stream says now.
      const settled = [
        ...(await settleReservation(slotId, appointmentId, reservationId, tools)),
        ...(await settleReservation(appointment.slotId, appointmentId, leaving, tools)),
        ...(await settleCalendar(clientId, appointmentId, tools)),
      ];
      return latest(outcome, ...settled);
    }),
});

/** The appointment's notes as its own history tells them, which no state may hold. */
const notesOf = async (appointmentId: string, { version, hasNotes }: Appointment, reads: Reads) => {
  if (!hasNotes) return { notes: null, version };
  const history = await reads.history(schedule, home({ appointmentId }));
  const notes = history
    .filter((event) => event.type === 'AppointmentBooked' || event.type === 'AppointmentNotesUpdated')
    .findLast(({ data }) => data.appointmentId === appointmentId)?.data.notes;
  return { notes: notes ?? null, version };
};

/** Replaces notes; reached through `PUT /appointments/{id}`. */
export const notesBinding = bind(updateAppointmentNotes, {
  access: 'book:appointments',
  summary: 'Replace the notes of an appointment',
  example: { appointmentId: exampleIds.appointment, notes: 'Please ring twice' },
  stream: home,
  version: versionOf,
  facts: async ({ appointmentId }, reads) => {
    const appointment = (await homeOf(reads, appointmentId)).appointments[appointmentId];
    return appointment && notesOf(appointmentId, appointment, reads);
  },
  answer,
});

/** Cancels; reached through `PUT /appointments/{id}` too. */
export const cancelBinding = bind(cancelAppointment, {
  path: 'DELETE /appointments/:appointmentId',
  access: 'loggedIn',
  summary: 'Cancel an appointment and free its slot',
  example: { appointmentId: exampleIds.appointment, reason: 'I have fallen ill' },
  stream: home,
  version: versionOf,
  facts: async ({ appointmentId }, reads) => ({
    provider: (await reads.load(provider, dayOfAppointment(appointmentId).providerId)).state,
  }),
  answer,
  process: ({ input: { appointmentId }, reads, step, judge }) => cancellation({ reads, step }, appointmentId, judge),
});

/** Completes; reached through `PUT /appointments/{id}`. */
export const completeBinding = bind(completeAppointment, {
  access: 'loggedIn',
  summary: 'Note that an appointment took place, or that nobody came',
  example: { appointmentId: exampleIds.appointment, outcome: 'attended' },
  stream: home,
  version: versionOf,
  answer,
});

/** Commands on appointments. */
export const appointmentBindings = [bookBinding, moveBinding, notesBinding, cancelBinding, completeBinding];
