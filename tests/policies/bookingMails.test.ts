import t from 'tap';
import { appointmentIdOf } from '../../src/domain/booking/ids.ts';
import { bookingMails, reminders } from '../../src/policies/bookingMails.ts';
import { id } from '../support/spec.ts';

const appointmentId = appointmentIdOf({ providerId: id('practice'), day: '2026-03-04', uuid: id('appointment') });
const startTime = '2026-03-04T09:00:00.000Z';
const ids = { appointmentId, clientId: id('ada'), providerId: id('practice') };
const on = <Handler extends (event: never) => unknown>(handler: Handler, more: object = {}, data: object = {}) =>
  handler({
    id: 'event',
    metadata: { commandId: 'command', correlationId: 'chain' },
    recordedAt: '2026-03-02T10:00:00.000Z',
    ...more,
    data: { ...ids, startTime, ...data },
  } as never);

const toBoth = (template: string, variables: object = {}) =>
  (['client', 'provider'] as const).map((side) => ({
    command: 'QueueEmail',
    input: { template, appointmentId, accountId: ids[`${side}Id`], variables: { appointmentId, side, ...variables } },
  }));

t.test('both sides are told what becomes of an appointment', async (t) => {
  t.match(on(bookingMails.on.AppointmentBooked), toBoth('booking-confirmation'));
  t.match(on(bookingMails.on.AppointmentCancelled), toBoth('cancellation'));
  const update = toBoth('appointment-update', { commandId: 'command' });
  t.match(on(bookingMails.on.AppointmentRescheduled), update);
  t.strictSame(
    on(bookingMails.on.AppointmentNotesUpdated),
    on(bookingMails.on.AppointmentRescheduled),
    'of what one command changed by one mail',
  );
});

t.test('a client is reminded a day before the start', async (t) => {
  const [timer] = on(reminders.on.AppointmentBooked) as readonly { readonly at: Date }[];
  t.match(timer, { command: 'SendAppointmentReminder', input: { appointmentId, clientId: ids.clientId, startTime } });
  t.strictSame(timer?.at, new Date('2026-03-03T09:00:00.000Z'));
  t.strictSame(on(reminders.on.AppointmentRescheduled), [timer], 'of the start that it was moved to');
  for (const recordedAt of ['2026-03-03T09:00:00.001Z', '2026-03-04T08:59:00.000Z'])
    t.strictSame(on(reminders.on.AppointmentBooked, { recordedAt }), [], 'but not when it was chosen later than that');
  t.equal((on(reminders.on.AppointmentBooked, { recordedAt: '2026-03-03T09:00:00.000Z' }) as unknown[]).length, 1);
  t.match(on(reminders.on.AppointmentReminderSent), [
    { command: 'QueueEmail', input: { template: 'reminder-24h', accountId: ids.clientId, variables: { startTime } } },
  ]);
});
