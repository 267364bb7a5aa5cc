import { clientCalendar, settleTime } from '../../domain/booking/clientCalendar.ts';
import { dayOfAppointment, dayOfSlot, isHome, scheduleId } from '../../domain/booking/ids.ts';
import { schedule, settleSlot, slotTakenBy, timeOf } from '../../domain/booking/schedule/index.ts';
import type { Outcome, Reads, Step } from '../binding.ts';

/** The state of the day that holds an appointment. */
export const homeOf = async (reads: Pick<Reads, 'load'>, appointmentId: string) =>
  (await reads.load(schedule, scheduleId(dayOfAppointment(appointmentId)))).state;

/** What settling a client's calendar must know: when the appointment really takes place. */
export const timeFacts = async (reads: Pick<Reads, 'load'>, appointmentId: string) => {
  const time = timeOf(await homeOf(reads, appointmentId), appointmentId);
  return time === undefined ? {} : { time };
};

/** What settling a reserved slot must know: the slot that the appointment really takes. */
export const slotFacts = async (reads: Pick<Reads, 'load'>, appointmentId: string) => ({
  slotId: slotTakenBy(await homeOf(reads, appointmentId), appointmentId),
});

type Tools = { readonly reads: Reads; readonly step: Step };

/** Gives back what a client's calendar holds for an appointment beyond the time that it takes. */
export const settleCalendar = async (clientId: string, appointmentId: string, { reads, step }: Tools) => {
  const { state } = await reads.load(clientCalendar, clientId);
  const facts = await timeFacts(reads, appointmentId);
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
  const facts = await slotFacts(reads, appointmentId);
  if (facts.slotId === slotId) return [];
  return [await step(settleSlot, scheduleId(dayOfSlot(slotId)), { slotId, appointmentId, reservationId }, facts)];
};
