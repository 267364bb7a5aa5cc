import { z } from 'zod';
import { timeZone, version } from '../../fields.ts';
import { intervalsField } from '../grid.ts';
import { command, DEFAULT_ADVANCE_DAYS, DEFAULT_NOTICE_MINUTES, NO_PROFILE, refuseStale, refuseZone } from './state.ts';

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
    const { slotDurationMinutes, minNoticeMinutes, maxAdvanceDays } = input;
    const timezone = input.timezone ?? state.profile.timezone;
    const refusal = refuseStale(state, input.version) ?? refuseZone(state, timezone, now);
    if (refusal !== undefined) return refusal;
    const weekly = input.weekly.filter(({ intervals }) => intervals.length > 0);
    const unchanged =
      timezone === state.profile.timezone &&
      minNoticeMinutes === state.minNoticeMinutes &&
      maxAdvanceDays === state.maxAdvanceDays &&
      JSON.stringify(weekly) === JSON.stringify(state.weekly);
    if (unchanged) return [];
    const data = { providerId: actor.id, timezone, weekly, slotDurationMinutes, minNoticeMinutes, maxAdvanceDays };
    return [{ type: 'AvailabilitySet', data }];
  },
);
