import { z } from 'zod';
import { OfferOutcome, type WaitingListEvent } from '../../domain/booking/waitingList/index.ts';
import { uuid } from '../../domain/fields.ts';
import { idOf } from '../../eventstore/event.ts';
import type { Refusal } from './subscription.ts';
import type { TopicKind } from './topics.ts';

const Offer = {
  entryId: z.string(),
  offerId: z.string(),
  providerId: z.string(),
  slotId: z.string(),
  startTime: z.string(),
};
const messages = {
  'offer:made': z.object({
    ...Offer,
    endTime: z.string(),
    until: z.string().describe('Until then the slot is held for you: book it, or decline the offer'),
  }),
  'offer:ended': z.object({ ...Offer, outcome: OfferOutcome }),
} as const;

const others: Refusal = { code: 'FORBIDDEN', message: 'Nobody listens to the offers of somebody else' };
type Offered = Extract<WaitingListEvent, { type: 'WaitingListOffered' | 'WaitingListOfferEnded' }>['data'];
const offer = ({ entryId, offerId, providerId, slotId, startTime }: Offered) => ({
  ...{ entryId, offerId, providerId, slotId, startTime },
});

/** What the waiting lists of providers offer to one account. For its owner alone. */
export const offersTopic: TopicKind = {
  name: 'offers',
  id: uuid,
  summary: 'Slots that waiting lists offer to an account. For its owner alone; the id is that of the account.',
  category: 'waitingList',
  topicOf: idOf,
  topicOfEvent: ({ data }) => ('accountId' in data ? data.accountId : undefined),
  messages,
  on: {
    WaitingListOffered: ({ data }) => [
      { event: 'offer:made', data: { ...offer(data), endTime: data.endTime, until: data.until } },
    ],
    WaitingListOfferEnded: ({ data }) => [{ event: 'offer:ended', data: { ...offer(data), outcome: data.outcome } }],
  },
  authorise: async (id, actor) => (actor.id === id ? undefined : others),
};
