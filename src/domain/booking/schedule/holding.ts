import { z } from 'zod';
import { type Actor, type Context, type Rejection, reject } from '../../decider.ts';
import { instant, uuid } from '../../fields.ts';
import type { Span } from '../grid.ts';
import { dayOfSlot, slotIdField } from '../ids.ts';
import { type Nearby, refuseCrowded, refuseHeld, refuseSlot, refuseTaken } from './booking.ts';
import type { ScheduleEvent } from './events.ts';
import { command, type Hold, isLive, type Schedule, type Slot } from './state.ts';

/** How long a slot is held while its booking form is filled in. */
export const HOLD_SECONDS = 120;
/** How long somebody can hold one slot by renewing again and again. */
const MOST_SECONDS = 360;
/** A pause after which it counts from the beginning again. */
const REST_SECONDS = 600;
/** A hold shorter than this is not worth having: it is refused. */
const LEAST_SECONDS = 30;
/** A renewal that gains less changes nothing, so that a form may ask as often as it likes. */
const GAIN_SECONDS = 20;
/** By how much a timer may be early, for the clocks of two machines are never the same. */
const EARLY_MS = 1000;

/** What holding must know: the provider, taken slots of the days around, and when the client has appointments already. */
export type HoldingFacts = Nearby & { readonly claims: readonly Span[] };

const seconds = (from: string, to: string): number => Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
const later = (at: Date | string, seconds: number): string =>
  new Date(new Date(at).getTime() + seconds * 1000).toISOString();
const earlier = (a: string, b: string): string => (a < b ? a : b);

type Taker = { readonly slotId: string; readonly accountId: string; readonly now: Date; readonly facts: HoldingFacts };

/** Why a client could not book a slot now, were it held for him; undefined when he could. */
export const refuseKeeping = (state: Schedule, { slotId, accountId, now, facts }: Taker): Rejection | undefined => {
  const slot = state.slots[slotId];
  const refusal =
    refuseSlot(slot, facts.provider, 'client', now) ??
    (accountId === dayOfSlot(slotId).providerId
      ? reject('FORBIDDEN', 'own-calendar', 'Nobody books an appointment with himself')
      : undefined) ??
    refuseTaken(slot, '') ??
    refuseHeld(slot, [accountId], now);
  if (refusal !== undefined || slot === undefined) return refusal;
  const crowded = refuseCrowded(slot, state, { appointmentId: '', party: 'client', facts });
  if (crowded !== undefined) return crowded;
  return facts.claims.some(({ startTime, endTime }) => startTime < slot.endTime && slot.startTime < endTime)
    ? reject('CONFLICT', 'own-overlap', 'Another appointment of the client lies at that time')
    : undefined;
};

const released = (
  [slotId, { startTime, hold }]: readonly [string, Slot],
  now: Date,
  because: Extract<ScheduleEvent, { type: 'SlotHoldReleased' }>['data']['because'],
): readonly ScheduleEvent[] => {
  if (hold === undefined || hold.over) return [];
  const { accountId, offerId } = hold;
  const { providerId } = dayOfSlot(slotId);
  const of = { providerId, slotId, startTime, accountId, ...(offerId === undefined ? {} : { offerId }) };
  const expired = Date.parse(hold.until) <= now.getTime();
  const data = { ...of, at: now.toISOString(), because: expired ? ('expired' as const) : because };
  return [{ type: 'SlotHoldReleased', data }];
};

/** How long the account has held the slot before now without a rest, and since when it does so. */
const spent = (own: Hold | undefined, now: Date): { readonly usedSeconds: number; readonly heldAt: string } => {
  if (own === undefined || seconds(own.until, now.toISOString()) >= REST_SECONDS)
    return { usedSeconds: 0, heldAt: now.toISOString() };
  if (isLive(own, now)) return { usedSeconds: own.usedSeconds, heldAt: own.since };
  return { usedSeconds: own.usedSeconds + Math.ceil(seconds(own.since, own.until)), heldAt: now.toISOString() };
};

/**
 * What comes of somebody's wish to hold a slot: the hold, or a longer one, behind the release of another slot that he
 * holds on the same day. Nothing, when he holds it for as long as he can already.
 */
export const judgeHold = (
  slotId: string,
  state: Schedule,
  { actor, now, facts }: { readonly actor: Actor; readonly now: Date; readonly facts: HoldingFacts },
): readonly ScheduleEvent[] | Rejection => {
  const { providerId } = dayOfSlot(slotId);
  const accountId = actor.id;
  const refusal = refuseKeeping(state, { slotId, accountId, now, facts });
  const slot = state.slots[slotId];
  if (refusal !== undefined) return refusal;
  if (slot === undefined) return [];
  const own = slot.hold?.accountId === accountId ? slot.hold : undefined;
  const live = isLive(own, now);
  if (live && own?.offerId !== undefined) return [];
  const { usedSeconds, heldAt } = spent(own, now);
  const left = MOST_SECONDS - usedSeconds;
  if (!live && left < LEAST_SECONDS)
    return {
      ...reject(
        'CONFLICT',
        'hold-used-up',
        'You have held this slot long enough; book it, or choose another',
        'slotId',
      ),
      retryAfter: Math.ceil(REST_SECONDS - seconds(own?.until ?? '', now.toISOString())),
    };
  const until = earlier(later(now, HOLD_SECONDS), later(heldAt, left));
  if (live && seconds(own?.until ?? until, until) < GAIN_SECONDS) return [];
  const others = Object.entries(state.slots).filter(
    ([id, { hold }]) =>
      id !== slotId && hold?.accountId === accountId && hold.offerId === undefined && isLive(hold, now),
  );
  const data = { providerId, slotId, startTime: slot.startTime, accountId, heldAt, until, usedSeconds };
  return [...others.flatMap((other) => released(other, now, 'another-slot')), { type: 'SlotHeld', data }];
};

/**
 * Holds a free slot for a client while he fills in the form: for two minutes, and by renewing for six. One slot of a day
 * at a time: holding another lets the first go.
 */
export const holdSlot = command(
  'HoldSlot',
  z.object({ slotId: slotIdField }),
  ({ slotId }, state, context: Context<HoldingFacts>) => judgeHold(slotId, state, context),
);

/** Lets a slot go that one holds. */
export const releaseSlotHold = command(
  'ReleaseSlotHold',
  z.object({ slotId: slotIdField }),
  ({ slotId }, { slots }, { actor, now }) => {
    const slot = slots[slotId];
    if (slot?.hold?.accountId !== actor.id || slot.hold.offerId !== undefined)
      return reject('NOT_FOUND', 'hold-unknown', 'You do not hold this slot');
    return released([slotId, slot], now, 'given-up');
  },
);

/** Notes that a hold has run out; nothing when it was renewed, or ended otherwise. */
export const expireSlotHold = command(
  'ExpireSlotHold',
  z.object({ slotId: slotIdField, accountId: uuid }),
  ({ slotId, accountId }, { slots }, { now }) => {
    const slot = slots[slotId];
    if (slot?.hold?.accountId !== accountId) return [];
    const due = new Date(now.getTime() + EARLY_MS);
    return isLive(slot.hold, due) ? [] : released([slotId, slot], now, 'expired');
  },
);

const offer = { slotId: slotIdField, offerId: uuid };

/** Holds a free slot for somebody on the waiting list whom it is offered to. */
export const holdForOffer = command(
  'HoldForOffer',
  z.object({ ...offer, accountId: uuid, until: instant }),
  ({ slotId, offerId, accountId, until }, state, { now, facts }: Context<HoldingFacts>) => {
    const slot = state.slots[slotId];
    if (slot?.hold?.offerId === offerId) return [];
    const refusal = refuseHeld(slot, [], now) ?? refuseKeeping(state, { slotId, accountId, now, facts });
    if (refusal !== undefined || slot === undefined) return refusal ?? [];
    const { providerId } = dayOfSlot(slotId);
    const of = { providerId, slotId, startTime: slot.startTime, accountId, offerId };
    return [{ type: 'SlotHeld', data: { ...of, heldAt: now.toISOString(), until, usedSeconds: 0 } }];
  },
);

/** Lets a slot go whose offer has ended before its deadline. */
export const releaseOfferHold = command(
  'ReleaseOfferHold',
  z.object(offer),
  ({ slotId, offerId }, { slots }, { now }) => {
    const slot = slots[slotId];
    return slot?.hold?.offerId === offerId ? released([slotId, slot], now, 'offer-ended') : [];
  },
);
