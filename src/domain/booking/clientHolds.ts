import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';
import { instant, uuid } from '../fields.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  HoldAllowed: z.object({
    accountId: z.string(),
    day: z.string().describe('Provider and date: at most one slot of it is held'),
    at: z.string(),
    until: z.string().describe('From then on it counts no longer'),
  }),
  HoldReturned: z.object({ accountId: z.string(), day: z.string() }),
};
export type ClientHoldsEvent = EventOf<typeof events>;

/** The days of providers on which an account holds a slot, with the instant until which it does. */
export type ClientHolds = { readonly days: Readonly<Record<string, string>> };

/**
 * How many slots one account holds, with whichever providers; the stream's id is the account's. What is left behind by a
 * crash ends by the clock.
 */
export const clientHolds = decider<ClientHolds, ClientHoldsEvent>({
  category: 'clientHolds',
  events,
  initial: { days: {} },
  evolve: ({ days }, { type, data }) => {
    const others = Object.entries(days).filter(
      ([day, until]) => day !== data.day && (type === 'HoldReturned' || until > data.at),
    );
    const own = type === 'HoldAllowed' ? [[data.day, data.until] as const] : [];
    return { days: Object.fromEntries([...others, ...own]) };
  },
});
const command = commandsOf(clientHolds);

/** How many slots one account may hold at once. */
const MOST = 3;

const dayField = z.string().min(1).max(64);

/** Lets an account hold a slot of one more day, if it does not hold too many already. */
export const allowHold = command(
  'AllowHold',
  z.object({ accountId: uuid, day: dayField, until: instant }),
  ({ accountId, day, until }, { days }, { now }) => {
    const at = now.toISOString();
    const others = Object.entries(days).filter(([other, end]) => other !== day && end > at);
    if (others.length >= MOST)
      return reject('CONFLICT', 'too-many-holds', `Nobody holds more than ${MOST} slots at once`, 'slotId');
    return (days[day] ?? '') >= until ? [] : [{ type: 'HoldAllowed', data: { accountId, day, at, until } }];
  },
);

/** Takes note that an account holds no slot of a day any more. */
export const returnHold = command(
  'ReturnHold',
  z.object({ accountId: uuid, day: dayField }),
  ({ accountId, day }, { days }) =>
    days[day] === undefined ? [] : [{ type: 'HoldReturned', data: { accountId, day } }],
);

/**
 * Ends the waiting of an account that is closed. Adds nothing here: it is ended in the waiting list of each provider.
 */
export const leaveWaitingLists = command('LeaveWaitingLists', z.object({ accountId: uuid, before: instant }), () => []);
