import { appointmentBindings, settlingBindings } from './booking/appointments.ts';
import { providerBindings } from './booking/providers.ts';

/** Every command of booking: what it runs, where it is called, who may, which stream it judges. */
export const booking = [...providerBindings, ...appointmentBindings, ...settlingBindings];
