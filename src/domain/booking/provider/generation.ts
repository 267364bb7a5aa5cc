import { z } from 'zod';
import { type Context, type Rejection, reject } from '../../decider.ts';
import { instant, isoDate, uuid } from '../../fields.ts';
import { common, dateIn, datesBetween, dayOfWeek, daysFrom, type Interval, intervalsField, planned } from '../grid.ts';
import { events } from './events.ts';
import { CONTENDED, command, NO_PROFILE, type Provider } from './state.ts';

/** Slots of one call. */
const MAX_GENERATED_SLOTS = 5000;
type Started = z.output<typeof events.SlotGenerationStarted>;

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

const daysOf = ({ pattern, daysOfWeek }: GenerationInput): readonly number[] =>
  ({ weekly: ALL_DAYS, daily: ALL_DAYS, weekdays: WEEKDAYS, custom: daysOfWeek ?? [] })[pattern];

/** What a pattern leaves of the hours that a provider works. */
const narrowed = <T extends { readonly intervals: readonly Interval[] }>(
  { pattern, intervals }: GenerationInput,
  hours: T,
) => ({
  ...hours,
  intervals: [
    ...(pattern === 'weekly' || intervals === undefined ? hours.intervals : common(intervals, hours.intervals)),
  ],
});

const hoursOf = (input: GenerationInput, { weekly }: Provider) =>
  weekly
    .filter((day) => daysOf(input).includes(day.dayOfWeek))
    .map((day) => narrowed(input, day))
    .filter((day) => day.intervals.length > 0);

const later = (a: string, b: string): string => (a < b ? b : a);
const earlier = (a: string, b: string): string => (a < b ? a : b);

/** The dates of the plan on which an exception holds. */
const datesOf = (input: GenerationInput, { exceptions }: Provider) =>
  exceptions.flatMap(({ from, to, intervals }) =>
    datesBetween(later(from, input.from), earlier(to, input.to)).map((day) =>
      narrowed(input, { day, intervals: daysOf(input).includes(dayOfWeek(day)) ? intervals : [] }),
    ),
  );

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
  const hours = hoursOf(input, state);
  const dates = datesOf(input, state);
  const notBefore = now.toISOString();
  const days = planned({ from, to, timeZone: timezone, hours, dates, notBefore });
  const slots = days.reduce((sum, day) => sum + day.slots.length, 0);
  if (slots > MAX_GENERATED_SLOTS)
    return reject('VALIDATION_ERROR', 'too-many-slots', `More than ${MAX_GENERATED_SLOTS} slots in one call`, 'to');
  const latestEnd = days.at(-1)?.slots.at(-1)?.endTime ?? null;
  const generationId = newId('generation');
  const plan = { from, to, timezone, hours, ...(dates.length > 0 && { dates }), notBefore, skipExisting };
  return { providerId: actor.id, generationId, ...plan, slots, latestEnd };
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

/**
 * Says that a slot is about to be opened that ends later than any before, and by the clock of which zone: from here on
 * the time zone stays.
 */
export const announceSlots = command(
  'AnnounceSlots',
  z.object({ providerId: uuid, timezone: z.string(), latestEnd: instant }),
  (data, { profile, latestSlotEnd }) => {
    if (profile?.timezone !== data.timezone) return CONTENDED;
    return latestSlotEnd !== null && latestSlotEnd >= data.latestEnd ? [] : [{ type: 'SlotsAnnounced', data }];
  },
);

/** Opens what a generation still owes; its days follow one by one, and the provider's stream has nothing to add. */
export const resumeSlotGeneration = command(
  'ResumeSlotGeneration',
  z.object({ providerId: uuid, generationId: uuid }),
  () => [],
);
