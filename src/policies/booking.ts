import { assignRole } from '../domain/access/userAccess.ts';
import { SETTLE_AFTER_SECONDS, settleTime } from '../domain/booking/clientCalendar.ts';
import { dayOfSlot, isHome } from '../domain/booking/ids.ts';
import {
  abandonExceptionChange,
  cancelDisplacedAppointments,
  closeProvider,
  restoreDayHours,
  resumeSlotGeneration,
} from '../domain/booking/provider/index.ts';
import { completeAppointment, expireSlotHold, placeMovedSlot, settleSlot } from '../domain/booking/schedule/index.ts';
import { issue, policy, type Reaction } from './policy.ts';

const DAY_SECONDS = 86_400;
const after = (instant: string, seconds: number): Date => new Date(Date.parse(instant) + seconds * 1000);
/** A little later than what is due, so that a rule that counts seconds agrees. */
const settleAt = (instant: string): Date => after(instant, SETTLE_AFTER_SECONDS + 1);

/** Gives a new provider the rights that go with it. */
export const providerRole = policy('booking-provider-role', {
  ProviderProfileCreated: ({ data: { accountId } }) => [
    issue(assignRole, { accountId, roleName: 'provider', reason: 'Provider profile created' }),
  ],
});

/** Opens the days that a generation of slots still owes when a crash interrupted it. */
export const slotGeneration = policy('booking-slot-generation', {
  SlotGenerationStarted: ({ data: { providerId, generationId }, recordedAt }) => [
    issue(resumeSlotGeneration, { providerId, generationId }, settleAt(recordedAt)),
  ],
});

type Ended = { readonly data: { readonly clientId: string; readonly appointmentId: string } };
const settleClient = ({ data: { clientId, appointmentId } }: Ended): readonly Reaction[] => [
  issue(settleTime, { accountId: clientId, appointmentId, onlyStale: true }),
];

/** Gives back time of clients that no appointment takes: a booking or move that a crash interrupted, and what is over. */
export const clientTime = policy('booking-client-time', {
  TimeClaimed: ({ data: { accountId, appointmentId, claimedAt } }) => [
    issue(settleTime, { accountId, appointmentId, onlyStale: true }, settleAt(claimedAt)),
  ],
  AppointmentRescheduled: settleClient,
  AppointmentCancelled: settleClient,
  AppointmentCompleted: settleClient,
});

const settleUnlessHome = (slotId: string, appointmentId: string): readonly Reaction[] =>
  isHome(slotId, appointmentId) ? [] : [issue(settleSlot, { slotId, appointmentId })];

/** Frees slots held for appointments of other days that do not take them: finishes moves and cancellations. */
export const heldSlots = policy('booking-held-slots', {
  SlotReserved: ({ data: { slotId, appointmentId, reservedAt } }) => [
    issue(settleSlot, { slotId, appointmentId }, settleAt(reservedAt)),
  ],
  AppointmentRescheduled: ({ data: { fromSlotId, appointmentId } }) => settleUnlessHome(fromSlotId, appointmentId),
  AppointmentCancelled: ({ data: { slotId, appointmentId } }) => settleUnlessHome(slotId, appointmentId),
});

/** Lets a slot go when its hold has run out. The rules look at the clock: this is for those who watch. */
export const slotHolds = policy('booking-slot-holds', {
  SlotHeld: ({ data: { slotId, accountId, until } }) => [issue(expireSlotHold, { slotId, accountId }, new Date(until))],
});

/**
 * Takes back a change of exceptions that a crash interrupted, opens the days of removed ones, and cancels what an exception was to cancel: once more a
 * little later, for what was being moved there meanwhile.
 */
export const exceptionChanges = policy('booking-exception-changes', {
  ExceptionChangeStarted: ({ data: { providerId, changeId, startedAt } }) => [
    issue(abandonExceptionChange, { providerId, changeId }, settleAt(startedAt)),
  ],
  ExceptionChangeAbandoned: ({ data: { providerId, seq, days } }) => [
    issue(restoreDayHours, { providerId, seq, days }),
  ],
  AvailabilityExceptionRemoved: ({ data: { providerId, seq, from, to } }) => [
    issue(restoreDayHours, { providerId, seq, days: [{ from, to }] }),
  ],
  AvailabilityExceptionAdded: ({ data: { providerId, exceptionId, cancelBooked }, recordedAt }) =>
    cancelBooked
      ? [
          issue(cancelDisplacedAppointments, { providerId, exceptionId }),
          issue(cancelDisplacedAppointments, { providerId, exceptionId }, settleAt(recordedAt)),
        ]
      : [],
});

/** Brings a slot to the day that it was moved to, should a crash have kept the command from it. */
export const movedSlots = policy('booking-moved-slots', {
  TimeSlotRemoved: ({ data: { providerId, slotId, startTime, endTime, movedTo }, recordedAt }) =>
    movedTo === undefined
      ? []
      : [
          issue(
            placeMovedSlot,
            { providerId, ...movedTo, from: { day: dayOfSlot(slotId).day, startTime, endTime } },
            settleAt(recordedAt),
          ),
        ],
});

/** Closes the calendar of a provider whose account is closed, and once more what was being booked meanwhile. */
export const providerClosing = policy('booking-provider-closing', {
  AccountDeactivated: ({ data: { accountId }, recordedAt }) => [
    issue(closeProvider, { accountId }),
    issue(closeProvider, { accountId }, settleAt(recordedAt)),
  ],
});

type Timed = { readonly data: { readonly appointmentId: string; readonly endTime: string } };
const completeNextDay = ({ data: { appointmentId, endTime } }: Timed): readonly Reaction[] => [
  issue(completeAppointment, { appointmentId, outcome: 'attended' }, after(endTime, DAY_SECONDS)),
];

/** Counts an appointment as attended when nobody has said otherwise a day after its end. */
export const appointmentCompletion = policy('booking-completion', {
  AppointmentBooked: completeNextDay,
  AppointmentRescheduled: completeNextDay,
});

/** Every policy of booking. */
export const bookingPolicies = [
  providerRole,
  slotGeneration,
  clientTime,
  heldSlots,
  slotHolds,
  exceptionChanges,
  movedSlots,
  providerClosing,
  appointmentCompletion,
] as const;
