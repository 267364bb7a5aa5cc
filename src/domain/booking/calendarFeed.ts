import { z } from 'zod';
import { type Context, commandsOf, decider, type EventOf, secret } from '../decider.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  CalendarFeedOpened: z
    .object({
      accountId: z.string(),
      secretHash: secret(z.string()).describe('Keyed hash of the secret in the address'),
      at: z.string(),
    })
    .describe('The address before, if there was one, leads nowhere any more'),
  CalendarFeedClosed: z.object({ accountId: z.string() }),
};
export type CalendarFeedEvent = EventOf<typeof events>;

/** The address at which an account's appointments can be subscribed to; one at a time. */
export type CalendarFeed = { readonly open?: { readonly secretHash: string; readonly since: string } };

/** The feed of one account; the stream's id is the account's. */
export const calendarFeed = decider<CalendarFeed, CalendarFeedEvent>({
  category: 'calendarFeed',
  events,
  initial: {},
  evolve: (_state, { type, data }) =>
    type === 'CalendarFeedOpened' ? { open: { secretHash: data.secretHash, since: data.at } } : {},
});
const command = commandsOf(calendarFeed);

/** What is kept of a secret that is shown once and known to nobody afterwards. */
export type FeedFacts = { readonly secretHash: string };

/** Makes an address to subscribe to the own appointments at, in place of the one before. */
export const openCalendarFeed = command(
  'OpenCalendarFeed',
  z.object({}),
  (_input, _state, { actor, now, facts: { secretHash } }: Pick<Context<FeedFacts>, 'actor' | 'now' | 'facts'>) => [
    { type: 'CalendarFeedOpened', data: { accountId: actor.id, secretHash, at: now.toISOString() } },
  ],
);

/** Takes the address back: whoever knows it sees nothing from now on. */
export const closeCalendarFeed = command('CloseCalendarFeed', z.object({}), (_input, { open }, { actor }) =>
  open === undefined ? [] : [{ type: 'CalendarFeedClosed', data: { accountId: actor.id } }],
);
