import { z } from 'zod';
import type { EventOf } from '../../decider.ts';

const Of = { entryId: z.string(), providerId: z.string(), accountId: z.string().describe('Who waits') };
const Offered = { ...Of, offerId: z.string(), slotId: z.string(), startTime: z.string(), endTime: z.string() };

/** How an offer ends: the slot was booked, declined, let pass, or it could be offered no longer. */
export const OfferOutcome = z.enum(['accepted', 'declined', 'expired', 'withdrawn']);
export type OfferOutcome = z.output<typeof OfferOutcome>;

/** Why somebody waits no longer. */
export const Ending = z.enum(['left', 'booked', 'past', 'unanswered', 'account-closed', 'provider-inactive']);
export type Ending = z.output<typeof Ending>;

/**
 * Stored facts of one provider's waiting list. Type names and fields are the storage format: add to them, never rename or
 * remove. That a slot is kept for an offer is a fact of the slot's day.
 */
export const events = {
  WaitingListJoined: z.object({
    ...Of,
    from: z.string().describe('The first date that would suit, in the time zone of the provider'),
    to: z.string().describe('The last one'),
    endsAt: z.string().describe('The end of that date'),
    joinedAt: z.string(),
  }),
  WaitingListOffered: z
    .object({
      ...Offered,
      offeredAt: z.string(),
      until: z.string().describe('From then on the offer counts no longer'),
    })
    .describe('A slot that has become free is offered to the next in line whom it suits'),
  WaitingListOfferEnded: z.object({ ...Offered, outcome: OfferOutcome, at: z.string() }),
  WaitingListEnded: z.object({ ...Of, because: Ending, at: z.string() }),
};
export type WaitingListEvent = EventOf<typeof events>;
