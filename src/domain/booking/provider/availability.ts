import { z } from 'zod';
import type { Context, Rejection } from '../../decider.ts';
import { timeZone, version } from '../../fields.ts';
import { intervalsField } from '../grid.ts';
import type { ProviderEvent } from './events.ts';
import { type ChangeFacts, cancelBooked, comeAbout, exceptionsField } from './exceptions.ts';
import {
  command,
  DEFAULT_ADVANCE_DAYS,
  DEFAULT_NOTICE_MINUTES,
  NO_PROFILE,
  type Provider,
  refuseStale,
  refuseZone,
} from './state.ts';

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

const minutes = (most: number) => z.int().min(0).max(most);

const availabilityInput = z.object({
  timezone: timeZone.optional(),
  weekly: weeklyField,
  slotDurationMinutes: z.literal(30).default(30),
  minNoticeMinutes: minutes(10_080).default(DEFAULT_NOTICE_MINUTES),
  maxAdvanceDays: z.int().min(1).max(366).default(DEFAULT_ADVANCE_DAYS),
  bufferMinutes: minutes(240).default(0).describe('Clients book no closer to another appointment'),
  cancelCutoffMinutes: minutes(10_080).default(0).describe('Clients cancel at least this long before the start'),
  moveCutoffMinutes: minutes(10_080).default(0).describe('Clients move at least this long before the start'),
  exceptions: exceptionsField
    .optional()
    .describe('All exceptions that end today or later; those that there are stay when it is left out'),
  cancelBooked,
  version: version.optional().describe('Of the availability that the change is meant for'),
});

type AvailabilityInput = z.output<typeof availabilityInput>;

/** Why working hours cannot be set, whatever the exceptions. */
export const refuseAvailability = (
  input: Pick<AvailabilityInput, 'timezone' | 'version'>,
  state: Provider,
  now: Date,
): Rejection | undefined =>
  state.profile === undefined
    ? NO_PROFILE
    : (refuseStale(state, input.version) ?? refuseZone(state, input.timezone ?? state.profile.timezone, now));

/**
 * Sets working hours, notice, horizon, buffer and cut-offs, and replaces the exceptions when they are given. Slots that
 * exist stay as they are; the time zone stays while slots lie ahead.
 */
export const setAvailability = command(
  'SetAvailability',
  availabilityInput,
  (input, state, { actor, now, facts }: Context<ChangeFacts | undefined>) => {
    const refusal = refuseAvailability(input, state, now);
    if (refusal !== undefined || state.profile === undefined) return refusal ?? NO_PROFILE;
    const timezone = input.timezone ?? state.profile.timezone;
    const { slotDurationMinutes, minNoticeMinutes, maxAdvanceDays } = input;
    const { bufferMinutes, cancelCutoffMinutes, moveCutoffMinutes } = input;
    const weekly = input.weekly.filter(({ intervals }) => intervals.length > 0);
    const clients = { minNoticeMinutes, maxAdvanceDays, bufferMinutes, cancelCutoffMinutes, moveCutoffMinutes };
    const unchanged =
      timezone === state.profile.timezone &&
      Object.entries(clients).every(([name, value]) => state[name as keyof typeof clients] === value) &&
      JSON.stringify(weekly) === JSON.stringify(state.weekly);
    const changeId = facts?.changeId;
    const exceptions = changeId === undefined ? [] : comeAbout(state, actor.id, { changeId, wanted: input.exceptions });
    if ('code' in exceptions) return exceptions;
    const of = { providerId: actor.id, timezone, weekly, slotDurationMinutes, ...clients };
    const set: ProviderEvent = { type: 'AvailabilitySet', data: { ...of, ...(changeId && { changeId }) } };
    return [...(unchanged ? [] : [set]), ...exceptions];
  },
);
