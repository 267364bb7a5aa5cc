import { z } from 'zod';
import type { Person } from '../../../commands/identity/person.ts';
import { MINUTE_MS } from '../../../domain/durations.ts';
import type { CalendarPart } from '../../../integrations/email.ts';
import { appointmentEntry, appointmentUrl, iCalendar } from '../../../integrations/iCalendar.ts';
import type { Detail } from '../layout.ts';
import { type About, template } from '../template.ts';
import { type Chapter, type Host, hostOf, nameOf, personBehind, type Story, storyOf } from './appointment.ts';
import { waitingListOffer } from './waitingList.ts';
import { when } from './when.ts';

const Side = z.enum(['client', 'provider']);
type Side = z.output<typeof Side>;
const Appointment = z.object({ appointmentId: z.string(), side: Side });
/** The command that changed the appointment: what came of it is one mail, however many events it was. */
const Change = Appointment.extend({ commandId: z.string() });

/** An appointment as one of its two sides reads of it. */
type Reading = {
  readonly appointmentId: string;
  readonly side: Side;
  readonly story: Story;
  readonly host: Host;
  readonly hostBefore: Host | undefined;
  /** The other side's name. */
  readonly withWhom: string;
  readonly client: Person | undefined;
};

type Order = { readonly appointmentId: string; readonly side: Side; readonly commandId?: string };

/** Undefined when there is no such appointment, or it is not the account's. */
const readingOf = async (
  { appointmentId, side, commandId }: Order,
  { reads, accountId, person }: About,
): Promise<Reading | undefined> => {
  const story = await storyOf(reads, appointmentId, commandId);
  if (story === undefined) return undefined;
  const { clientId, providerId } = story.now;
  if (accountId !== (side === 'client' ? clientId : providerId)) return undefined;
  const hosts = await hostOf(reads, providerId, commandId);
  if (hosts === undefined) return undefined;
  const client = side === 'client' ? person : await personBehind(reads, clientId);
  return {
    appointmentId,
    side,
    story,
    // A change of the profile is told as it was made, all else as things are now.
    host: hosts.after ?? hosts.now,
    hostBefore: hosts.before,
    withWhom: side === 'client' ? hosts.now.name : nameOf(client),
    client,
  };
};

/** The zone that the reader of a mail lives by. */
const zoneOf = ({ side, host }: Pick<Reading, 'side' | 'host'>, chapter: Chapter, { timezone }: Person): string =>
  side === 'provider' ? host.timezone : (chapter.timezone ?? timezone);

const lengthOf = ({ startTime, endTime }: Chapter): string =>
  `${(Date.parse(endTime) - Date.parse(startTime)) / MINUTE_MS} minutes`;

const NONE = 'none';
/** A line of the details; `before` only where it was something else. */
const detail = (label: string, value: string | null, before: string | null = value): readonly Detail[] => {
  if (value === null && before === null) return [];
  return [{ label, value: value ?? NONE, ...(before === value ? {} : { before: before ?? NONE }) }];
};

/** Who, when, how long, where and what for; with what it was before where that differs. */
const detailsOf = (
  reading: Reading,
  person: Person,
  chapter: Chapter,
  former: Chapter = chapter,
): readonly Detail[] => {
  const { host, hostBefore = host, side, withWhom } = reading;
  const zone = zoneOf(reading, chapter, person);
  return [
    ...detail(side === 'client' ? 'With' : 'Client', withWhom),
    ...detail('When', when(chapter, zone), when(former, zone)),
    ...detail('Length', lengthOf(chapter), lengthOf(former)),
    ...detail('Place', host.location, hostBefore.location),
    ...detail('Meeting link', host.meetingLink, hostBefore.meetingLink),
    ...detail('Notes', chapter.notes, former.notes),
  ];
};

const linksTo = (publicUrl: string, appointmentId: string) => {
  const url = appointmentUrl(publicUrl, appointmentId);
  return {
    view: { text: 'See the appointment', url },
    move: { text: 'Move it', url: `${url}?action=reschedule` },
    cancel: { text: 'Cancel it', url: `${url}?action=cancel` },
  };
};

/** What the reader's calendar is told of a version of the appointment. */
const calendarOf = (reading: Reading, chapter: Chapter, { person, publicUrl, sender }: About): CalendarPart => {
  const { appointmentId, host, withWhom } = reading;
  const method = chapter.status === 'CANCELLED' ? 'CANCEL' : 'REQUEST';
  const { version, startTime, endTime, notes } = chapter;
  const { meetingLink, location } = host;
  // Another place is no version of the appointment: calendars take it because it was said later.
  const changedAt = [chapter.changedAt, host.changedAt].sort().at(-1) ?? chapter.changedAt;
  const what = { appointmentId, version, changedAt, startTime, endTime, notes, withWhom, meetingLink, location };
  const invitation = {
    organizer: { name: host.name, address: sender },
    attendee: { name: person.displayName, address: person.email },
  };
  const entry = { ...appointmentEntry({ ...what, cancelled: method === 'CANCEL' }, publicUrl), invitation };
  return { method, content: iCalendar([entry], { method }) };
};

const BY = {
  client: 'the client has',
  provider: 'the provider has',
  admin: 'an administrator has',
  system: 'the service has',
} as const;

const concernsOf = ({ story: { now } }: Reading): readonly string[] => [now.clientId, now.providerId];

/** Who cancelled, as the reader would say it. */
const cancelledBy = (side: Side, by: keyof typeof BY): string => (by === side ? 'you have' : BY[by]);

/** Whether the person wants to be reminded: unless the preferences say otherwise. */
const wantsReminders = ({ history }: About): boolean => {
  const latest = history.findLast(({ type }) => type === 'PreferencesUpdated');
  return latest?.type !== 'PreferencesUpdated' || latest.data.preferences.notifications.reminder;
};

/** Every mail about an appointment, by its name. What has been overtaken meanwhile is not sent. */
export const bookingTemplates = {
  'waiting-list-offer': waitingListOffer,

  'booking-confirmation': template(Appointment, async (order, about) => {
    const reading = await readingOf(order, about);
    if (reading === undefined || reading.story.now.status !== 'SCHEDULED') return undefined;
    const { now } = reading.story;
    const { view, move, cancel } = linksTo(about.publicUrl, order.appointmentId);
    return {
      subject: `Your appointment with ${reading.withWhom}`,
      name: about.person.displayName,
      paragraphs: [order.side === 'client' ? 'your appointment is booked.' : 'an appointment with you was booked.'],
      concerns: concernsOf(reading),
      details: detailsOf(reading, about.person, now),
      link: view,
      links: [move, cancel],
      calendar: calendarOf(reading, now, about),
    };
  }),

  'appointment-update': template(Change, async (order, about) => {
    const reading = await readingOf(order, about);
    if (reading === undefined || reading.story.now.status !== 'SCHEDULED') return undefined;
    const { now, before = now, after = now } = reading.story;
    const { view, move, cancel } = linksTo(about.publicUrl, order.appointmentId);
    return {
      subject: `Your appointment with ${reading.withWhom} has changed`,
      name: about.person.displayName,
      paragraphs: ['your appointment has changed. This is how it stands, and what it was before.'],
      concerns: concernsOf(reading),
      details: detailsOf(reading, about.person, after, before),
      link: view,
      links: [move, cancel],
      calendar: calendarOf(reading, after, about),
    };
  }),

  cancellation: template(Appointment, async (order, about) => {
    const reading = await readingOf(order, about);
    const cancellation = reading?.story.now.cancellation;
    if (reading === undefined || cancellation === undefined) return undefined;
    const { now } = reading.story;
    const again = { text: 'Book another one', url: `${about.publicUrl}/booking?providerId=${now.providerId}` };
    return {
      subject: `Cancelled: your appointment with ${reading.withWhom}`,
      name: about.person.displayName,
      paragraphs: [`${cancelledBy(order.side, cancellation.by)} cancelled this appointment.`],
      concerns: concernsOf(reading),
      details: [...detailsOf(reading, about.person, now), ...detail('Reason', cancellation.reason)],
      ...(order.side === 'client' ? { link: again } : {}),
      calendar: calendarOf(reading, now, about),
    };
  }),

  'reminder-24h': template(
    Appointment.omit({ side: true }).extend({ startTime: z.string() }),
    async ({ appointmentId, startTime }, about) => {
      const reading = await readingOf({ appointmentId, side: 'client' }, about);
      if (reading === undefined) return undefined;
      const { now } = reading.story;
      const stands = now.status === 'SCHEDULED' && now.startTime === startTime;
      if (!stands || Date.parse(startTime) <= about.reads.now().getTime() || !wantsReminders(about)) return undefined;
      const { view, move, cancel } = linksTo(about.publicUrl, appointmentId);
      return {
        subject: `Soon: your appointment with ${reading.withWhom}`,
        name: about.person.displayName,
        paragraphs: ['this is to remind you of your appointment.'],
        concerns: concernsOf(reading),
        details: detailsOf(reading, about.person, now),
        link: view,
        links: [move, cancel],
      };
    },
  ),
} as const;
