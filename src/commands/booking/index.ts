import { appointmentBindings } from './appointments.ts';
import { calendarBindings } from './calendar.ts';
import { availabilityBindings } from './exceptions.ts';
import { exportBindings } from './exports.ts';
import { feedBindings } from './feeds.ts';
import { holdBindings } from './holds.ts';
import { providerBindings } from './providers.ts';
import { reminderBindings } from './reminders.ts';
import { slotBindings } from './slots.ts';
import { settlingBindings } from './steps.ts';
import { waitingListBindings } from './waitingLists.ts';

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
