export { Ending, events, OfferOutcome, type WaitingListEvent } from './events.ts';
export * from './joining.ts';
export * from './offering.ts';
export { type Entry, type Offer, standingOffer, type WaitingList, waitingList } from './state.ts';
