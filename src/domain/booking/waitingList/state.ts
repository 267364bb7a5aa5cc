import { commandsOf, decider } from '../../decider.ts';
import { events, type WaitingListEvent } from './events.ts';

/** A slot that is offered to somebody. It counts until its deadline, whether or not its end is stored. */
export type Offer = {
  readonly offerId: string;
  readonly slotId: string;
  readonly startTime: string;
  readonly endTime: string;
  readonly offeredAt: string;
  readonly until: string;
};

/** Somebody who waits. */
export type Entry = {
  readonly entryId: string;
  readonly accountId: string;
  /** Dates that would suit, both included. */
  readonly from: string;
  readonly to: string;
  readonly endsAt: string;
  readonly joinedAt: string;
  readonly offer?: Offer;
  /** Slots that were offered to him before and that he has not taken. */
  readonly passed: readonly string[];
  /** How many offers he has let pass without a word. */
  readonly unanswered: number;
};

/** Who waits for a slot of one provider, in the order in which they came. */
export type WaitingList = { readonly entries: readonly Entry[] };

/** Slots of which it is remembered that somebody did not take them. */
const REMEMBERED = 50;

const without = ({ offer, ...entry }: Entry): Entry =>
  offer === undefined ? entry : { ...entry, passed: [...entry.passed, offer.slotId].slice(-REMEMBERED) };

export const waitingList = decider<WaitingList, WaitingListEvent>({
  category: 'waitingList',
  events,
  initial: { entries: [] },
  evolve: ({ entries }, { type, data }) => {
    const change = (next: (entry: Entry) => Entry): WaitingList => ({
      entries: entries.map((entry) => (entry.entryId === data.entryId ? next(entry) : entry)),
    });
    switch (type) {
      case 'WaitingListJoined': {
        const { entryId, accountId, from, to, endsAt, joinedAt } = data;
        return { entries: [...entries, { entryId, accountId, from, to, endsAt, joinedAt, passed: [], unanswered: 0 }] };
      }
      case 'WaitingListOffered': {
        const { offerId, slotId, startTime, endTime, offeredAt, until } = data;
        return change((entry) => ({
          ...without(entry),
          offer: { offerId, slotId, startTime, endTime, offeredAt, until },
        }));
      }
      case 'WaitingListOfferEnded':
        return change((entry) =>
          entry.offer?.offerId === data.offerId
            ? { ...without(entry), unanswered: entry.unanswered + (data.outcome === 'expired' ? 1 : 0) }
            : entry,
        );
      case 'WaitingListEnded':
        return { entries: entries.filter(({ entryId }) => entryId !== data.entryId) };
    }
  },
});
/** The constructor of a waiting list's commands. */
export const command = commandsOf(waitingList);

/** The offer that somebody can take now. */
export const standingOffer = ({ offer }: Entry, now: Date): Offer | undefined =>
  offer !== undefined && offer.until > now.toISOString() ? offer : undefined;
