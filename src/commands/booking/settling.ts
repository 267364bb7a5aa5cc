import { type AppointmentTime, clientCalendar, settleTime } from '../../domain/booking/clientCalendar.ts';
import { dayOfAppointment, dayOfSlot, isHome, scheduleId } from '../../domain/booking/ids.ts';
import {
  type Schedule,
  schedule,
  settleSlot,
  slotTakenBy,
  type TakenSlot,
  timeOf,
} from '../../domain/booking/schedule/index.ts';
import type { Outcome, Step } from '../binding.ts';
import { latest } from '../outcomes.ts';
import { newest, type Reads } from '../reads.ts';

/** The state of the day that holds an appointment. */
export const homeOf = async (reads: Pick<Reads, 'load'>, appointmentId: string) =>
  (await reads.load(schedule, scheduleId(dayOfAppointment(appointmentId)))).state;

/** The same, with what other processes did a moment ago: what policies decide on is not looked at again. */
const newestHomeOf = (reads: Reads, appointmentId: string): Promise<Schedule> =>
  newest(reads, schedule, scheduleId(dayOfAppointment(appointmentId)));

const timeIn = (state: Schedule, appointmentId: string): AppointmentTime => {
  const time = timeOf(state, appointmentId);
  return time === undefined ? {} : { time };
};

/** What settling a client's calendar must know: when the appointment really takes place. */
export const timeFacts = async (reads: Reads, appointmentId: string): Promise<AppointmentTime> =>
  timeIn(await newestHomeOf(reads, appointmentId), appointmentId);

/** What settling a reserved slot must know: the slot that the appointment really takes. */
export const slotFacts = async (reads: Reads, appointmentId: string): Promise<TakenSlot> => ({
  slotId: slotTakenBy(await newestHomeOf(reads, appointmentId), appointmentId),
});

/** What commands of several streams work with. */
export type Tools = { readonly reads: Reads; readonly step: Step };

/** Gives back what a client's calendar holds for an appointment beyond the time that it takes. */
export const settleCalendar = async (clientId: string, appointmentId: string, { reads, step }: Tools) => {
  const { state } = await reads.load(clientCalendar, clientId);
  const facts = timeIn(await homeOf(reads, appointmentId), appointmentId);
  const own = state.claims.filter((claim) => claim.appointmentId === appointmentId);
  const settled = own.every(({ startTime }) => startTime === facts.time?.startTime) && (own.length > 0 || !facts.time);
  return settled ? [] : [await step(settleTime, clientId, { accountId: clientId, appointmentId }, facts)];
};

/** The reservation by which an appointment holds a slot of another day than its own, if it does. */
export const reservationOf = async (slotId: string, appointmentId: string, reads: Reads) => {
  if (isHome(slotId, appointmentId)) return undefined;
  const slot = (await reads.load(schedule, scheduleId(dayOfSlot(slotId)))).state.slots[slotId];
  return slot?.heldBy === appointmentId ? slot.reservation?.id : undefined;
};

/** Frees a slot of another day that the appointment does not take, or no longer. */
export const settleReservation = async (
  slotId: string,
  appointmentId: string,
  reservationId: string | undefined,
  { reads, step }: Tools,
): Promise<readonly Outcome[]> => {
  if (reservationId === undefined) return [];
  const facts = { slotId: slotTakenBy(await homeOf(reads, appointmentId), appointmentId) };
  if (facts.slotId === slotId) return [];
  return [await step(settleSlot, scheduleId(dayOfSlot(slotId)), { slotId, appointmentId, reservationId }, facts)];
};

/** Cancels by `judge`, and gives back what the appointment held elsewhere. */
export const cancellation = async (
  tools: Tools,
  appointmentId: string,
  judge: () => Promise<Outcome>,
): Promise<Outcome> => {
  const appointment = (await homeOf(tools.reads, appointmentId)).appointments[appointmentId];
  const leaving = appointment && (await reservationOf(appointment.slotId, appointmentId, tools.reads));
  const outcome = await judge();
  if (!outcome.ok || appointment === undefined) return outcome;
  const settled = [
    ...(await settleReservation(appointment.slotId, appointmentId, leaving, tools)),
    ...(await settleCalendar(appointment.clientId, appointmentId, tools)),
  ];
  return latest(outcome, ...settled);
};
