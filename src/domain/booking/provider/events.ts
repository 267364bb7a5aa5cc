import { z } from 'zod';
import { type EventOf, pii } from '../../decider.ts';

const Interval = z.object({ start: z.string(), end: z.string() });
const WeekdayHours = z.object({
  dayOfWeek: z.int().describe('1 for Monday to 7 for Sunday'),
  intervals: z.array(Interval),
});

const dates = { from: z.string().describe('First local date'), to: z.string().describe('Last local date') };
const changeId = z.string().optional().describe('The change of exceptions that it belongs to');

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
    bufferMinutes: z.int().optional().describe('Clients book no closer to another appointment; 0 when missing'),
    cancelCutoffMinutes: z.int().optional().describe('Clients cancel at least this long before the start'),
    moveCutoffMinutes: z.int().optional().describe('Clients move at least this long before the start'),
    changeId,
  }),
  ExceptionChangeStarted: z
    .object({
      providerId: z.string(),
      changeId: z.string(),
      seq: z.int().describe('Numbers the changes of exceptions and their abandonments'),
      added: z.array(z.object({ exceptionId: z.string(), ...dates, intervals: z.array(Interval) })),
      removed: z.array(z.string()),
      cancelBooked: z.boolean(),
      startedAt: z.string().describe('A change that does not come about is taken back a minute later'),
    })
    .describe('The days are asked one by one; only when all agree, the exceptions change'),
  ExceptionChangeAbandoned: z
    .object({
      providerId: z.string(),
      changeId: z.string(),
      seq: z.int(),
      days: z.array(z.object(dates)).describe('Where hours may have been changed that are to be as before'),
    })
    .describe('A day did not agree, or a crash interrupted the change'),
  AvailabilityExceptionAdded: z
    .object({
      providerId: z.string(),
      exceptionId: z.string(),
      ...dates,
      closed: z.boolean(),
      intervals: z.array(Interval).describe('Instead of the working hours; none when closed'),
      reason: pii('providerId', z.string().nullable()),
      cancelBooked: z.boolean().optional().describe('Appointments outside the hours are cancelled'),
      changeId,
    })
    .describe('Every day of it has its hours already'),
  AvailabilityExceptionRemoved: z
    .object({
      providerId: z.string(),
      exceptionId: z.string(),
      ...dates,
      seq: z.int().describe('The number under which its days open again'),
      changeId,
    })
    .describe('Its days open again from now on'),
  SlotsAnnounced: z
    .object({ providerId: z.string(), timezone: z.string(), latestEnd: z.string() })
    .describe('A slot is about to be opened that ends later than any before: while it lies ahead, the zone stays'),
  SlotGenerationStarted: z.object({
    providerId: z.string(),
    generationId: z.string(),
    from: z.string().describe('First local date'),
    to: z.string().describe('Last local date'),
    timezone: z.string(),
    hours: z
      .array(WeekdayHours)
      .describe('What the pattern and the working hours of that moment leave for each weekday'),
    dates: z
      .array(z.object({ day: z.string(), intervals: z.array(Interval) }))
      .optional()
      .describe('Dates on which an exception leaves other hours'),
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
