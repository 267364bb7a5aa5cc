import { cacheOf } from '../../../cacheOf.ts';
import type { Span } from '../../../domain/booking/grid.ts';

/** What says times by the clock of one zone. */
type Formats = {
  readonly day: Intl.DateTimeFormat;
  readonly clock: Intl.DateTimeFormat;
  readonly offset: Intl.DateTimeFormat;
};

/** Zones whose formats are kept: to make them takes most of a millisecond, to use them a hundredth of one. */
const ZONES = 100;
const known = cacheOf<string, Formats>(ZONES);

const formatsOf = (timeZone: string): Formats => {
  const kept = known.get(timeZone);
  if (kept !== undefined) return kept;
  const inZone = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', { ...options, timeZone });
  const made = {
    day: inZone({ dateStyle: 'full' }),
    clock: inZone({ timeStyle: 'short' }),
    offset: inZone({ timeZoneName: 'shortOffset' }),
  };
  known.set(timeZone, made);
  return made;
};

/** `Monday, 2 March 2026, 10:00–10:30 (Europe/Luxembourg, GMT+1)`. */
export const when = ({ startTime, endTime }: Span, timeZone: string): string => {
  const [start, end] = [new Date(startTime), new Date(endTime)];
  const { day, clock, offset } = formatsOf(timeZone);
  const zone = offset.formatToParts(start).find(({ type }) => type === 'timeZoneName')?.value;
  return `${day.format(start)}, ${clock.format(start)}–${clock.format(end)} (${timeZone}, ${zone})`;
};
