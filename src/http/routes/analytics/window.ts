import type { BucketSize } from '../../../projections/analytics/bookingFigures.ts';
import { atMostDays, rangeEnd, rangeOf } from '../../dateRange.ts';

/** Query parameters of a window. */
export const windowQuery = { from: rangeEnd.optional(), to: rangeEnd.optional() };

/** A window over figures: half-open instants, and the zone that its days are counted in. */
export type Window = { readonly from: string; readonly to: string; readonly zone: string };

const SPAN_DAYS = 30;
const MOST_DAYS = 366;

const iso = (instant: Temporal.Instant): string => instant.toString({ fractionalSecondDigits: 3 });

/** The instant some local days before or after another. */
const shifted = (instant: string, days: number, zone: string): string =>
  iso(Temporal.Instant.from(instant).toZonedDateTimeISO(zone).add({ days }).toInstant());

/**
 * The window asked for. Without bounds: 30 local days back to 30 ahead, today included; with one bound the other lies
 * 30 days from it. Throws 422 on `to` when it lies before `from`, or more than 366 days after it.
 */
export const windowOf = (
  query: { readonly from?: string | undefined; readonly to?: string | undefined },
  zone: string,
  now: Date,
): Window => {
  const asked = rangeOf(query, zone);
  const today = Temporal.Instant.from(now.toISOString()).toZonedDateTimeISO(zone).startOfDay();
  const from =
    asked.from ??
    (asked.to === undefined
      ? iso(today.subtract({ days: SPAN_DAYS }).toInstant())
      : shifted(asked.to, -SPAN_DAYS, zone));
  const to =
    asked.to ??
    (asked.from === undefined
      ? iso(today.add({ days: SPAN_DAYS + 1 }).toInstant())
      : shifted(asked.from, SPAN_DAYS, zone));
  atMostDays({ from, to }, MOST_DAYS, query.to);
  return { from, to, zone };
};

/** A bucket of a series: the local date that it begins with, and that beginning with its offset from UTC. */
export type Bucket = { readonly key: string; readonly start: string };

const firstDay = (date: Temporal.PlainDate, size: BucketSize): Temporal.PlainDate => {
  if (size === 'month') return date.with({ day: 1 });
  return size === 'week' ? date.subtract({ days: date.dayOfWeek - 1 }) : date;
};
const step = { day: { days: 1 }, week: { weeks: 1 }, month: { months: 1 } } as const;

/** Every bucket that the window touches, empty ones too. Weeks begin on Monday. */
export const bucketsOf = ({ from, to, zone }: Window, size: BucketSize): readonly Bucket[] => {
  const end = Temporal.Instant.from(to);
  const buckets: Bucket[] = [];
  let day = firstDay(Temporal.Instant.from(from).toZonedDateTimeISO(zone).toPlainDate(), size);
  for (;;) {
    const start = day.toZonedDateTime(zone);
    if (Temporal.Instant.compare(start.toInstant(), end) >= 0) return buckets;
    buckets.push({ key: day.toString(), start: start.toString({ timeZoneName: 'never', smallestUnit: 'second' }) });
    day = day.add(step[size]);
  }
};

/** A quotient with four decimals; 0 when there is nothing to divide by. */
export const rate = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000;
