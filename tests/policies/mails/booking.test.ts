import ICAL from 'ical.js';
import t from 'tap';
import { ERASED } from '../../../src/domain/decider.ts';
import { type MailOrder, writeMail } from '../../../src/policies/mails/index.ts';
import {
  accountId,
  appointmentId,
  booked,
  bookingStreams,
  cancelled,
  endTime,
  logOf,
  moved,
  noted,
  opened,
  providerId,
  publicUrl,
  registered,
  relocated,
  sender,
  startTime,
} from './log.ts';

type Streams = Readonly<Record<string, readonly unknown[]>>;
const write = (order: MailOrder, streams: Streams = bookingStreams(), client: readonly unknown[] = [registered()]) =>
  writeMail(order, { reads: logOf({ ...streams, [`account-${accountId}`]: client }), publicUrl, sender });

const asClient = { accountId, appointmentId, side: 'client' } as const;
const asProvider = { accountId: providerId, appointmentId, side: 'provider' } as const;
const confirmation = (as: typeof asClient | typeof asProvider): MailOrder => ({
  template: 'booking-confirmation',
  ...as,
});
const update = (as: typeof asClient | typeof asProvider): MailOrder => ({
  template: 'appointment-update',
  ...as,
  commandId: 'change',
});
const cancellation = (as: typeof asClient | typeof asProvider): MailOrder => ({ template: 'cancellation', ...as });
const reminder: MailOrder = { template: 'reminder-24h', accountId, appointmentId, startTime };

/** What a calendar reads of a mail. */
const entryOf = (content = '') => {
  const calendar = new ICAL.Component(ICAL.parse(content));
  const event = new ICAL.Event(calendar.getFirstSubcomponent('vevent') ?? undefined);
  return {
    method: calendar.getFirstPropertyValue('method'),
    uid: event.uid,
    sequence: event.sequence,
    stamp: String(event.component.getFirstPropertyValue('dtstamp')),
    start: event.startDate.toJSDate().toISOString(),
    end: event.endDate.toJSDate().toISOString(),
    summary: event.summary,
    description: event.description,
    location: event.location,
    status: event.component.getFirstPropertyValue('status'),
    organizer: event.organizer,
    attendees: event.attendees.map((attendee) => String(attendee.getFirstValue()).toLowerCase()),
  };
};

/** The words of an HTML part, as somebody reads them. */
const words = (html = ''): string =>
  html
    .replace(/<(?:style|title)[\s\S]*?<\/(?:style|title)>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replace(/&nbsp;/g, ' ')
    .replace(/\s+/g, ' ');

t.test('the confirmation of a booking', async (t) => {
  t.test('tells the client who, when by his own clock, how long, where, what for and what he can do', async (t) => {
    const mail = await write(confirmation(asClient));
    t.match(mail, { to: 'ada@example.org', subject: 'Your appointment with Dr. "Weber" & Co' });
    t.match(mail?.text, /^Hello Ada/);
    t.match(mail?.text, 'When: Tuesday, 3 March 2026, 09:00–09:30 (Europe/Berlin, GMT+1)');
    t.match(mail?.text, 'With: Dr. "Weber" & Co\n');
    t.match(mail?.text, 'Length: 30 minutes');
    t.match(mail?.text, 'Place: 2 Rue du Fort');
    t.match(mail?.text, 'Notes: First <visit>');
    t.match(mail?.text, `Move it: ${publicUrl}/appointments/${appointmentId}?action=reschedule`);
    t.match(mail?.text, `Cancel it: ${publicUrl}/appointments/${appointmentId}?action=cancel`);
    t.notMatch(mail?.text, /weber@/, 'but not the address of the provider');
  });
  t.test('tells the provider who comes, by the clock of the practice', async (t) => {
    const mail = await write(confirmation(asProvider), bookingStreams([booked({ timezone: 'Asia/Tokyo' })]));
    t.strictSame(mail?.concerns, [accountId, providerId], 'and goes with either of them');
    t.match(mail, { to: 'weber@example.org', subject: 'Your appointment with Ada <Lovelace> & "Co"' });
    t.match(mail?.text, '09:00–09:30 (Europe/Luxembourg, GMT+1)');
    t.match(mail?.text, 'Client: Ada');
  });
  t.test('keeps to the zone that the client booked in', async (t) => {
    const mail = await write(confirmation(asClient), bookingStreams([booked({ timezone: 'Asia/Tokyo' })]));
    t.match(mail?.text, 'When: Tuesday, 3 March 2026, 17:00–17:30 (Asia/Tokyo, GMT+9)');
  });
  t.test('puts an entry into the calendar', async (t) => {
    const mail = await write(confirmation(asClient));
    t.equal(mail?.calendar?.method, 'REQUEST');
    t.match(entryOf(mail?.calendar?.content), {
      method: 'REQUEST',
      uid: `${appointmentId}@convene`,
      sequence: 0,
      start: startTime,
      end: endTime,
      summary: 'Appointment with Dr. "Weber" & Co',
      description: /Notes: First <visit>/,
      location: '2 Rue du Fort',
      status: 'CONFIRMED',
      organizer: `mailto:${sender}`,
      attendees: ['mailto:ada@example.org'],
    });
  });
  t.test('escapes what people entered, and says the same in both parts', async (t) => {
    const mail = await write(confirmation(asClient));
    t.notMatch(mail?.html, /<Lovelace>|<visit>|"Weber"/);
    for (const line of mail?.text.split('\n').filter((line) => line !== '' && !line.includes('://')) ?? [])
      t.ok(words(mail?.html).includes(line.replace(/^([A-Z]\w+): /, '$1 ')), line);
    t.strictSame(await write(confirmation(asClient)), mail, 'and is the same when written again');
  });
  t.test('is not sent to others, for nothing, or once the appointment is gone', async (t) => {
    t.equal(await write({ ...confirmation(asClient), accountId: providerId } as MailOrder), undefined);
    t.equal(await write({ ...confirmation(asProvider), accountId } as MailOrder), undefined);
    t.equal(await write(confirmation(asClient), bookingStreams([])), undefined);
    t.equal(await write(confirmation(asClient), bookingStreams([booked(), cancelled('client')])), undefined);
  });
  t.test('names a client whose account was erased no more', async (t) => {
    const streams = bookingStreams([booked({ notes: ERASED })]);
    const mail = await write(confirmation(asProvider), streams, [
      registered({ email: ERASED, displayName: ERASED }),
      { type: 'AccountErased', data: { accountId, by: 'owner', emailHash: 'x', at: startTime } },
    ]);
    t.match(mail?.text, 'Client: deleted user');
    t.notMatch(mail?.text, /Notes|Lovelace/);
  });
});

t.test('the mail about a change', async (t) => {
  const later = '2026-03-03T10:00:00.000Z';
  const change = { commandId: 'change' };
  t.test('tells what is and what was', async (t) => {
    const streams = bookingStreams([booked(), { ...moved(later), ...change }]);
    const mail = await write(update(asClient), streams);
    t.match(mail?.text, /When: Tuesday, 3 March 2026, 11:00–11:30 .*\n {2}before: Tuesday, 3 March 2026, 09:00–09:30/);
    t.match(words(mail?.html), /11:00–11:30 .* before: Tuesday, 3 March 2026, 09:00–09:30/);
    t.notMatch(mail?.text, /Notes:[^\n]*\n {2}before/, 'and nothing of what is as it was');
    t.match(entryOf(mail?.calendar?.content), { method: 'REQUEST', sequence: 1, start: later });
  });
  t.test('tells of one command once, however much it changed', async (t) => {
    const streams = bookingStreams([booked(), { ...moved(later), ...change }, { ...noted(null), ...change }]);
    const mail = await write(update(asProvider), streams);
    t.match(mail?.text, /11:00–11:30[\s\S]*Notes: none\n {2}before: First <visit>/);
    t.match(entryOf(mail?.calendar?.content), { sequence: 2 });
  });
  t.test('tells of its own change, not of later ones', async (t) => {
    const streams = bookingStreams([booked(), { ...noted('Second'), ...change }, moved(later)]);
    const mail = await write(update(asClient), streams);
    t.match(mail?.text, 'Notes: Second\n  before: First <visit>');
    t.match(entryOf(mail?.calendar?.content), { sequence: 1, start: startTime });
  });
  t.test('tells of another place', async (t) => {
    const link = 'https://meet.example.org/weber';
    const later = '2026-03-01T12:00:00.000Z';
    const profile = [opened(), { ...relocated({ location: null, meetingLink: link }), ...change, recordedAt: later }];
    const mail = await write(update(asClient), bookingStreams([booked()], profile));
    t.match(mail?.text, 'Place: none\n  before: 2 Rue du Fort');
    t.match(mail?.text, `Meeting link: ${link}\n  before: none`);
    t.match(entryOf(mail?.calendar?.content), { location: link, description: /Meeting link: https/ });
    const before = await write(confirmation(asClient));
    t.ok(
      entryOf(mail?.calendar?.content).stamp > entryOf(before?.calendar?.content).stamp,
      'as a newer version, without which calendars keep the old place',
    );
  });
  t.test('is not sent once the appointment is cancelled', async (t) => {
    const streams = bookingStreams([booked(), { ...moved(later), ...change }, cancelled('provider')]);
    t.equal(await write(update(asClient), streams), undefined);
  });
});

t.test('the mail about a cancellation', async (t) => {
  for (const [by, toClient, toProvider] of [
    ['client', 'you have cancelled', 'the client has cancelled'],
    ['provider', 'the provider has cancelled', 'you have cancelled'],
    ['admin', 'an administrator has cancelled', 'an administrator has cancelled'],
  ] as const)
    t.test(`says that it was ${by}`, async (t) => {
      const streams = bookingStreams([booked(), cancelled(by, 'Fallen ill')]);
      const [mine, theirs] = [
        await write(cancellation(asClient), streams),
        await write(cancellation(asProvider), streams),
      ];
      t.match(mine?.text, toClient);
      t.match(theirs?.text, toProvider);
      for (const mail of [mine, theirs]) t.match(mail?.text, 'Reason: Fallen ill');
      t.match(mine?.text, `${publicUrl}/booking?providerId=${providerId}`);
      t.notMatch(theirs?.text, '/booking?');
    });
  t.test('takes the entry out of the calendar', async (t) => {
    const mail = await write(cancellation(asClient), bookingStreams([booked(), cancelled('client')]));
    t.equal(mail?.calendar?.method, 'CANCEL');
    t.match(entryOf(mail?.calendar?.content), {
      method: 'CANCEL',
      uid: `${appointmentId}@convene`,
      sequence: 1,
      status: 'CANCELLED',
    });
  });
  t.test('is not sent while the appointment stands', async (t) =>
    t.equal(await write(cancellation(asClient)), undefined),
  );
});

t.test('the reminder', async (t) => {
  t.test('tells the client when and where', async (t) => {
    const mail = await write(reminder);
    t.match(mail, { to: 'ada@example.org', subject: 'Soon: your appointment with Dr. "Weber" & Co' });
    t.match(mail?.text, '09:00–09:30 (Europe/Berlin, GMT+1)');
    t.match(mail?.text, '?action=cancel');
    t.equal(mail?.calendar, undefined);
  });
  t.test('is not sent to whom has switched reminders off', async (t) => {
    const preferences = (reminder: boolean) => ({
      type: 'PreferencesUpdated',
      data: { accountId, preferences: { timezone: 'UTC', notifications: { email: true, push: true, reminder } } },
    });
    const streams = bookingStreams();
    t.equal(await write(reminder, streams, [registered(), preferences(false)]), undefined);
    t.ok(await write(reminder, streams, [registered(), preferences(false), preferences(true)]));
  });
  t.test('is not sent of a start that was given up or is over', async (t) => {
    t.equal(await write(reminder, bookingStreams([booked(), moved('2026-03-03T10:00:00.000Z')])), undefined);
    t.equal(await write(reminder, bookingStreams([booked(), cancelled('client')])), undefined);
    const past = '2026-03-01T11:30:00.000Z';
    t.equal(await write({ ...reminder, startTime: past }, bookingStreams([booked(), moved(past)])), undefined);
  });
});

t.test('a day on which clocks change shows which hour it is', async (t) => {
  const first = await write(confirmation(asClient), bookingStreams([booked(), moved('2026-10-25T00:30:00.000Z')]));
  const second = await write(confirmation(asClient), bookingStreams([booked(), moved('2026-10-25T01:30:00.000Z')]));
  t.match(first?.text, '02:30–02:00 (Europe/Berlin, GMT+2)');
  t.match(second?.text, '02:30–03:00 (Europe/Berlin, GMT+1)');
});
