import { leaveWaitingLists } from '../domain/booking/clientHolds.ts';
import { isHome } from '../domain/booking/ids.ts';
import { releaseOfferHold } from '../domain/booking/schedule/index.ts';
import {
  endWaiting,
  endWaitingWithBooking,
  offerFreedSlot,
  settleOffers,
} from '../domain/booking/waitingList/index.ts';
import { mail } from './mails/index.ts';
import { type Issued, issue, policy, type Reaction } from './policy.ts';

/** After this time nothing is on its way any more that was begun with an event. */
const SETTLED_MS = 61_000;
const settledAfter = (at: string): Date => new Date(Date.parse(at) + SETTLED_MS);

const freed = (slotId: string): Issued => issue(offerFreedSlot, { slotId });
/** A slot of another day than the appointment's own is freed by that day's own event. */
const left = (slotId: string, appointmentId: string): readonly Issued[] =>
  isHome(slotId, appointmentId) ? [freed(slotId)] : [];

const settle = ({ data: { providerId } }: { readonly data: { readonly providerId: string } }): readonly Reaction[] => [
  issue(settleOffers, { providerId }),
];

/** Offers slots that become free to those who wait for them, one after the other. */
export const freedSlots = policy('booking-freed-slots', {
  AppointmentCancelled: ({ data: { slotId, appointmentId } }) => left(slotId, appointmentId),
  AppointmentRescheduled: ({ data: { fromSlotId, appointmentId } }) => left(fromSlotId, appointmentId),
  SlotReleased: ({ data: { slotId } }) => [freed(slotId)],
  SlotHoldReleased: ({ data: { slotId, providerId, offerId } }) => [
    ...(offerId === undefined ? [] : [issue(settleOffers, { providerId, offerId })]),
    freed(slotId),
  ],
});

/** Keeps offers and the slots that are held for them in step, whatever a crash or a provider does in between. */
export const offers = policy('booking-offers', {
  WaitingListOffered: ({ data: { providerId, offeredAt, until } }) => [
    issue(settleOffers, { providerId }, settledAfter(offeredAt)),
    issue(settleOffers, { providerId }, new Date(until)),
  ],
  WaitingListOfferEnded: ({ data: { slotId, offerId } }) => [issue(releaseOfferHold, { slotId, offerId })],
  TimeSlotUpdated: settle,
  TimeSlotRemoved: settle,
  DayHoursChanged: settle,
});

/** Ends the waiting of those who have an appointment, or who wait in vain. */
export const waiting = policy('booking-waiting', {
  AppointmentBooked: ({ data: { providerId, clientId: accountId, slotId } }) => [
    issue(endWaitingWithBooking, { providerId, accountId, slotId }),
  ],
  AppointmentRescheduled: ({ data: { providerId, clientId: accountId, toSlotId: slotId } }) => [
    issue(endWaitingWithBooking, { providerId, accountId, slotId }),
  ],
  WaitingListJoined: ({ data: { providerId, endsAt } }) => [
    issue(endWaiting, { providerId, because: 'past', before: endsAt }, new Date(endsAt)),
  ],
  ProviderDeactivated: ({ data: { providerId }, recordedAt }) => [
    issue(endWaiting, { providerId, because: 'provider-inactive', before: recordedAt }),
  ],
  AccountDeactivated: ({ data: { accountId }, recordedAt }) => [
    issue(leaveWaitingLists, { accountId, before: recordedAt }),
    issue(leaveWaitingLists, { accountId, before: recordedAt }, settledAfter(recordedAt)),
  ],
});

/** Tells people by mail of the slot that is held for them. */
export const offerMails = policy('booking-offer-mails', {
  SlotHeld: ({ data: { slotId, accountId, offerId, until } }) =>
    offerId === undefined
      ? []
      : [mail({ template: 'waiting-list-offer', accountId, slotId, offerId, expiresAt: until })],
});

/** Every policy about waiting lists. */
export const waitingListPolicies = [freedSlots, offers, waiting, offerMails] as const;
