import type { Ending, OfferOutcome, WaitingListEvent } from './events.ts';
import type { Entry, Offer } from './state.ts';

/** Somebody who waits, with whom, and the present. */
export type Waiting = { readonly entry: Entry; readonly providerId: string; readonly now: Date };

/** The event by which an offer ends. */
export const offerEnded = (
  { entry: { entryId, accountId }, providerId, now }: Waiting,
  { offerId, slotId, startTime, endTime }: Offer,
  outcome: OfferOutcome,
): WaitingListEvent => {
  const of = { entryId, providerId, accountId, offerId, slotId, startTime, endTime };
  return { type: 'WaitingListOfferEnded', data: { ...of, outcome, at: now.toISOString() } };
};

/** The events by which somebody stops waiting, with the end of the offer that he has. */
export const ended = (
  waiting: Waiting,
  because: Ending,
  outcome: OfferOutcome = 'withdrawn',
): readonly WaitingListEvent[] => {
  const { entry, providerId, now } = waiting;
  const { entryId, accountId, offer } = entry;
  const data = { entryId, providerId, accountId, because, at: now.toISOString() };
  return [...(offer === undefined ? [] : [offerEnded(waiting, offer, outcome)]), { type: 'WaitingListEnded', data }];
};
