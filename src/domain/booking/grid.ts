import { z } from 'zod';
import { DAY_MS, MINUTE_MS } from '../durations.ts';
import { endTimeOfDay, timeOfDay } from '../fields.ts';

/** Minutes of every slot. */
export const SLOT_MINUTES = 30;
const SLOT_MS = SLOT_MINUTES * MINUTE_MS;

/** A stretch of a day by the local clock, `HH:mm`; `24:00` is the day's end. */
export type Interval = { readonly start: string; readonly end: string };
/** A stretch of time, ISO-8601 UTC with milliseconds. */
export type Span = { readonly startTime: string; readonly endTime: string };
/** The working hours of one weekday, 1 for Monday to 7 for Sunday. */
export type Hours = { readonly dayOfWeek: number; readonly intervals: readonly Interval[] };

/** Minutes since the day's beginning by the local clock. */
export const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

const timeAt = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

const onGrid = (time: string): boolean => minutesOf(time) % SLOT_MINUTES === 0;
const OFF_GRID = `Must be a multiple of ${SLOT_MINUTES} minutes`;

/** Up to six intervals of one day: on the grid, at least one slot long, none overlapping. Comes out in order. */
export const intervalsField = z
  .array(
    z
      .object({ start: timeOfDay.refine(onGrid, OFF_GRID), end: endTimeOfDay.refine(onGrid, OFF_GRID) })
      .refine(({ start, end }) => minutesOf(start) < minutesOf(end), { path: ['end'], error: 'Must be after start' }),
  )
  .max(6, 'At most 6 intervals a day')
  .check(({ value, issues }) => {
    value.forEach((interval, index) => {
      const clash = value.slice(0, index).some(({ start, end }) => start < interval.end && interval.start < end);
      if (clash) issues.push({ code: 'custom', input: interval, path: [index], message: 'Overlaps another interval' });
    });
  })
  .overwrite((intervals) => intervals.toSorted((a, b) => minutesOf(a.start) - minutesOf(b.start)));

/** What lies in both lists of intervals. */
export const common = (some: readonly Interval[], others: readonly Interval[]): readonly Interval[] =>
  some.flatMap((a) =>
    others.flatMap((b) => {
      const start = Math.max(minutesOf(a.start), minutesOf(b.start));
      const end = Math.min(minutesOf(a.end), minutesOf(b.end));
      return start < end ? [{ start: timeAt(start), end: timeAt(end) }] : [];
    }),
  );

/** How many days the date `to` lies after `from`. */
export const daysFrom = (from: string, to: string): number =>
  Temporal.PlainDate.from(from).until(Temporal.PlainDate.from(to), { largestUnit: 'day' }).days;

/** Every date from `from` to `to`, both included. */
export const datesBetween = (from: string, to: string): readonly string[] => {
  const first = Temporal.PlainDate.from(from);
  return Array.from({ length: Math.max(0, daysFrom(from, to) + 1) }, (_, days) => first.add({ days }).toString());
};

/** The weekday of a date, 1 for Monday to 7 for Sunday. */
export const dayOfWeek = (date: string): number => Temporal.PlainDate.from(date).dayOfWeek;

const zoned = (ms: number, timeZone: string) => Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone);

/** The date of an instant by the clock of a zone. */
export const dateIn = (timeZone: string, at: Date | string): string =>
  zoned(new Date(at).getTime(), timeZone).toPlainDate().toString();

const slotAt = (ms: number): Span => ({
  startTime: new Date(ms).toISOString(),
  endTime: new Date(ms + SLOT_MS).toISOString(),
});

/** The instants, none to two, at which the zone's clock shows this time. */
const instantsOf = (local: Temporal.PlainDateTime, timeZone: string): readonly number[] => {
  const passes = (['earlier', 'later'] as const)
    .map((disambiguation) => local.toZonedDateTime(timeZone, { disambiguation }))
    // A time that a clock change leaves out comes back as another one.
    .filter((at) => at.toPlainDateTime().equals(local))
    .map((at) => at.epochMilliseconds);
  return [...new Set(passes)];
};

/**
 * The slots of one local day: every span of the grid whose every moment lies inside an interval by the local clock.
 * Local times that a clock change leaves out give no slot, those that it repeats give two; none overlap. In order.
 */
export const slotsOf = (date: string, intervals: readonly Interval[], timeZone: string): readonly Span[] => {
  const day = Temporal.PlainDate.from(date);
  const midnight = day.toZonedDateTime(timeZone);
  const next = day.add({ days: 1 }).toZonedDateTime(timeZone);
  const starts = intervals.flatMap(({ start, end }) =>
    Array.from(
      { length: Math.floor((minutesOf(end) - minutesOf(start)) / SLOT_MINUTES) },
      (_, index) => minutesOf(start) + index * SLOT_MINUTES,
    ),
  );
  const ordinary =
    midnight.offsetNanoseconds === next.offsetNanoseconds &&
    next.epochMilliseconds - midnight.epochMilliseconds === DAY_MS &&
    midnight.hour === 0;
  if (ordinary) return starts.map((minutes) => slotAt(midnight.epochMilliseconds + minutes * MINUTE_MS));
  const local = day.toPlainDateTime();
  return starts
    .flatMap((minutes) => instantsOf(local.add({ minutes }), timeZone))
    .filter((ms) => zoned(ms, timeZone).offset === zoned(ms + SLOT_MS - 1, timeZone).offset)
    .sort((a, b) => a - b)
    .map(slotAt);
};

/** Whether a slot of the grid of a zone begins at an instant: its clock shows a multiple of half an hour all along. */
export const isGridStart = (startTime: string, timeZone: string): boolean => {
  const ms = Date.parse(startTime);
  const start = zoned(ms, timeZone);
  const whole = start.second === 0 && start.millisecond === 0 && start.minute % SLOT_MINUTES === 0;
  return whole && start.offset === zoned(ms + SLOT_MS - 1, timeZone).offset;
};

/** The end of the slot that begins at an instant. */
export const slotEnd = (startTime: string): string => slotAt(Date.parse(startTime)).endTime;

/** The start of the slot that ends at an instant. */
export const slotStart = (endTime: string): string => slotAt(Date.parse(endTime) - SLOT_MS).startTime;

/** Whether a slot of a day lies inside some hours by the clock of a zone. */
export const liesIn = (intervals: readonly Interval[], day: string, startTime: string, timeZone: string): boolean =>
  slotsOf(day, intervals, timeZone).some((slot) => slot.startTime === startTime);

/** The hours of one date. */
export type DateHours = { readonly day: string; readonly intervals: readonly Interval[] };

export type Plan = {
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
  readonly hours: readonly Hours[];
  /** Dates on which other hours hold. */
  readonly dates?: readonly DateHours[] | undefined;
  /** Slots that begin earlier are left out. */
  readonly notBefore: string;
};

/** The slots that a plan asks for, by local date; dates without any are left out. */
export const planned = ({ from, to, timeZone, hours, dates = [], notBefore }: Plan) => {
  const byWeekday = new Map(hours.map((day) => [day.dayOfWeek, day.intervals]));
  const byDate = new Map(dates.map(({ day, intervals }) => [day, intervals]));
  return datesBetween(from, to)
    .map((day) => ({
      day,
      slots: slotsOf(day, byDate.get(day) ?? byWeekday.get(dayOfWeek(day)) ?? [], timeZone).filter(
        (slot) => slot.startTime >= notBefore,
      ),
    }))
    .filter(({ slots }) => slots.length > 0);
};
