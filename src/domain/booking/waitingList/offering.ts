import { z } from 'zod';
import type { Context } from '../../decider.ts';
import { MINUTE_MS } from '../../durations.ts';
import { instant, uuid } from '../../fields.ts';
import { ageInSeconds, SETTLE_AFTER_SECONDS } from '../clientCalendar.ts';
import type { Span } from '../grid.ts';
import { dayOfSlot, slotIdField } from '../ids.ts';
import type { Provider } from '../provider/index.ts';
import { ended, offerEnded, type Waiting } from './endings.ts';
import type { Ending, WaitingListEvent } from './events.ts';
import { command, type Entry, standingOffer, type WaitingList } from './state.ts';

/** How long an offer stands at most. */
const OFFER_SECONDS = 30 * 60;
/** With less time than this to answer a mail, nobody is asked: the slot is there for everybody. */
const LEAST_SECONDS = 5 * 60;
/** Whoever lets so many offers pass without a word waits no longer. */
const MOST_UNANSWERED = 3;
/** By how much a timer may be early, for the clocks of two machines are never the same. */
const EARLY_MS = 1000;

/** Until when a slot can be offered: half an hour, and not into the provider's notice; undefined when that is too short. */
const deadlineOf = ({ startTime }: Span, { minNoticeMinutes }: Provider, now: Date): string | undefined => {
  const latest = Date.parse(startTime) - minNoticeMinutes * MINUTE_MS;
  const deadline = Math.min(now.getTime() + OFFER_SECONDS * 1000, latest);
  return deadline - now.getTime() < LEAST_SECONDS * 1000 ? undefined : new Date(deadline).toISOString();
};

/**
 * Who could be offered a slot, in the order of the line: it lies within the dates that suit, he has not passed it on
 * before, and nothing else is offered to him. Nobody, while it is offered to somebody.
 */
export const candidates = ({ entries }: WaitingList, slotId: string, now: Date): readonly Entry[] => {
  const standing = entries.flatMap((entry) => {
    const offer = standingOffer(entry, now);
    return offer === undefined ? [] : [{ accountId: entry.accountId, slotId: offer.slotId }];
  });
  if (standing.some((offer) => offer.slotId === slotId)) return [];
  const asked = new Set(standing.map(({ accountId }) => accountId));
  const { day } = dayOfSlot(slotId);
  return entries.filter(
    ({ accountId, from, to, passed, offer }) =>
      from <= day && day <= to && !asked.has(accountId) && !passed.includes(slotId) && offer?.slotId !== slotId,
  );
};

/** What offering must know: the provider, the slot if it can be booked now, and which of those in line could book it. */
export type FreedFacts = {
  readonly provider: Provider;
  readonly slot: Span | undefined;
  readonly able: readonly string[];
};

/** Offers a slot that has become free to the first in line whom it suits; once, and to nobody who has another offer. */
export const offerFreedSlot = command(
  'OfferFreedSlot',
  z.object({ slotId: slotIdField }),
  ({ slotId }, state, { now, newId, facts }: Context<FreedFacts>) => {
    const { provider, slot, able } = facts;
    const next = candidates(state, slotId, now).find(({ accountId }) => able.includes(accountId));
    const until = slot && deadlineOf(slot, provider, now);
    if (next === undefined || slot === undefined || until === undefined) return [];
    const { entryId, accountId } = next;
    const { startTime, endTime } = slot;
    const of = { entryId, providerId: dayOfSlot(slotId).providerId, accountId };
    const data = { ...of, offerId: newId('offer'), slotId, startTime, endTime, offeredAt: now.toISOString(), until };
    return [{ type: 'WaitingListOffered', data }];
  },
);

const expired = (waiting: Waiting, offer: NonNullable<Entry['offer']>): readonly WaitingListEvent[] =>
  waiting.entry.unanswered + 1 < MOST_UNANSWERED
    ? [offerEnded(waiting, offer, 'expired')]
    : ended(waiting, 'unanswered', 'expired');

/** What settling offers must know: those whose slots are not kept for them. */
export type OfferFacts = { readonly gone: readonly string[] };

/**
 * Ends offers that nobody can take any more: their deadline is over, or their slot is not kept for them. One that was made
 * just now may still be on its way to its slot, and is left alone unless it is named.
 */
export const settleOffers = command(
  'SettleOffers',
  z.object({ providerId: uuid, offerId: uuid.optional().describe('One that is certainly not on its way any more') }),
  ({ providerId, offerId }, { entries }, { now, facts: { gone } }: Context<OfferFacts>) =>
    entries.flatMap((entry) => {
      const { offer } = entry;
      if (offer === undefined) return [];
      const waiting = { entry, providerId, now };
      if (standingOffer(entry, new Date(now.getTime() + EARLY_MS)) === undefined) return expired(waiting, offer);
      const settled = offer.offerId === offerId || ageInSeconds(offer.offeredAt, now) >= SETTLE_AFTER_SECONDS;
      return settled && gone.includes(offer.offerId) ? [offerEnded(waiting, offer, 'withdrawn')] : [];
    }),
);

/** Takes note that somebody has an appointment on a date: whoever waited for that date waits no longer. */
export const endWaitingWithBooking = command(
  'EndWaitingWithBooking',
  z.object({ providerId: uuid, accountId: uuid, slotId: slotIdField }),
  ({ providerId, accountId, slotId }, { entries }, { now }) => {
    const { day } = dayOfSlot(slotId);
    return entries
      .filter((entry) => entry.accountId === accountId && entry.from <= day && day <= entry.to)
      .flatMap((entry) => {
        const outcome = entry.offer?.slotId === slotId ? 'accepted' : 'withdrawn';
        return ended({ entry, providerId, now }, 'booked', outcome);
      });
  },
);

const isOver = (entry: Entry, because: Ending, of: { readonly accountId?: string | undefined; readonly now: Date }) => {
  if (because === 'past') return entry.endsAt <= of.now.toISOString();
  return because !== 'account-closed' || entry.accountId === of.accountId;
};

/** Ends the waiting for dates that have passed, of an account that is closed, or for a provider who gives no appointments. */
export const endWaiting = command(
  'EndWaiting',
  z.object({
    providerId: uuid,
    because: z.enum(['past', 'account-closed', 'provider-inactive']),
    accountId: uuid.optional(),
    before: instant.describe('Whoever has come later is not meant'),
  }),
  ({ providerId, because, accountId, before }, { entries }, { now }) =>
    entries
      .filter((entry) => entry.joinedAt <= before && isOver(entry, because, { accountId, now }))
      .flatMap((entry) => ended({ entry, providerId, now }, because)),
);
