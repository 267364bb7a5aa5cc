import { z } from 'zod';
import { dayEnd } from '../../dates.ts';
import { type Actor, type Context, reject } from '../../decider.ts';
import { isoDate, uuid } from '../../fields.ts';
import { dateIn, daysFrom } from '../grid.ts';
import { waitingEntryIdField, waitingEntryIdOf, waitingEntryRef } from '../ids.ts';
import type { Provider } from '../provider/index.ts';
import { ended, offerEnded } from './endings.ts';
import { command, standingOffer, type WaitingList } from './state.ts';

/** The longest range of dates that somebody may wait for, and how far ahead it may end. */
const MOST_DAYS = 92;
const FURTHEST_DAYS = 366;
/** How many ranges one account may wait for with a provider, and how many may wait for him at all. */
const MOST_OWN = 3;
const MOST = 1000;

/** What joining must know of the provider. */
export type JoiningFacts = { readonly provider: Provider };

/** Waits for a slot that becomes free within a range of dates. Whoever comes first is asked first. */
export const joinWaitingList = command(
  'JoinWaitingList',
  z
    .object({
      providerId: uuid.optional().describe('May be left out while one provider is active'),
      from: isoDate.describe('The first date that would suit, in the time zone of the provider'),
      to: isoDate.describe('The last one'),
    })
    .check(({ value, issues }) => {
      // Dates that are none have been refused already, and nothing can be said about their span.
      if (issues.length > 0) return;
      const refuse = (message: string) => issues.push({ code: 'custom', input: value.to, path: ['to'], message });
      if (value.to < value.from) refuse('Must not be before from');
      else if (daysFrom(value.from, value.to) > MOST_DAYS) refuse(`At most ${MOST_DAYS} days after from`);
    }),
  ({ providerId = '', from, to }, { entries }, { actor, now, newId, facts }: Context<JoiningFacts>) => {
    const { profile } = facts.provider;
    if (profile?.active !== true) return reject('NOT_FOUND', 'provider-unknown', 'No such provider', 'providerId');
    const accountId = actor.id;
    if (accountId === providerId)
      return reject('FORBIDDEN', 'own-calendar', 'Nobody books an appointment with himself');
    const today = dateIn(profile.timezone, now);
    if (to < today) return reject('VALIDATION_ERROR', 'in-the-past', 'These dates have passed', 'to');
    if (daysFrom(today, to) > FURTHEST_DAYS)
      return reject('VALIDATION_ERROR', 'beyond-horizon', 'These dates are too far ahead', 'to');
    const own = entries.filter((entry) => entry.accountId === accountId);
    if (own.some((entry) => entry.from <= to && from <= entry.to))
      return reject('CONFLICT', 'already-waiting', 'You wait for some of these dates already');
    if (own.length >= MOST_OWN)
      return reject('CONFLICT', 'waiting-too-often', `You wait for ${MOST_OWN} ranges of dates already`);
    if (entries.length >= MOST) return reject('CONFLICT', 'waiting-list-full', 'Too many others wait already');
    const entryId = waitingEntryIdOf({ providerId, uuid: newId('entry') });
    const endsAt = dayEnd(to, profile.timezone);
    const data = { entryId, providerId, accountId, from, to, endsAt, joinedAt: now.toISOString() };
    return [{ type: 'WaitingListJoined', data }];
  },
);

const UNKNOWN = reject('NOT_FOUND', 'waiting-unknown', 'You do not wait for this');

const ownEntry = ({ entries }: WaitingList, entryId: string, actor: Actor) =>
  entries.find((entry) => entry.entryId === entryId && entry.accountId === actor.id);
const providerOf = (entryId: string): string => waitingEntryRef(entryId)?.providerId ?? '';

/** Waits no longer. What is offered goes to the next in line. */
export const leaveWaitingList = command(
  'LeaveWaitingList',
  z.object({ entryId: waitingEntryIdField }),
  ({ entryId }, state, { actor, now }) => {
    const entry = ownEntry(state, entryId, actor);
    return entry === undefined ? UNKNOWN : ended({ entry, providerId: providerOf(entryId), now }, 'left', 'declined');
  },
);

/** Does not take the slot that is offered, and goes on waiting for another. */
export const declineOffer = command(
  'DeclineOffer',
  z.object({ entryId: waitingEntryIdField, offerId: uuid.optional().describe('The offer that is meant') }),
  ({ entryId, offerId }, state, { actor, now }) => {
    const entry = ownEntry(state, entryId, actor);
    if (entry === undefined) return UNKNOWN;
    const offer = standingOffer(entry, now);
    if (offer === undefined || (offerId !== undefined && offerId !== offer.offerId))
      return reject('CONFLICT', 'no-offer', 'Nothing is offered to you, or not any more');
    return [offerEnded({ entry, providerId: providerOf(entryId), now }, offer, 'declined')];
  },
);
