import { z } from 'zod';
import { type Context, type Rejection, reject } from '../../decider.ts';
import { MINUTE_MS } from '../../durations.ts';
import { instant, isoDate, uuid } from '../../fields.ts';
import { dateIn, isGridStart, liesIn, SLOT_MINUTES, slotEnd, slotStart } from '../grid.ts';
import { dayOfSlot, slotIdField, slotRef, unusedSlotId } from '../ids.ts';
import { hoursOn, NO_PROFILE, type Provider } from '../provider/index.ts';
import { refusePast } from './booking.ts';
import { closedOn } from './hours.ts';
import { command, type Schedule } from './state.ts';

const force = z.boolean().default(false).describe('Outside the working hours too');
const day = isoDate.optional().describe('Date of the start in the zone of the provider; found out by the service');

/** What opening and moving slots must know of their provider. */
export type OfferingFacts = { readonly provider: Provider };

/** The end belongs to the start. */
const ofOneLength = ({ startTime, endTime }: { startTime?: string | undefined; endTime?: string | undefined }) =>
  startTime === undefined ||
  endTime === undefined ||
  // Asked of what is no instant too, which has its own error then.
  Date.parse(endTime) - Date.parse(startTime) === SLOT_MINUTES * MINUTE_MS;
const WRONG_LENGTH = { path: ['endTime'], error: `Must be ${SLOT_MINUTES} minutes after the start` };

const SLOT_UNKNOWN = reject('NOT_FOUND', 'slot-unknown', 'No such slot', 'slotId');
const SLOT_BOOKED = reject('CONFLICT', 'slot-booked', 'The slot is taken by an appointment');
const OVERLAP = reject('CONFLICT', 'slot-overlap', 'There is a slot at that time already', 'startTime');

const OFF_GRID = reject(
  'VALIDATION_ERROR',
  'off-grid',
  `Must be a multiple of ${SLOT_MINUTES} minutes by the clock of the provider`,
  'startTime',
);

/** The day on which a slot of a provider begins that is to be opened there, or why there can be none. */
export const dayToOpen = (providerId: string, startTime: string, { profile }: Provider, now: Date) => {
  if (profile === undefined) return NO_PROFILE;
  const past = refusePast(startTime, now);
  if (past !== undefined) return past;
  if (!isGridStart(startTime, profile.timezone)) return OFF_GRID;
  const day = dateIn(profile.timezone, startTime);
  return slotRef(unusedSlotId({}, { providerId, day, startTime })) === undefined ? OFF_GRID : day;
};

/** Refuses slots outside the working hours of their day, those of an exception included, unless they are forced. */
export const refuseHours = (
  provider: Provider,
  { day, startTime, force }: { readonly day: string; readonly startTime: string; readonly force: boolean },
): Rejection | undefined =>
  force || liesIn(hoursOn(provider, day), day, startTime, provider.profile?.timezone ?? 'UTC')
    ? undefined
    : reject('CONFLICT', 'outside-working-hours', 'The slot lies outside the working hours', 'startTime');

/** Refuses a slot that meets another of the day. */
export const refuseOverlap = (
  { slots }: Schedule,
  { startTime, endTime }: { readonly startTime: string; readonly endTime: string },
  slotId?: string,
): Rejection | undefined =>
  Object.entries(slots).some(([id, other]) => id !== slotId && other.startTime < endTime && startTime < other.endTime)
    ? OVERLAP
    : undefined;

/** Opens one slot of half an hour, in the working hours unless it is forced. */
export const addTimeSlot = command(
  'AddTimeSlot',
  z.object({ startTime: instant, endTime: instant, force, day }).refine(ofOneLength, WRONG_LENGTH),
  ({ startTime, endTime, force }, state, { actor, now, facts: { provider } }: Context<OfferingFacts>) => {
    const day = dayToOpen(actor.id, startTime, provider, now);
    if (typeof day !== 'string') return day;
    const refusal = refuseHours(provider, { day, startTime, force }) ?? refuseOverlap(state, { startTime, endTime });
    if (refusal !== undefined) return refusal;
    const slotId = unusedSlotId(state.slots, { providerId: actor.id, day, startTime });
    const closed = closedOn(state, day, provider.profile?.timezone ?? 'UTC')(startTime);
    const data = { providerId: actor.id, slotId, startTime, endTime, isAvailable: true, ...closed };
    return [{ type: 'TimeSlotAdded', data }];
  },
);

export const updatingInput = z
  .object({
    slotId: slotIdField,
    isAvailable: z.boolean().optional().describe('False blocks the slot'),
    startTime: instant.optional(),
    endTime: instant.optional().describe('Follows from the start'),
    force,
    day,
  })
  .refine(ofOneLength, WRONG_LENGTH)
  .refine(
    ({ isAvailable, startTime, endTime }) => [isAvailable, startTime, endTime].some((field) => field !== undefined),
    { path: ['isAvailable'], error: 'Give isAvailable or new times' },
  );
type Updating = z.output<typeof updatingInput>;

/** What is wanted of a slot: where it is to lie, and whether it is to be offered. */
const wanted = ({ startTime, endTime, isAvailable }: Updating, slot: Schedule['slots'][string]) => {
  const start = startTime ?? (endTime === undefined ? slot.startTime : slotStart(endTime));
  return { startTime: start, endTime: slotEnd(start), isAvailable: isAvailable ?? !slot.blocked };
};

/** The id of the move that takes a slot to another day. */
const moveIdOf = (newId: Context['newId']): string => newId('move');

/** What a slot is to become; undefined when nothing is to change. Judges all but the day that it may move to. */
export const judgeUpdate = (
  input: Updating,
  state: Schedule,
  { actor, now, facts: { provider } }: Pick<Context<OfferingFacts>, 'actor' | 'now' | 'facts'>,
) => {
  const home = dayOfSlot(input.slotId);
  if (provider.profile === undefined) return NO_PROFILE;
  const slot = home.providerId === actor.id ? state.slots[input.slotId] : undefined;
  if (slot === undefined) return SLOT_UNKNOWN;
  const next = wanted(input, slot);
  const moves = next.startTime !== slot.startTime;
  if (!moves && next.isAvailable === !slot.blocked) return undefined;
  const day = moves ? dayToOpen(actor.id, next.startTime, provider, now) : home.day;
  if (typeof day !== 'string') return day;
  if (slot.heldBy !== undefined) return SLOT_BOOKED;
  const outside = moves ? refuseHours(provider, { day, startTime: next.startTime, force: input.force }) : undefined;
  return outside ?? { ...next, day, slot };
};

/**
 * Blocks a free slot, offers it again, or moves it. Within its day it keeps its id; on another day it is another slot,
 * which the other day's stream opens once this one has let it go.
 */
export const updateTimeSlot = command(
  'UpdateTimeSlot',
  updatingInput,
  (input, state, context: Context<OfferingFacts>) => {
    const next = judgeUpdate(input, state, context);
    if (next === undefined) return [];
    if ('code' in next) return next;
    const { slotId } = input;
    const { providerId, day: home } = dayOfSlot(slotId);
    const { startTime, endTime, isAvailable, day, slot } = next;
    if (day !== home) {
      const movedTo = { moveId: moveIdOf(context.newId), day, startTime, endTime, isAvailable };
      const { startTime: from, endTime: until } = slot;
      return [{ type: 'TimeSlotRemoved', data: { providerId, slotId, startTime: from, endTime: until, movedTo } }];
    }
    const overlap = refuseOverlap(state, next, slotId);
    if (overlap !== undefined) return overlap;
    const closed = closedOn(state, day, context.facts.provider.profile?.timezone ?? 'UTC')(startTime);
    return [{ type: 'TimeSlotUpdated', data: { providerId, slotId, startTime, endTime, isAvailable, ...closed } }];
  },
);

/** Takes a free slot away. */
export const removeTimeSlot = command(
  'RemoveTimeSlot',
  z.object({ slotId: slotIdField }),
  ({ slotId }, { slots }, { actor }) => {
    const { providerId } = dayOfSlot(slotId);
    const slot = providerId === actor.id ? slots[slotId] : undefined;
    if (slot === undefined) return SLOT_UNKNOWN;
    if (slot.heldBy !== undefined) return SLOT_BOOKED;
    const { startTime, endTime } = slot;
    return [{ type: 'TimeSlotRemoved', data: { providerId, slotId, startTime, endTime } }];
  },
);

/** What bringing a slot must know: its provider, and whether the day that let it go has opened it again. */
export type MovedFacts = OfferingFacts & { readonly putBack: boolean };

const place = { day: isoDate, startTime: instant, endTime: instant };

/** Opens a slot that another day has let go for this one; once, however often it is asked. */
export const placeMovedSlot = command(
  'PlaceMovedSlot',
  z.object({
    providerId: uuid,
    ...place,
    isAvailable: z.boolean(),
    moveId: z.string().min(1).max(64),
    from: z.object(place).describe('Where it was'),
  }),
  ({ providerId, day, startTime, endTime, isAvailable, moveId }, state, { facts }: Context<MovedFacts>) => {
    if (facts.putBack || state.arrivals[moveId]) return [];
    const overlap = refuseOverlap(state, { startTime, endTime });
    if (overlap !== undefined) return overlap;
    const slotId = unusedSlotId(state.slots, { providerId, day, startTime });
    const closed = closedOn(state, day, facts.provider.profile?.timezone ?? 'UTC')(startTime);
    const data = { providerId, slotId, startTime, endTime, isAvailable, moveId, ...closed };
    return [{ type: 'TimeSlotAdded', data }];
  },
);
