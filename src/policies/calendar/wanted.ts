import type { Reads } from '../../commands/reads.ts';
import type { SyncParty } from '../../domain/booking/calendarSync.ts';
import { MINUTE_MS } from '../../domain/durations.ts';
import type { CalendarEvent } from '../../integrations/calendar/index.ts';
import { type Chapter, hostOf, nameOf, personBehind, storyOf } from '../mails/booking/appointment.ts';

/** The title that every appointment has in calendars. */
export const TITLE = 'Consultation Session';

/** An appointment and whose calendar it is about, as the log tells it now. */
export type Part = {
  readonly party: SyncParty;
  readonly accountId: string;
  /** Of the appointment. */
  readonly version: number;
  readonly eventId: string;
  readonly appointment: Chapter;
};

/** How it is to stand in that calendar. */
export type Wanted = Pick<Part, 'accountId' | 'version' | 'eventId'> & {
  /** Undefined: it is not to stand there. */
  readonly event: CalendarEvent | undefined;
};

/** The id of the event: hexadecimal digits are among those that Google takes. The same for ever, and it tells nothing. */
export const eventIdOf = (hash: Reads['hash'], appointmentId: string, party: SyncParty): string =>
  hash('calendar-event', `${appointmentId}~${party}`);

/** Undefined when there is no such appointment. */
export const partOf = async (
  reads: Pick<Reads, 'history' | 'hash'>,
  appointmentId: string,
  party: SyncParty,
): Promise<Part | undefined> => {
  const appointment = (await storyOf(reads, appointmentId))?.now;
  if (appointment === undefined) return undefined;
  const { clientId, providerId, version } = appointment;
  const accountId = party === 'client' ? clientId : providerId;
  return { party, accountId, version, eventId: eventIdOf(reads.hash, appointmentId, party), appointment };
};

/** Reads the names of both sides, too, unless it is not to stand there. */
export const wantedOf = async (reads: Pick<Reads, 'history'>, part: Part): Promise<Wanted> => {
  const { party, accountId, version, eventId, appointment } = part;
  const { clientId, providerId, startTime, endTime, status, notes, timezone } = appointment;
  const of = { accountId, version, eventId };
  if (status === 'CANCELLED') return { ...of, event: undefined };
  const host = (await hostOf(reads, providerId))?.now;
  const client = await personBehind(reads, clientId);
  const place = host?.meetingLink ?? host?.location ?? '';
  const minutes = (Date.parse(endTime) - Date.parse(startTime)) / MINUTE_MS;
  const lines = [
    party === 'client' ? `With: ${host?.name ?? ''}` : `Client: ${nameOf(client)}`,
    `Length: ${minutes} minutes`,
    ...(host?.meetingLink == null ? [] : [`Meeting link: ${host.meetingLink}`]),
    ...(host?.location == null ? [] : [`Place: ${host.location}`]),
    ...(notes === null || notes === '' ? [] : ['', 'Notes:', notes]),
  ];
  const own = party === 'client' ? (timezone ?? client?.timezone) : host?.timezone;
  return {
    ...of,
    event: {
      id: eventId,
      title: TITLE,
      startTime,
      endTime,
      timeZone: own ?? host?.timezone ?? 'UTC',
      description: lines.join('\n'),
      place,
    },
  };
};
