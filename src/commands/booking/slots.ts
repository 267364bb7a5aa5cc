import type { z } from 'zod';
import { dateIn } from '../../domain/booking/grid.ts';
import { dayOfSlot, scheduleId, slotIdOf } from '../../domain/booking/ids.ts';
import { announceSlots, NO_PROFILE, provider } from '../../domain/booking/provider/index.ts';
import {
  addTimeSlot,
  dayToOpen,
  judgeUpdate,
  placeMovedSlot,
  refuseOverlap,
  removeTimeSlot,
  schedule,
  updateTimeSlot,
} from '../../domain/booking/schedule/index.ts';
import { bind, internal, type Outcome } from '../binding.ts';
import { latest, refused } from '../outcomes.ts';
import type { Reads } from '../reads.ts';
import { exampleIds, SlotAnswer, slotAnswer } from './answers.ts';
import type { Tools } from './settling.ts';

const factsOf = async (providerId: string, reads: Reads) => ({
  provider: (await reads.load(provider, providerId)).state,
});

type Moved = z.output<typeof placeMovedSlot.input>;

/** Opens a slot on the day that it was moved to, or, when that cannot be any more, again on the day that let it go. */
const settleMove = async (moved: Moved, { reads, step }: Tools): Promise<Outcome> => {
  const { providerId, day, from, moveId } = moved;
  const facts = await factsOf(providerId, reads);
  const home = scheduleId({ providerId, day: from.day });
  const backId = `${moveId}.back`;
  const putBack = (await reads.load(schedule, home)).state.arrivals[backId] === true;
  const placed = await step(placeMovedSlot, scheduleId({ providerId, day }), moved, { ...facts, putBack });
  if (!placed.ok && placed.reason === 'slot-overlap')
    await step(placeMovedSlot, home, { ...moved, ...from, moveId: backId }, { ...facts, putBack });
  return placed;
};

/** Opens one slot; reached through `POST /provider/timeslots`. */
export const addBinding = bind(addTimeSlot, {
  access: 'manage:availability',
  status: 201,
  summary: 'Open one slot',
  example: { startTime: '2027-03-01T09:00:00.000Z', endTime: '2027-03-01T09:30:00.000Z' },
  resolve: async (input, reads, actor) => {
    const { profile } = (await reads.load(provider, actor.id)).state;
    return profile === undefined ? NO_PROFILE : { ...input, day: dateIn(profile.timezone, input.startTime) };
  },
  stream: ({ day = '' }, { actor }) => scheduleId({ providerId: actor.id, day }),
  version: () => undefined,
  facts: (_input, reads, { actor }) => factsOf(actor.id, reads),
  answer: {
    schema: SlotAnswer,
    of: ({ state, events: [added] }) => {
      if (added?.type !== 'TimeSlotAdded') throw new TypeError('A slot came about without its event');
      return slotAnswer(state, added.data.slotId);
    },
  },
  process: async ({ input, actor, reads, step, judge }) => {
    const facts = await factsOf(actor.id, reads);
    const day = dayToOpen(actor.id, input.startTime, facts.provider, reads.now());
    const { profile } = facts.provider;
    if (typeof day !== 'string' || profile === undefined) return judge();
    const announced = { providerId: actor.id, timezone: profile.timezone, latestEnd: input.endTime };
    const noted = await step(announceSlots, actor.id, announced);
    return noted.ok ? latest(await judge(), noted) : noted;
  },
});

/** Commands on single slots. */
export const slotBindings = [
  addBinding,
  bind(updateTimeSlot, {
    path: 'PATCH /provider/timeslots/:slotId',
    access: 'manage:availability',
    summary: 'Block a free slot, offer it again, or move it',
    example: { slotId: exampleIds.slot, isAvailable: false },
    stream: ({ slotId }) => scheduleId(dayOfSlot(slotId)),
    version: () => undefined,
    facts: ({ slotId }, reads) => factsOf(dayOfSlot(slotId).providerId, reads),
    answer: {
      schema: SlotAnswer,
      of: ({ state, events: [changed], input: { slotId } }) => {
        if (changed?.type !== 'TimeSlotRemoved' || changed.data.movedTo === undefined) return slotAnswer(state, slotId);
        const { day, startTime, endTime, isAvailable } = changed.data.movedTo;
        const id = slotIdOf({ providerId: changed.data.providerId, day, startTime });
        return { id, startTime, endTime, isAvailable, booked: false, appointmentId: null };
      },
    },
    process: async ({ input, actor, newId, reads, step, judge }) => {
      const { slotId } = input;
      const { providerId, day: home } = dayOfSlot(slotId);
      const facts = await factsOf(providerId, reads);
      const { state } = await reads.load(schedule, scheduleId({ providerId, day: home }));
      const next = judgeUpdate(input, state, { actor, now: reads.now(), facts });
      const { profile } = facts.provider;
      if (next === undefined || 'code' in next || profile === undefined) return judge();
      const { day, startTime, endTime, isAvailable, slot } = next;
      const announced = { providerId, timezone: profile.timezone, latestEnd: endTime };
      const noted = await step(announceSlots, providerId, announced);
      if (!noted.ok) return noted;
      if (day === home) return latest(await judge(), noted);
      const there = scheduleId({ providerId, day });
      const overlap = refuseOverlap((await reads.load(schedule, there)).state, next);
      if (overlap !== undefined) return refused(overlap);
      const outcome = await judge();
      if (!outcome.ok) return outcome;
      const { startTime: start, endTime: end } = slot;
      const from = { day: home, startTime: start, endTime: end };
      const to = { providerId, day, startTime, endTime };
      const placed = await settleMove({ ...to, from, isAvailable, moveId: newId('move') }, { reads, step });
      if (!placed.ok) return placed;
      const { state: after } = await reads.load(schedule, there);
      const [id] = Object.entries(after.slots).find(([, other]) => other.startTime === startTime) ?? [];
      return { ...latest(outcome, placed), data: id === undefined ? outcome.data : slotAnswer(after, id) };
    },
  }),
  bind(removeTimeSlot, {
    path: 'DELETE /provider/timeslots/:slotId',
    access: 'manage:availability',
    summary: 'Take a free slot away',
    example: { slotId: exampleIds.slot },
    stream: ({ slotId }) => scheduleId(dayOfSlot(slotId)),
    version: () => undefined,
  }),
  internal(announceSlots, ({ providerId }) => providerId),
  internal(placeMovedSlot, scheduleId, { process: ({ input, reads, step }) => settleMove(input, { reads, step }) }),
];
