import type { Provider } from '../../domain/messaging/offers.ts';
import type { Circuit } from '../circuit.ts';
import { googleCalendar } from './google.ts';

/** An appointment as it is to stand in somebody's calendar. */
export type CalendarEvent = {
  /** Chosen by the service: 5 to 1,024 characters of `0` to `9` and `a` to `v`. The same event has the same for ever. */
  readonly id: string;
  readonly title: string;
  /** ISO-8601 UTC. */
  readonly startTime: string;
  readonly endTime: string;
  /** IANA name of the zone that its holder lives in. */
  readonly timeZone: string;
  readonly description: string;
  /** Where it takes place, an address or a link; empty when nobody has said. */
  readonly place: string;
};

/**
 * What came of a call. `done`: the calendar is as asked. `unauthorised`: the access token does not count. `forbidden`: what
 * was granted does not reach that far. `throttled`: to be tried again after so many seconds, which blames nobody.
 * `failed`: by its code, which quotes nothing; where it is `final`, the same call would fail again.
 */
export type CalendarAnswer =
  | { readonly outcome: 'done' | 'unauthorised' | 'forbidden' }
  | { readonly outcome: 'throttled'; readonly seconds: number }
  | { readonly outcome: 'failed'; readonly code: string; readonly final: boolean };

/** Somebody's calendar, opened by an access token. Every call may be repeated. Failures are answers. */
export type Calendar = {
  /** Brings the event to what it is to be; `known` where it was written before, which saves a call. */
  readonly put: (accessToken: string, event: CalendarEvent, known: boolean) => Promise<CalendarAnswer>;
  /** Takes the event away; one that is not there is gone. */
  readonly remove: (accessToken: string, eventId: string) => Promise<CalendarAnswer>;
};

/** The calendars that can be written to, by whose they are. */
export type Calendars = Readonly<Partial<Record<Provider, Calendar>>>;

/** What is configured. */
export type CalendarSettings = { readonly google: { readonly apiUrl: string } | undefined };

/** The calendars that the configuration names. */
export const openCalendars = ({
  google,
}: CalendarSettings): { readonly calendars: Calendars; readonly circuits: readonly Circuit[] } => {
  if (google === undefined) return { calendars: {}, circuits: [] };
  const { calendar, circuit } = googleCalendar(google);
  return { calendars: { google: calendar }, circuits: [circuit] };
};
