import { z } from 'zod';
import { type Context, commandsOf, decider, type EventOf } from '../decider.ts';
import { DAY_MS, HOUR_MS } from '../durations.ts';
import { instant, uuid } from '../fields.ts';
import { appointmentIdField } from './ids.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  AppointmentReminderSent: z
    .object({
      appointmentId: z.string(),
      clientId: z.string(),
      emailId: z.string(),
      startTime: z.string().describe('The start that it reminds of'),
    })
    .describe('The client is to be reminded; the mail has a life of its own'),
};
export type AppointmentReminderEvent = EventOf<typeof events>;

/** The starts that the client of one appointment was reminded of. */
export type AppointmentReminder = { readonly startTimes: readonly string[] };

export const appointmentReminder = decider<AppointmentReminder, AppointmentReminderEvent>({
  category: 'appointmentReminder',
  events,
  initial: { startTimes: [] },
  evolve: ({ startTimes }, { data }) => ({ startTimes: [...startTimes, data.startTime] }),
});
const command = commandsOf(appointmentReminder);

/** How long before the start a client is reminded, and until when it is still worth the trouble, in milliseconds. */
export const REMIND_BEFORE_MS = DAY_MS;
const LATEST_MS = HOUR_MS;

/** When the appointment really takes place; undefined when it was cancelled, completed or never came about. */
export type ReminderFacts = { readonly time?: { readonly startTime: string } };

/** Reminds the client once of each start; not of one that was given up, nor within its last hour. */
export const sendAppointmentReminder = command(
  'SendAppointmentReminder',
  z.object({ appointmentId: appointmentIdField, clientId: uuid, emailId: uuid, startTime: instant }),
  (input, { startTimes }, { now, facts }: Pick<Context<ReminderFacts>, 'now' | 'facts'>) => {
    const { startTime } = input;
    const stands = facts.time?.startTime === startTime;
    if (!stands || startTimes.includes(startTime)) return [];
    if (Date.parse(startTime) - now.getTime() < LATEST_MS) return [];
    return [{ type: 'AppointmentReminderSent', data: input }];
  },
);
