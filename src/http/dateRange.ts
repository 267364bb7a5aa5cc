import { z } from 'zod';
import { dayEnd, dayStart } from '../domain/dates.ts';
import { DAY_MS } from '../domain/durations.ts';
import { instant, isoDate } from '../domain/fields.ts';
import { Problem } from './problem.ts';

/** One end of a range: a date, which means that whole day of the zone asked for, or an instant. */
export const rangeEnd = z
  .union([isoDate, instant], { error: 'Must be a date or an instant' })
  // The other end, or the day in another zone, may lie up to a year away and must still be an instant.
  .refine((text) => text >= '0003' && text < '9998', 'Must lie between the years 3 and 9997')
  .meta({ description: 'A date (that whole day, `to` included) or an instant (half-open)' });

const isDate = (text: string): boolean => text.length === 10;

/** The first instant that a range's beginning means. */
const beginning = (text: string, zone: string): string => (isDate(text) ? dayStart(text, zone) : text);

/** The first instant after what a range's end means. */
const ending = (text: string, zone: string): string => (isDate(text) ? dayEnd(text, zone) : text);

const refusedTo = (message: string, field = 'to'): Problem =>
  new Problem('VALIDATION_ERROR', message, { reason: 'input-invalid', details: [{ field, message }] });

/** A half-open stretch of time, ISO-8601 UTC with milliseconds; an end that was not asked for is missing. */
export type Range = { readonly from?: string; readonly to?: string };

/** What `from` and `to` mean in a time zone. Throws 422 on `to`, by the name that it has in the query, when it lies before `from`. */
export const rangeOf = (
  { from, to }: { from?: string | undefined; to?: string | undefined },
  zone = 'UTC',
  toField = 'to',
): Range => {
  const range: Range = {
    ...(from === undefined ? {} : { from: beginning(from, zone) }),
    ...(to === undefined ? {} : { to: ending(to, zone) }),
  };
  // A date before `from` ends where `from` begins: not later, so it is its beginning that counts.
  if (range.from !== undefined && to !== undefined && beginning(to, zone) < range.from)
    throw refusedTo('Must not lie before the beginning', toField);
  return range;
};

/**
 * Throws 422 on `to` when it lies more than a number of days after `from`. A date `asked` for as the end is that far
 * away with its beginning: the day itself belongs to the range and does not count.
 */
export const atMostDays = (
  range: { readonly from: string; readonly to: string },
  days: number,
  asked: string | undefined,
): void => {
  const most = days + (asked !== undefined && isDate(asked) ? 1 : 0);
  // A day of a clock change may have 25 hours.
  if (Date.parse(range.to) - Date.parse(range.from) > most * DAY_MS + DAY_MS / 24)
    throw refusedTo(`Must lie at most ${days} days after from`);
};
