import { appointmentBindings, settlingBindings } from './booking/appointments.ts';
import { calendarBindings } from './booking/calendar.ts';
import { availabilityBindings } from './booking/exceptions.ts';
import { exportBindings } from './booking/exports.ts';
import { feedBindings } from './booking/feeds.ts';
import { holdBindings } from './booking/holds.ts';
import { providerBindings } from './booking/providers.ts';
import { reminderBindings } from './booking/reminders.ts';
import { slotBindings } from './booking/slots.ts';
import { waitingListBindings } from './booking/waitingLists.ts';

/** Every command of booking: what it runs, where it is called, who may, which stream it judges. */
export const booking = [
  ...providerBindings,
  ...availabilityBindings,
  ...slotBindings,
  ...appointmentBindings,
  ...holdBindings,
  ...waitingListBindings,
  ...settlingBindings,
  ...reminderBindings,
  ...feedBindings,
  ...exportBindings,
  ...calendarBindings,
];
