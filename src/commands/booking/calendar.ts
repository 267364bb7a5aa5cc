import { z } from 'zod';
import {
  CALENDAR_STATUS,
  calendarSyncId,
  partyOf,
  recordCalendarResult,
  requestCalendarSync,
  retryCalendarSync,
} from '../../domain/booking/calendarSync.ts';
import { bind, internal } from '../binding.ts';
import { exampleIds } from './answers.ts';
import { homeOf } from './settling.ts';

/** Commands on appointments in outside calendars. */
export const calendarBindings = [
  internal(recordCalendarResult, calendarSyncId),
  internal(requestCalendarSync, calendarSyncId),
  bind(retryCalendarSync, {
    path: 'POST /appointments/:appointmentId/calendar/retry',
    access: 'loggedIn',
    stream: ({ appointmentId }, { actor }) => calendarSyncId({ appointmentId, party: partyOf(appointmentId, actor) }),
    version: () => undefined,
    facts: async ({ appointmentId }, reads, { actor }) => {
      const appointment = (await homeOf(reads, appointmentId)).appointments[appointmentId];
      const own =
        appointment !== undefined &&
        (partyOf(appointmentId, actor) === 'provider' || appointment.clientId === actor.id);
      const connected = (await reads.lookups.integrationsOf(actor.id)).some(
        ({ status, capabilities }) => status === 'active' && capabilities.includes('calendar'),
      );
      return { own, connected };
    },
    answer: {
      schema: z.object({ calendarStatus: z.enum(CALENDAR_STATUS) }),
      of: ({ state }) => ({ calendarStatus: state.status }),
    },
    summary: 'Writes an appointment to your calendar again, where that was given up',
    example: { appointmentId: exampleIds.appointment },
  }),
];
