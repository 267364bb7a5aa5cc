import { appointments } from './appointments.ts';
import { providerProfiles } from './providerProfiles.ts';
import { timeSlots } from './timeSlots.ts';

/** Every read model of booking. */
export const bookingProjections = [providerProfiles, timeSlots, appointments] as const;
