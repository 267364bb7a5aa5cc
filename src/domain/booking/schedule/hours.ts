import { z } from 'zod';
import { reject } from '../../decider.ts';
import { isoDate, uuid } from '../../fields.ts';
import { type Interval, slotsOf } from '../grid.ts';
import { command, type Schedule } from './state.ts';

type Closed = { readonly closed?: true };

const closedBy = (
  intervals: readonly Interval[] | null | undefined,
  day: string,
  timezone: string,
): ((startTime: string) => Closed) => {
  if (intervals === null || intervals === undefined) return () => ({});
  const within = new Set(slotsOf(day, intervals, timezone).map(({ startTime }) => startTime));
  return (startTime) => (within.has(startTime) ? {} : { closed: true });
};

/** Tells of starts whether they lie outside the hours that an exception leaves to the day. */
export const closedOn = ({ hours }: Schedule, day: string, timezone: string): ((startTime: string) => Closed) =>
  closedBy(hours?.intervals, day, timezone);

/**
 * Sets the hours outside which nothing is offered on a day. From here on nobody books there, whatever becomes of the
 * exception that this belongs to. An appointment to come outside the hours keeps them from changing, unless it is to be
 * cancelled. Changes come through in the order of their numbers: what arrives late changes nothing.
 */
export const setDayHours = command(
  'SetDayHours',
  z.object({
    providerId: uuid,
    day: isoDate,
    seq: z.int().min(0),
    // Parsed when they came in.
    intervals: z.array(z.object({ start: z.string(), end: z.string() })).nullable(),
    timezone: z.string(),
    cancelBooked: z.boolean().default(false),
  }),
  ({ providerId, day, seq, intervals, timezone, cancelBooked }, state, { now }) => {
    if (state.hours !== undefined && state.hours.seq >= seq) return [];
    const closes = closedBy(intervals, day, timezone);
    const outside = Object.entries(state.slots).filter(([, { startTime }]) => closes(startTime).closed);
    const booked = outside.some(([, { heldBy, startTime }]) => heldBy !== undefined && startTime > now.toISOString());
    if (booked && !cancelBooked)
      return reject('CONFLICT', 'slots-booked', `There are appointments on ${day} that would have to be cancelled`);
    const out = new Set(outside.map(([slotId]) => slotId));
    const closed = outside.filter(([, slot]) => !slot.closed).map(([slotId, { startTime }]) => ({ slotId, startTime }));
    const opened = Object.entries(state.slots)
      .filter(([slotId, slot]) => slot.closed && !out.has(slotId))
      .map(([slotId, { startTime, heldBy, blocked }]) => ({
        slotId,
        startTime,
        isAvailable: heldBy === undefined && !blocked,
      }));
    return [{ type: 'DayHoursChanged', data: { providerId, day, seq, intervals, closed, opened } }];
  },
);

/** The appointments to come that take slots outside the hours of their day. */
export const displaced = ({ slots }: Schedule, now: Date): readonly { slotId: string; appointmentId: string }[] =>
  Object.entries(slots).flatMap(([slotId, { heldBy: appointmentId, closed, startTime }]) =>
    appointmentId !== undefined && closed && startTime > now.toISOString() ? [{ slotId, appointmentId }] : [],
  );
