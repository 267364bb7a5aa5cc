import { z } from 'zod';
import { clientCalendar } from '../../domain/booking/clientCalendar.ts';
import { allowHold, clientHolds, returnHold } from '../../domain/booking/clientHolds.ts';
import { dayOfSlot, scheduleId } from '../../domain/booking/ids.ts';
import { provider } from '../../domain/booking/provider/index.ts';
import {
  expireSlotHold,
  holdForOffer,
  holdSlot,
  isLive,
  judgeHold,
  releaseOfferHold,
  releaseSlotHold,
  schedule,
} from '../../domain/booking/schedule/index.ts';
import { bind, internal, type Outcome } from '../binding.ts';
import { latest, uncontended } from '../outcomes.ts';
import type { Reads } from '../reads.ts';
import { exampleIds } from './answers.ts';
import { takenNearby } from './nearby.ts';
import type { Tools } from './settling.ts';

const dayIdOf = (slotId: string): string => scheduleId(dayOfSlot(slotId));
const ofDay = ({ slotId }: { readonly slotId: string }): string => dayIdOf(slotId);

/** What keeping a slot for an account must know. */
export const holdingFacts = async (slotId: string, accountId: string, reads: Reads) => {
  const { state } = await reads.load(provider, dayOfSlot(slotId).providerId);
  return {
    provider: state,
    nearby: await takenNearby(slotId, state, { judgedBy: dayIdOf(slotId) }, reads),
    claims: (await reads.load(clientCalendar, accountId)).state.claims,
  };
};

/** Takes note that an account holds nothing on the day of a slot any more, if that is so. */
export const settleHold = async (
  accountId: string,
  slotId: string,
  { reads, step }: Tools,
): Promise<readonly Outcome[]> => {
  const day = dayIdOf(slotId);
  if ((await reads.load(clientHolds, accountId)).state.days[day] === undefined) return [];
  const { slots } = (await reads.load(schedule, day)).state;
  const still = Object.values(slots).some(
    ({ hold }) => isLive(hold, reads.now()) && hold?.accountId === accountId && hold.offerId === undefined,
  );
  return still ? [] : [await step(returnHold, accountId, { accountId, day })];
};

/** A slot that the caller holds. */
const HoldAnswer = z.object({
  slotId: z.string(),
  providerId: z.string(),
  startTime: z.string(),
  endTime: z.string(),
  expiresAt: z.string().describe('Until then nobody else can book it'),
});

/** Commands on slots that are kept for somebody. */
export const holdBindings = [
  bind(holdSlot, {
    path: 'POST /appointments/holds',
    access: 'book:appointments',
    status: 201,
    summary: 'Hold a free slot for two minutes while you fill in the form; again, to hold it longer',
    example: { slotId: exampleIds.slot },
    stream: ofDay,
    version: () => undefined,
    facts: ({ slotId }, reads, { actor }) => holdingFacts(slotId, actor.id, reads),
    answer: {
      schema: HoldAnswer,
      of: ({ state, input: { slotId } }) => {
        const slot = state.slots[slotId];
        if (slot?.hold === undefined) throw new TypeError('A slot is held without a hold');
        const { startTime, endTime, hold } = slot;
        return { slotId, providerId: dayOfSlot(slotId).providerId, startTime, endTime, expiresAt: hold.until };
      },
    },
    process: ({ input: { slotId }, actor, reads, step, judge }) =>
      uncontended(async () => {
        const day = dayIdOf(slotId);
        const { state } = await reads.load(schedule, day);
        const facts = await holdingFacts(slotId, actor.id, reads);
        const judged = judgeHold(slotId, state, { actor, now: reads.now(), facts });
        const held = 'code' in judged ? undefined : judged.find((event) => event.type === 'SlotHeld');
        if (held === undefined) return judge();
        const allowed = await step(allowHold, actor.id, { accountId: actor.id, day, until: held.data.until });
        if (!allowed.ok) return allowed;
        const outcome = await judge();
        if (!outcome.ok) await settleHold(actor.id, slotId, { reads, step });
        return outcome;
      }),
  }),
  bind(releaseSlotHold, {
    path: 'DELETE /appointments/holds/:slotId',
    access: 'book:appointments',
    summary: 'Let a slot go that you hold',
    example: { slotId: exampleIds.slot },
    stream: ofDay,
    version: () => undefined,
    process: async ({ input: { slotId }, actor, reads, step, judge }) => {
      const outcome = await judge();
      return outcome.ok ? latest(outcome, ...(await settleHold(actor.id, slotId, { reads, step }))) : outcome;
    },
  }),
  internal(allowHold, ({ accountId }) => accountId),
  internal(returnHold, ({ accountId }) => accountId),
  internal(expireSlotHold, ofDay),
  internal(holdForOffer, ofDay, { facts: ({ slotId, accountId }, reads) => holdingFacts(slotId, accountId, reads) }),
  internal(releaseOfferHold, ofDay),
];
