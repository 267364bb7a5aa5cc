import t from 'tap';
import {
  type AppointmentReminderEvent,
  appointmentReminder,
  sendAppointmentReminder,
} from '../../../src/domain/booking/appointmentReminder.ts';
import { appointmentIdOf } from '../../../src/domain/booking/ids.ts';
import { id, now, spec } from '../../support/spec.ts';

const given = spec(appointmentReminder);
const HOUR = 3_600_000;
const inHours = (hours: number): string => new Date(now.getTime() + hours * HOUR).toISOString();
const appointmentId = appointmentIdOf({ providerId: id('practice'), day: '2026-03-03', uuid: id('appointment') });
const reminder = (startTime: string) => ({ appointmentId, clientId: id('ada'), emailId: id('mail'), startTime });
const sent = (startTime: string): AppointmentReminderEvent => ({
  type: 'AppointmentReminderSent',
  data: reminder(startTime),
});
const standing = (startTime: string) => ({ time: { startTime } });

t.test('a client is reminded', async (t) => {
  const start = inHours(23.5);
  t.test('once of each start', async () => {
    given().when(sendAppointmentReminder, reminder(start), undefined, standing(start)).then(sent(start));
    given(sent(start)).when(sendAppointmentReminder, reminder(start), undefined, standing(start)).nothing();
    const other = inHours(40);
    given(sent(start)).when(sendAppointmentReminder, reminder(other), undefined, standing(other)).then(sent(other));
  });
  t.test('not of a start that was given up', async () => {
    given()
      .when(sendAppointmentReminder, reminder(start), undefined, standing(inHours(40)))
      .nothing();
    given().when(sendAppointmentReminder, reminder(start), undefined, {}).nothing();
  });
  t.test('after an outage too, as long as there is an hour left', async () => {
    const last = inHours(1);
    given().when(sendAppointmentReminder, reminder(last), undefined, standing(last)).then(sent(last));
    const late = inHours(0.99);
    given().when(sendAppointmentReminder, reminder(late), undefined, standing(late)).nothing();
  });
});
