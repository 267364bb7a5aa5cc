import {
  cancelClientAppointments,
  claimTime,
  clientCalendar,
  settleTime,
  upcoming,
} from '../../domain/booking/clientCalendar.ts';
import { dayOfAppointment, dayOfSlot, scheduleId } from '../../domain/booking/ids.ts';
import { closeProvider, completeSlotGeneration, provider } from '../../domain/booking/provider/index.ts';
import { cancelAppointment, openDaySlots, reserveSlot, settleSlot } from '../../domain/booking/schedule/index.ts';
import { internal, type Outcome, type Run } from '../binding.ts';
import { isOpen } from '../identity/standing.ts';
import { latest } from '../outcomes.ts';
import { cancellation, slotFacts, type Tools, timeFacts } from './settling.ts';

type Closing = Run<{ readonly accountId: string }>;

const cancelEach = async (appointmentIds: readonly string[], { reads, step }: Tools): Promise<readonly Outcome[]> => {
  const cancelled: Outcome[] = [];
  for (const appointmentId of appointmentIds) {
    const input = { appointmentId, reason: 'account closed' };
    const cancel = () => step(cancelAppointment, scheduleId(dayOfAppointment(appointmentId)), input);
    cancelled.push(await cancellation({ reads, step }, appointmentId, cancel));
  }
  return cancelled;
};

/** Cancels what a client with a closed account has booked; nothing once the account is open again. */
const clientCancellation = async (run: Closing): Promise<Outcome> => {
  const { reads, judge } = run;
  const { accountId } = run.input;
  const outcome = await judge();
  if (!outcome.ok || (await isOpen(reads, accountId))) return outcome;
  const booked = upcoming((await reads.load(clientCalendar, accountId)).state, reads.now());
  return latest(outcome, ...(await cancelEach(booked, run)));
};

/** Cancels what clients have booked with a provider whose account is closed; nothing once it is open again. */
const providerClosing = async (run: Closing): Promise<Outcome> => {
  const { reads, judge } = run;
  const { accountId } = run.input;
  const outcome = await judge();
  const { profile } = (await reads.load(provider, accountId)).state;
  if (!outcome.ok || profile === undefined || (await isOpen(reads, accountId))) return outcome;
  const own = (await reads.lookups.upcomingAppointments(accountId)).filter(
    (appointmentId) => dayOfAppointment(appointmentId).providerId === accountId,
  );
  return latest(outcome, ...(await cancelEach(own, run)));
};

/** Steps of longer commands, and what policies do to finish those that a crash interrupted. */
export const settlingBindings = [
  internal(openDaySlots, scheduleId),
  internal(completeSlotGeneration, ({ providerId }) => providerId),
  internal(reserveSlot, ({ slotId }) => scheduleId(dayOfSlot(slotId))),
  internal(settleSlot, ({ slotId }) => scheduleId(dayOfSlot(slotId)), {
    facts: ({ appointmentId }, reads) => slotFacts(reads, appointmentId),
  }),
  internal(claimTime, ({ accountId }) => accountId),
  internal(settleTime, ({ accountId }) => accountId, {
    facts: ({ appointmentId }, reads) => timeFacts(reads, appointmentId),
  }),
  internal(cancelClientAppointments, ({ accountId }) => accountId, { process: clientCancellation }),
  internal(closeProvider, ({ accountId }) => accountId, {
    facts: async ({ accountId }, reads) => ({ isOpen: await isOpen(reads, accountId) }),
    process: providerClosing,
  }),
];
