import { z } from 'zod';
import { clientCalendar } from '../../domain/booking/clientCalendar.ts';
import { leaveWaitingLists } from '../../domain/booking/clientHolds.ts';
import { dayOfSlot, scheduleId, waitingEntryRef } from '../../domain/booking/ids.ts';
import { provider } from '../../domain/booking/provider/index.ts';
import { holdForOffer, refuseHeld, refuseKeeping, schedule } from '../../domain/booking/schedule/index.ts';
import {
  candidates,
  declineOffer,
  endWaiting,
  endWaitingWithBooking,
  joinWaitingList,
  leaveWaitingList,
  offerFreedSlot,
  settleOffers,
  waitingList,
} from '../../domain/booking/waitingList/index.ts';
import { reject } from '../../domain/decider.ts';
import { bind, internal, type Outcome, type Run } from '../binding.ts';
import { isOpen } from '../identity/standing.ts';
import { latest, uncontended } from '../outcomes.ts';
import { newest, type Reads } from '../reads.ts';
import { onlyProvider } from './activeProvider.ts';
import { exampleIds } from './answers.ts';
import { holdingFacts } from './holds.ts';
import { takenNearby } from './nearby.ts';

const PROVIDER_UNKNOWN = reject('NOT_FOUND', 'provider-unknown', 'No such provider', 'providerId');
/** How many of those in line are looked at for one slot: beyond them nobody is asked before it is free for everybody. */
const LOOKED_AT = 20;

const ofEntry = ({ entryId }: { readonly entryId: string }): string => waitingEntryRef(entryId)?.providerId ?? '';
const ofProvider = ({ providerId }: { readonly providerId?: string | undefined }): string => providerId ?? '';

/** Whether a slot can be booked at all, and who of those in line could. */
const freedFacts = async (slotId: string, reads: Reads) => {
  const { providerId } = dayOfSlot(slotId);
  const now = reads.now();
  const { state: line } = await reads.load(waitingList, providerId);
  const { state: host } = await reads.load(provider, providerId);
  const able: string[] = [];
  const wanted = candidates(line, slotId, now).slice(0, LOOKED_AT);
  if (wanted.length === 0) return { provider: host, slot: undefined, able };
  const day = await newest(reads, schedule, scheduleId(dayOfSlot(slotId)));
  const slot = refuseHeld(day.slots[slotId], [], now) === undefined ? day.slots[slotId] : undefined;
  const nearby = await takenNearby(slotId, host, { judgedBy: scheduleId(dayOfSlot(slotId)) }, reads);
  for (const { accountId } of slot === undefined ? [] : wanted) {
    const { claims } = (await reads.load(clientCalendar, accountId)).state;
    const facts = { provider: host, nearby, claims };
    if (refuseKeeping(day, { slotId, accountId, now, facts }) !== undefined) continue;
    if (await isOpen(reads, accountId)) able.push(accountId);
  }
  return { provider: host, slot, able };
};

/** The offers of a provider whose slots are not kept for them. */
const goneOffers = async (providerId: string, reads: Reads) => {
  const gone: string[] = [];
  for (const { offer } of (await reads.load(waitingList, providerId)).state.entries) {
    if (offer === undefined) continue;
    const hold = (await newest(reads, schedule, scheduleId(dayOfSlot(offer.slotId)))).slots[offer.slotId]?.hold;
    if (hold?.offerId !== offer.offerId || hold.over) gone.push(offer.offerId);
  }
  return { gone };
};

/**
 * Offers a slot and has it held. The offer comes first, so that nobody has two; should the slot be gone by then, it is
 * withdrawn. A policy finishes what a crash interrupts.
 */
const offering = async ({ input: { slotId }, newId, reads, step, judge }: Run<{ readonly slotId: string }>) => {
  const outcome = await uncontended(judge);
  if (!outcome.ok) return outcome;
  const { providerId } = dayOfSlot(slotId);
  const offerId = newId('offer');
  const { entries } = (await reads.load(waitingList, providerId)).state;
  const entry = entries.find(({ offer }) => offer?.offerId === offerId);
  if (entry?.offer === undefined) return outcome;
  const { accountId, offer } = entry;
  const kept = { slotId, offerId, accountId, until: offer.until };
  const day = scheduleId(dayOfSlot(slotId));
  const held = await step(holdForOffer, day, kept, await holdingFacts(slotId, accountId, reads));
  if (held.ok) return latest(outcome, held);
  if (held.reason === 'contended') return held;
  return latest(outcome, await step(settleOffers, providerId, { providerId, offerId }, { gone: [offerId] }));
};

/** Ends the waiting of a closed account with every provider; nothing once it is open again. */
const leaving = async (run: Run<{ readonly accountId: string; readonly before: string }>): Promise<Outcome> => {
  const { reads, step, judge } = run;
  const { accountId, before } = run.input;
  const outcome = await judge();
  if (!outcome.ok || (await isOpen(reads, accountId))) return outcome;
  const ended: Outcome[] = [];
  for (const providerId of await reads.lookups.waitedFor(accountId))
    ended.push(await step(endWaiting, providerId, { providerId, because: 'account-closed', accountId, before }));
  return latest(outcome, ...ended);
};

/** An entry in a waiting list right after a command. */
const EntryAnswer = z.object({
  id: z.string(),
  providerId: z.string(),
  from: z.string(),
  to: z.string(),
  place: z.int().describe('In the line of the provider; 1 is asked first'),
  joinedAt: z.string(),
});

const exampleEntry = 'AwGQobLD1H5fimt8jZ4PGisBj05afB17Lpo_XWx7ip4B';

/** What the commands on the own entry in a waiting list share. */
const ownEntry = {
  access: 'book:appointments',
  example: { entryId: exampleEntry },
  stream: ofEntry,
  version: () => undefined,
} as const;

/** Commands on waiting lists. */
export const waitingListBindings = [
  bind(joinWaitingList, {
    path: 'POST /appointments/waiting-list',
    access: 'book:appointments',
    status: 201,
    summary: 'Be offered a slot that becomes free within a range of dates',
    example: { providerId: exampleIds.account, from: '2027-03-01', to: '2027-03-05' },
    resolve: async (input, reads) => {
      const providerId = input.providerId ?? (await onlyProvider(reads, PROVIDER_UNKNOWN));
      return typeof providerId === 'string' ? { ...input, providerId } : providerId;
    },
    stream: ofProvider,
    version: () => undefined,
    facts: async (input, reads) => ({ provider: (await reads.load(provider, ofProvider(input))).state }),
    answer: {
      schema: EntryAnswer,
      of: ({ state: { entries }, events: [joined] }) => {
        if (joined?.type !== 'WaitingListJoined') throw new TypeError('Somebody waits without having come');
        const { entryId, providerId, from, to, joinedAt } = joined.data;
        const place = entries.findIndex((entry) => entry.entryId === entryId) + 1;
        return { id: entryId, providerId, from, to, place, joinedAt };
      },
    },
  }),
  bind(leaveWaitingList, {
    ...ownEntry,
    path: 'DELETE /appointments/waiting-list/:entryId',
    summary: 'Wait no longer',
  }),
  bind(declineOffer, {
    ...ownEntry,
    path: 'POST /appointments/waiting-list/:entryId/decline',
    summary: 'Leave the slot that is offered to the next in line, and go on waiting',
  }),
  internal(offerFreedSlot, ({ slotId }) => dayOfSlot(slotId).providerId, {
    facts: ({ slotId }, reads) => freedFacts(slotId, reads),
    process: offering,
  }),
  internal(settleOffers, ofProvider, { facts: ({ providerId }, reads) => goneOffers(providerId, reads) }),
  internal(endWaitingWithBooking, ofProvider),
  internal(endWaiting, ofProvider),
  internal(leaveWaitingLists, ({ accountId }) => accountId, { process: leaving }),
];
