import { z } from 'zod';
import { type EventOf, pii } from '../../decider.ts';

const Interval = z.object({ start: z.string(), end: z.string() });
const WeekdayHours = z.object({
  dayOfWeek: z.int().describe('1 for Monday to 7 for Sunday'),
  intervals: z.array(Interval),
});

const Profile = {
  providerId: z.string().describe('The account that gives appointments; providers have the id of their account'),
  accountId: z.string(),
  displayName: pii('accountId', z.string()),
  bio: pii('accountId', z.string().nullable()),
  timezone: z.string().describe('IANA name'),
  meetingLink: pii('accountId', z.string().nullable()),
  location: pii('accountId', z.string().nullable()),
  priceCents: z.int().nullable().describe('Of one appointment, in the smallest unit of the currency'),
  currency: z.string().nullable().describe('ISO 4217'),
};

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  ProviderProfileCreated: z.object(Profile),
  ProviderProfileUpdated: z.object(Profile).describe('The whole profile as it is from now on'),
  ProviderDeactivated: z.object({ providerId: z.string() }).describe('Free slots are hidden, booked ones stay'),
  ProviderActivated: z.object({ providerId: z.string() }),
  AvailabilitySet: z.object({
    providerId: z.string(),
    timezone: z.string().describe('IANA name'),
    weekly: z.array(WeekdayHours).describe('Working hours by the local clock, one entry for each weekday that has any'),
    slotDurationMinutes: z.int(),
    minNoticeMinutes: z.int().describe('Clients book at least this long before the start'),
    maxAdvanceDays: z.int().describe('Clients book at most this long before the start'),
  }),
  SlotGenerationStarted: z.object({
    providerId: z.string(),
    generationId: z.string(),
    from: z.string().describe('First local date'),
    to: z.string().describe('Last local date'),
    timezone: z.string(),
    hours: z
      .array(WeekdayHours)
      .describe('What the pattern and the working hours of that moment leave for each weekday'),
    notBefore: z.string().describe('Earlier starts are left out'),
    skipExisting: z.boolean(),
    slots: z.int().describe('How many slots the plan has, those that exist already included'),
    latestEnd: z.string().nullable().describe('End of the last of them'),
  }),
  SlotGenerationCompleted: z.object({
    providerId: z.string(),
    generationId: z.string(),
    created: z.int(),
    skipped: z.int(),
    firstStart: z.string().nullable(),
    lastEnd: z.string().nullable(),
  }),
};
export type ProviderEvent = EventOf<typeof events>;
