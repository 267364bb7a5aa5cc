import { z } from 'zod';
import { type Context, can, commandsOf, decider, type EventOf, pii, type Rejection, reject } from '../decider.ts';
import { currency, httpsUrl, isoDate, line, lines, timeZone, uuid, version } from '../fields.ts';
import { common, dateIn, daysFrom, type Hours, intervalsField, planned } from './grid.ts';

const Interval = z.object({ start: z.string(), end: z.string() });
const WeekdayHours = z.object({
  dayOfWeek: z.int().describe('1 for Monday to 7 for Sunday'),
  intervals: z.array(Interval),
});

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  ProviderProfileCreated: z.object({
    providerId: z.string().describe('The account that gives appointments; providers have the id of their account'),
    accountId: z.string(),
    displayName: pii('accountId', z.string()),
    bio: z.string().nullable(),
    timezone: z.string().describe('IANA name'),
    meetingLink: z.string().nullable(),
    location: z.string().nullable(),
    priceCents: z.int().nullable().describe('Of one appointment, in the smallest unit of the currency'),
    currency: z.string().nullable().describe('ISO 4217'),
  }),
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

type Started = z.output<typeof events.SlotGenerationStarted>;
type Completed = z.output<typeof events.SlotGenerationCompleted>;

/** A provider as rules see him. */
export type Provider = {
  /** Undefined: there is no such provider. */
  readonly profile?: {
    readonly active: boolean;
    readonly timezone: string;
    readonly priceCents: number | null;
    readonly currency: string | null;
  };
  readonly weekly: readonly Hours[];
  readonly minNoticeMinutes: number;
  readonly maxAdvanceDays: number;
  /** Of profile and availability: counts their changes from 0, generations of slots left out. */
  readonly version: number;
  /** No slot was ever asked for that ends later. */
  readonly latestSlotEnd: string | null;
  /** Generations under way and the latest completed ones, oldest first. */
  readonly generations: readonly { readonly plan: Started; readonly result?: Completed }[];
};

/** Notice and horizon of providers who never set their own. */
export const DEFAULT_NOTICE_MINUTES = 60;
export const DEFAULT_ADVANCE_DAYS = 90;
export const DEFAULT_TIME_ZONE = 'Europe/Luxembourg';
/** Slots of one call. */
export const MAX_GENERATED_SLOTS = 5000;
/** Completed generations whose result a repeated call is still told. */
const REMEMBERED_GENERATIONS = 20;

const later = (a: string | null, b: string | null): string | null => (a === null || (b !== null && b > a) ? b : a);

export const provider = decider<Provider, ProviderEvent>({
  category: 'provider',
  events,
  initial: {
    weekly: [],
    minNoticeMinutes: DEFAULT_NOTICE_MINUTES,
    maxAdvanceDays: DEFAULT_ADVANCE_DAYS,
    version: -1,
    latestSlotEnd: null,
    generations: [],
  },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'ProviderProfileCreated': {
        const { timezone, priceCents, currency } = data;
        return { ...state, version: state.version + 1, profile: { active: true, timezone, priceCents, currency } };
      }
      case 'AvailabilitySet': {
        const { weekly, minNoticeMinutes, maxAdvanceDays, timezone } = data;
        const profile = state.profile && { ...state.profile, timezone };
        const next = { ...state, version: state.version + 1, weekly, minNoticeMinutes, maxAdvanceDays };
        return profile === undefined ? next : { ...next, profile };
      }
      case 'SlotGenerationStarted':
        return {
          ...state,
          latestSlotEnd: later(state.latestSlotEnd, data.latestEnd),
          generations: [...state.generations, { plan: data }].slice(-REMEMBERED_GENERATIONS),
        };
      case 'SlotGenerationCompleted':
        return {
          ...state,
          generations: state.generations.map((generation) =>
            generation.plan.generationId === data.generationId ? { ...generation, result: data } : generation,
          ),
        };
    }
  },
});
const command = commandsOf(provider);

const NO_PROFILE = reject('FORBIDDEN', 'no-provider-profile', 'This account gives no appointments');

const profileFields = {
  displayName: line(1, 100),
  bio: lines(0, 1000).nullish(),
  meetingLink: httpsUrl.nullish(),
  location: line(0, 200).nullish(),
  priceCents: z.int().min(0).nullish(),
  currency: currency.nullish(),
};

/** What creating a profile must know of the account. */
export type AccountFacts = { readonly accountExists: boolean };

/** Makes an account a provider of appointments: one profile per account, active at once, without working hours yet. */
export const createProviderProfile = command(
  'CreateProviderProfile',
  z.object({ accountId: uuid, ...profileFields, timezone: timeZone.default(DEFAULT_TIME_ZONE) }),
  (input, { profile }, { facts }: Context<AccountFacts>) => {
    if (!facts.accountExists) return reject('NOT_FOUND', 'account-unknown', 'No such account', 'accountId');
    if (profile !== undefined)
      return reject('CONFLICT', 'profile-exists', 'The account has a provider profile already');
    const { accountId, displayName, timezone, priceCents } = input;
    const data = {
      providerId: accountId,
      accountId,
      displayName,
      bio: input.bio ?? null,
      timezone,
      meetingLink: input.meetingLink ?? null,
      location: input.location ?? null,
      priceCents: priceCents ?? null,
      currency: input.currency ?? null,
    };
    return [{ type: 'ProviderProfileCreated', data }];
  },
);

const weeklyField = z
  .array(z.object({ dayOfWeek: z.int().min(1).max(7), intervals: intervalsField }))
  .max(7)
  .check(({ value, issues }) => {
    value.forEach((day, index) => {
      if (value.slice(0, index).some((other) => other.dayOfWeek === day.dayOfWeek))
        issues.push({ code: 'custom', input: day, path: [index, 'dayOfWeek'], message: 'This weekday is given twice' });
    });
  })
  .overwrite((week) => week.toSorted((a, b) => a.dayOfWeek - b.dayOfWeek));

/**
 * Sets working hours, notice and horizon. Slots that exist stay as they are; the time zone stays while slots lie ahead.
 */
export const setAvailability = command(
  'SetAvailability',
  z.object({
    timezone: timeZone.optional(),
    weekly: weeklyField,
    slotDurationMinutes: z.literal(30).default(30),
    minNoticeMinutes: z.int().min(0).max(10_080).default(DEFAULT_NOTICE_MINUTES),
    maxAdvanceDays: z.int().min(1).max(366).default(DEFAULT_ADVANCE_DAYS),
    version: version.optional().describe('Of the availability that the change is meant for'),
  }),
  (input, state, { actor, now }) => {
    if (state.profile === undefined) return NO_PROFILE;
    if (input.version !== undefined && input.version !== state.version)
      return reject('CONFLICT', 'stale-version', 'The availability was changed meanwhile', 'version');
    const { slotDurationMinutes, minNoticeMinutes, maxAdvanceDays } = input;
    const timezone = input.timezone ?? state.profile.timezone;
    if (timezone !== state.profile.timezone && state.latestSlotEnd !== null && state.latestSlotEnd > now.toISOString())
      return reject('CONFLICT', 'zone-in-use', 'The time zone cannot change while slots lie ahead', 'timezone');
    const weekly = input.weekly.filter(({ intervals }) => intervals.length > 0);
    const unchanged =
      state.version > 0 &&
      timezone === state.profile.timezone &&
      minNoticeMinutes === state.minNoticeMinutes &&
      maxAdvanceDays === state.maxAdvanceDays &&
      JSON.stringify(weekly) === JSON.stringify(state.weekly);
    if (unchanged) return [];
    const data = { providerId: actor.id, timezone, weekly, slotDurationMinutes, minNoticeMinutes, maxAdvanceDays };
    return [{ type: 'AvailabilitySet', data }];
  },
);

const ALL_DAYS = [1, 2, 3, 4, 5, 6, 7];
const WEEKDAYS = [1, 2, 3, 4, 5];

export const generationInput = z
  .object({
    from: isoDate.describe('First date, in the zone of the provider'),
    to: isoDate.describe('Last date, at most 366 days later'),
    pattern: z.enum(['weekly', 'daily', 'weekdays', 'custom']).default('weekly'),
    daysOfWeek: z.array(z.int().min(1).max(7)).min(1).max(7).optional().describe('For the pattern custom'),
    intervals: intervalsField.optional().describe('Instead of the whole working hours'),
    skipExisting: z.boolean().default(true),
  })
  .check(({ value, issues }) => {
    // Dates that are none have been refused already, and nothing can be said about their span.
    if (issues.length > 0) return;
    const refuse = (field: string, message: string) =>
      issues.push({ code: 'custom', input: value, path: [field], message });
    if (value.to < value.from) refuse('to', 'Must not be before from');
    else if (daysFrom(value.from, value.to) > 366) refuse('to', 'At most 366 days after from');
    if (value.pattern === 'custom' && value.daysOfWeek === undefined) refuse('daysOfWeek', 'Needed for this pattern');
  });
type GenerationInput = z.output<typeof generationInput>;

const hoursOf = ({ pattern, daysOfWeek, intervals }: GenerationInput, weekly: readonly Hours[]) => {
  const days = { weekly: ALL_DAYS, daily: ALL_DAYS, weekdays: WEEKDAYS, custom: daysOfWeek ?? [] }[pattern];
  return weekly
    .filter((day) => days.includes(day.dayOfWeek))
    .map((day) => ({
      dayOfWeek: day.dayOfWeek,
      intervals: [
        ...(pattern === 'weekly' || intervals === undefined ? day.intervals : common(intervals, day.intervals)),
      ],
    }))
    .filter((day) => day.intervals.length > 0);
};

/** The plan of a generation of slots, or why there is none. */
export const planGeneration = (
  input: GenerationInput,
  state: Provider,
  { now, actor, newId }: Pick<Context, 'now' | 'actor' | 'newId'>,
): Started | Rejection => {
  if (state.profile === undefined) return NO_PROFILE;
  const { timezone } = state.profile;
  if (input.from < dateIn(timezone, now))
    return reject('VALIDATION_ERROR', 'in-the-past', 'Must not be before today', 'from');
  const { from, to, skipExisting } = input;
  const hours = hoursOf(input, state.weekly);
  const notBefore = now.toISOString();
  const days = planned({ from, to, timeZone: timezone, hours, notBefore });
  const slots = days.reduce((sum, day) => sum + day.slots.length, 0);
  if (slots > MAX_GENERATED_SLOTS)
    return reject('VALIDATION_ERROR', 'too-many-slots', `More than ${MAX_GENERATED_SLOTS} slots in one call`, 'to');
  const latestEnd = days.at(-1)?.slots.at(-1)?.endTime ?? null;
  const generationId = newId('generation');
  return { providerId: actor.id, generationId, from, to, timezone, hours, notBefore, skipExisting, slots, latestEnd };
};

/**
 * Plans slots on the 30-minute grid for a stretch of local dates and says so in the provider's stream, before the first
 * of them exists: from here on the time zone stays. The days themselves follow one by one.
 */
export const generateTimeSlots = command('GenerateTimeSlots', generationInput, (input, state, context) => {
  const plan = planGeneration(input, state, context);
  if ('reason' in plan) return plan;
  const known = state.generations.some((generation) => generation.plan.generationId === plan.generationId);
  return known ? [] : [{ type: 'SlotGenerationStarted', data: plan }];
});

/** Notes what came of a generation once all its days are there. */
export const completeSlotGeneration = command(
  'CompleteSlotGeneration',
  events.SlotGenerationCompleted,
  (data, { generations }) => {
    const generation = generations.find(({ plan }) => plan.generationId === data.generationId);
    return generation === undefined || generation.result !== undefined
      ? []
      : [{ type: 'SlotGenerationCompleted', data }];
  },
);

/** Opens what a generation still owes; its days follow one by one, and the provider's stream has nothing to add. */
export const resumeSlotGeneration = command(
  'ResumeSlotGeneration',
  z.object({ providerId: uuid, generationId: uuid }),
  () => [],
);

/** Whether an account may act as this provider in his calendar. */
export const isProvider = (actor: Context['actor'], providerId: string): boolean =>
  actor.id === providerId && can(actor, 'manage:provider-appointments');
