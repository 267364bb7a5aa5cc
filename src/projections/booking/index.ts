import { appointments } from './appointments.ts';
import { calendarSyncs } from './calendarSyncs.ts';
import { providerProfiles } from './providerProfiles.ts';
import { timeSlots } from './timeSlots.ts';
import { waitingEntries } from './waitingEntries.ts';

/** Every read model of booking. */
export const bookingProjections = [providerProfiles, timeSlots, appointments, calendarSyncs, waitingEntries] as const;
