import { REMIND_BEFORE_MS, sendAppointmentReminder } from '../domain/booking/appointmentReminder.ts';
import { type MailOrder, mail, mailId } from './mails/index.ts';
import type { PlaceChange } from './mails/placeChange.ts';
import { type Issued, issue, job, policy } from './policy.ts';

type Event = {
  readonly id: string;
  readonly data: { readonly appointmentId: string; readonly clientId: string; readonly providerId: string };
  readonly metadata: { readonly commandId: string; readonly correlationId: string };
};

/** What came of one command is one mail to each side, however many events it was. */
const changed = ({
  data: { appointmentId, clientId, providerId },
  metadata: { commandId },
}: Event): readonly Issued[] => [
  mail({ template: 'appointment-update', accountId: clientId, appointmentId, side: 'client', commandId }),
  mail({ template: 'appointment-update', accountId: providerId, appointmentId, side: 'provider', commandId }),
];

/** Tells both sides what becomes of an appointment. */
export const bookingMails = policy('booking-mails', {
  AppointmentBooked: ({ data: { appointmentId, clientId, providerId } }) => [
    mail({ template: 'booking-confirmation', accountId: clientId, appointmentId, side: 'client' }),
    mail({ template: 'booking-confirmation', accountId: providerId, appointmentId, side: 'provider' }),
  ],
  AppointmentRescheduled: changed,
  AppointmentNotesUpdated: changed,
  AppointmentCancelled: ({ data: { appointmentId, clientId, providerId } }) => [
    mail({ template: 'cancellation', accountId: clientId, appointmentId, side: 'client' }),
    mail({ template: 'cancellation', accountId: providerId, appointmentId, side: 'provider' }),
  ],
  ProviderProfileUpdated: ({ id: causationId, data: { providerId }, metadata: { commandId, correlationId } }) => [
    job('tell-place', { providerId, commandId, causationId, correlationId } satisfies PlaceChange),
  ],
});

type Timed = Event & { readonly recordedAt: string; readonly data: { readonly startTime: string } };
const remind = ({ recordedAt, data: { appointmentId, clientId, startTime } }: Timed): readonly Issued[] => {
  const at = new Date(Date.parse(startTime) - REMIND_BEFORE_MS);
  if (Date.parse(recordedAt) > at.getTime()) return [];
  const order: MailOrder = { template: 'reminder-24h', accountId: clientId, appointmentId, startTime };
  return [issue(sendAppointmentReminder, { appointmentId, clientId, emailId: mailId(order), startTime }, at)];
};

/**
 * Reminds clients a day before the start, unless the start was chosen later than that. A timer that comes due while the
 * service is down runs when it is back; whether it still makes sense is a matter of the rule.
 */
export const reminders = policy('booking-reminders', {
  AppointmentBooked: remind,
  AppointmentRescheduled: remind,
  AppointmentReminderSent: ({ data: { clientId, appointmentId, startTime } }) => [
    mail({ template: 'reminder-24h', accountId: clientId, appointmentId, startTime }),
  ],
});

/** Every policy about mails of booking. */
export const bookingMailPolicies = [bookingMails, reminders] as const;
