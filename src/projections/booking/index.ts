import { appointments } from './appointments.ts';
import { calendarSyncs } from './calendarSyncs.ts';
import { providerProfiles } from './providerProfiles.ts';
import { timeSlots } from './timeSlots.ts';

/** Every read model of booking. */
export const bookingProjections = [providerProfiles, timeSlots, appointments, calendarSyncs] as const;
