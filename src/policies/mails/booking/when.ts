import type { Span } from '../../../domain/booking/grid.ts';

/** `Monday, 2 March 2026, 10:00–10:30 (Europe/Luxembourg, GMT+1)`. */
export const when = ({ startTime, endTime }: Span, timeZone: string): string => {
  const [start, end] = [new Date(startTime), new Date(endTime)];
  const inZone = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-GB', { ...options, timeZone });
  const clock = inZone({ timeStyle: 'short' });
  const offset = inZone({ timeZoneName: 'shortOffset' })
    .formatToParts(start)
    .find(({ type }) => type === 'timeZoneName')?.value;
  return `${inZone({ dateStyle: 'full' }).format(start)}, ${clock.format(start)}–${clock.format(end)} (${timeZone}, ${offset})`;
};
