import { sendAppointmentReminder } from '../../domain/booking/appointmentReminder.ts';
import { internal } from '../binding.ts';
import { timeFacts } from './settling.ts';

/** Reminders of appointments. */
export const reminderBindings = [
  internal(sendAppointmentReminder, ({ appointmentId }) => appointmentId, {
    facts: ({ appointmentId }, reads) => timeFacts(reads, appointmentId),
  }),
];
