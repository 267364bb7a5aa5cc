import { z } from 'zod';
import { dayOfAppointment } from '../../domain/booking/ids.ts';
import type { Provider, ReasonedException } from '../../domain/booking/provider/index.ts';
import type { Schedule } from '../../domain/booking/schedule/index.ts';

/** An appointment right after a command. Names and notes are told by `GET /appointments/{id}`. */
export const AppointmentAnswer = z.object({
  id: z.string(),
  providerId: z.string(),
  clientId: z.string(),
  slotId: z.string(),
  startTime: z.string(),
  endTime: z.string(),
  status: z.enum(['SCHEDULED', 'COMPLETED', 'CANCELLED']),
  outcome: z.enum(['attended', 'no_show']).nullable(),
  bookedBy: z.enum(['client', 'provider', 'admin', 'system']),
  version: z.int(),
});

/** What a caller is told of an appointment that a command has just judged. */
export const appointmentAnswer = (state: Schedule, id: string): z.output<typeof AppointmentAnswer> => {
  const appointment = state.appointments[id];
  if (appointment === undefined) throw new TypeError('A command succeeded without its appointment');
  const { clientId, slotId, startTime, endTime, status, outcome, bookedBy, version } = appointment;
  const { providerId } = dayOfAppointment(id);
  const times = { slotId, startTime, endTime };
  return { id, providerId, clientId, ...times, status, outcome: outcome ?? null, bookedBy, version };
};

/** A provider as he presents himself. */
export const ProfileAnswer = z.object({
  providerId: z.string(),
  displayName: z.string(),
  bio: z.string().nullable(),
  timezone: z.string(),
  meetingLink: z.string().nullable(),
  location: z.string().nullable(),
  priceCents: z.int().nullable(),
  currency: z.string().nullable(),
  active: z.boolean(),
  version: z.int(),
});

const Intervals = z.array(z.object({ start: z.string(), end: z.string() }));

/** Dates on which other hours hold. */
export const ExceptionAnswer = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  closed: z.boolean(),
  intervals: Intervals,
  reason: z.string().nullable(),
});

/** What a provider is told of an exception. */
export const exceptionAnswer = ({
  exceptionId: id,
  from,
  to,
  intervals,
  reason,
}: ReasonedException): z.output<typeof ExceptionAnswer> => ({
  id,
  from,
  to,
  closed: intervals.length === 0,
  intervals: intervals.map(({ start, end }) => ({ start, end })),
  reason,
});

/** Working hours, notice, horizon, buffer, cut-offs and exceptions of a provider. */
export const AvailabilityAnswer = z.object({
  providerId: z.string(),
  timezone: z.string(),
  weekly: z.array(z.object({ dayOfWeek: z.int(), intervals: Intervals })),
  slotDurationMinutes: z.int(),
  minNoticeMinutes: z.int(),
  maxAdvanceDays: z.int(),
  bufferMinutes: z.int(),
  cancelCutoffMinutes: z.int(),
  moveCutoffMinutes: z.int(),
  exceptions: z.array(ExceptionAnswer).describe('Those that end today or later'),
  version: z.int(),
});

/** What a provider is told of his availability. The reasons of exceptions stand in his history alone. */
export const availabilityAnswer = (state: Provider, providerId: string): z.input<typeof AvailabilityAnswer> => {
  const { profile, weekly, minNoticeMinutes, maxAdvanceDays, version, exceptions } = state;
  const { bufferMinutes, cancelCutoffMinutes, moveCutoffMinutes } = state;
  return {
    providerId,
    timezone: profile?.timezone ?? '',
    weekly: weekly.map(({ dayOfWeek, intervals }) => ({ dayOfWeek, intervals: [...intervals] })),
    slotDurationMinutes: 30,
    minNoticeMinutes,
    maxAdvanceDays,
    bufferMinutes,
    cancelCutoffMinutes,
    moveCutoffMinutes,
    exceptions: exceptions.map((exception) => exceptionAnswer({ ...exception, reason: null })),
    version,
  };
};

/** What a generation of slots did. */
export const GenerationAnswer = z.object({
  created: z.int(),
  skipped: z.int(),
  firstStart: z.string().nullable(),
  lastEnd: z.string().nullable(),
});

/** A slot right after a command. What it is by the local clock is told by `GET /provider/timeslots`. */
export const SlotAnswer = z.object({
  id: z.string(),
  startTime: z.string(),
  endTime: z.string(),
  isAvailable: z.boolean().describe('Neither taken nor blocked nor closed by an exception'),
  booked: z.boolean(),
  appointmentId: z.string().nullable(),
});

/** What a provider is told of a slot that a command has just judged. */
export const slotAnswer = ({ slots }: Schedule, id: string): z.output<typeof SlotAnswer> => {
  const slot = slots[id];
  if (slot === undefined) throw new TypeError('A command succeeded without its slot');
  const { startTime, endTime, heldBy, blocked, closed } = slot;
  const isAvailable = heldBy === undefined && !blocked && !closed;
  return { id, startTime, endTime, isAvailable, booked: heldBy !== undefined, appointmentId: heldBy ?? null };
};

/** Ids for examples in the API document. */
export const exampleIds = {
  appointment: 'AgGQobLD1H5fimt8jZ4PGisAUY5vG3pSbw9dLpw5P3ofHYoQ',
  slot: 'AQGQobLD1H5fimt8jZ4PGisAUCIBwsFc',
  account: '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b',
} as const;
