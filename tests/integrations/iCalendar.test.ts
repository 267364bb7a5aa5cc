import fc from 'fast-check';
import ICAL from 'ical.js';
import t from 'tap';
import { appointmentEntry, type CalendarEntry, iCalendar } from '../../src/integrations/iCalendar.ts';

const entry = (more: Partial<CalendarEntry> = {}): CalendarEntry => ({
  uid: 'one@convene',
  sequence: 3,
  stamp: '2026-03-02T10:00:00.000Z',
  startTime: '2026-03-29T00:30:00.000Z',
  endTime: '2026-03-29T01:00:00.000Z',
  title: 'Appointment',
  description: '',
  place: null,
  url: 'https://convene.example.org/appointments/one',
  cancelled: false,
  ...more,
});
const eventsIn = (text: string) =>
  new ICAL.Component(ICAL.parse(text)).getAllSubcomponents('vevent').map((event) => new ICAL.Event(event));

/** What people may type into notes and names: lines, no other control characters. */
const typed = fc
  .string({ unit: 'grapheme', maxLength: 200 })
  .map((text) => text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, ' ').trim());
const lines = fc.array(typed, { maxLength: 4 }).map((all) => all.join('\n'));

t.test('whatever people type comes out of a calendar as it went in', async (t) => {
  const { failed, numRuns, counterexample } = fc.check(
    fc.property(typed, lines, typed, typed, (title, description, place, name) => {
      const invitation = {
        organizer: { name: name || 'Somebody', address: 'no-reply@example.com' },
        attendee: { name: 'Ada', address: 'ada@example.org' },
      };
      const text = iCalendar([entry({ title, description, place, invitation })], { method: 'REQUEST' });
      const folded = text.split('\r\n').every((line) => Buffer.byteLength(line) <= 75);
      const [event, ...others] = eventsIn(text);
      return (
        folded &&
        others.length === 0 &&
        event?.summary === title &&
        (event.description ?? '') === description &&
        (event.location ?? '') === place &&
        event.organizer === 'mailto:no-reply@example.com' &&
        event.attendees.length === 1
      );
    }),
    { numRuns: 300 },
  );
  t.notOk(failed, JSON.stringify(counterexample));
  t.equal(numRuns, 300);
});

t.test('lines end as the standard wants it, times are UTC, and the same entries give the same text', async (t) => {
  const text = iCalendar([entry(), entry({ uid: 'two@convene', cancelled: true })], {
    method: 'PUBLISH',
    name: 'Convene',
  });
  t.equal(text.replaceAll('\r\n', '').includes('\n'), false);
  t.match(text, /^BEGIN:VCALENDAR\r\nVERSION:2\.0\r\nPRODID:/);
  t.match(text, /\r\nDTSTART:20260329T003000Z\r\nDTEND:20260329T010000Z\r\n/);
  t.match(text, /\r\nDTSTAMP:20260302T100000Z\r\n/);
  t.match(text, /\r\nSEQUENCE:3\r\n/);
  t.strictSame(
    eventsIn(text).map(({ uid, component }) => [uid, component.getFirstPropertyValue('status')]),
    [
      ['one@convene', 'CONFIRMED'],
      ['two@convene', 'CANCELLED'],
    ],
  );
  t.equal(
    iCalendar([entry(), entry({ uid: 'two@convene', cancelled: true })], { method: 'PUBLISH', name: 'Convene' }),
    text,
  );
  t.equal(eventsIn(iCalendar([], { method: 'PUBLISH' })).length, 0);
});

t.test('an entry says where, what for, and where to go on', async (t) => {
  const of = {
    appointmentId: 'one',
    version: 2,
    changedAt: '2026-03-02T10:00:00.000Z',
    startTime: '2026-03-29T00:30:00.000Z',
    endTime: '2026-03-29T01:00:00.000Z',
    cancelled: false,
    notes: 'First visit',
    withWhom: 'Dr. Weber',
    meetingLink: 'https://meet.example.org/weber',
    location: null,
  };
  t.match(appointmentEntry(of, 'https://convene.example.org'), {
    uid: 'one@convene',
    sequence: 2,
    title: 'Appointment with Dr. Weber',
    description:
      'Meeting link: https://meet.example.org/weber\nNotes: First visit\nMove or cancel: https://convene.example.org/appointments/one',
    place: 'https://meet.example.org/weber',
  });
  t.equal(appointmentEntry({ ...of, location: '2 Rue du Fort' }, '').place, '2 Rue du Fort');
});
