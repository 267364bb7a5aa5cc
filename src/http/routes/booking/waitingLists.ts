import { z } from 'zod';
import { Ending } from '../../../domain/booking/waitingList/index.ts';
import { providerProfiles } from '../../../projections/booking/providerProfiles.ts';
import { type ListedWaiting, listWaiting, waitingEntries } from '../../../projections/booking/waitingEntries.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { listAnswer, offsetOf, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { accountOf } from '../../request.ts';
import { ownProfile } from './ownProfile.ts';
import { localTime } from './views.ts';

const Offer = z.object({
  offerId: z.string(),
  slotId: z.string(),
  startTime: z.string(),
  endTime: z.string(),
  localStart: z.string().describe('By the clock of the provider'),
  until: z.string().describe('Until then the slot is held for whoever it is offered to'),
});

const Waiting = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  status: z.enum(['waiting', 'offered', 'ended']),
  place: z.int().nullable().describe('In the line of the provider; 1 is asked first'),
  joinedAt: z.string(),
  endedBecause: Ending.nullable(),
  endedAt: z.string().nullable(),
  offer: Offer.nullable(),
});
const OwnWaiting = Waiting.extend({ providerId: z.string(), providerName: z.string() });
const ListedClient = Waiting.extend({
  client: z.object({ id: z.string(), name: z.string().nullable(), email: z.string().nullable() }),
});

/** An offer that counts at a moment: what its deadline has passed is none, whether or not its end is stored. */
const offerOf = (row: ListedWaiting, now: Date): z.output<typeof Offer> | null => {
  const { offer_id: offerId, slot_id: slotId, start_time: startTime, end_time: endTime, offered_until: until } = row;
  if (offerId === null || slotId === null || startTime === null || endTime === null || until === null) return null;
  if (until <= now.toISOString()) return null;
  return {
    offerId,
    slotId,
    startTime,
    endTime,
    localStart: localTime(startTime, row.provider_timezone ?? 'UTC'),
    until,
  };
};

const waitingView = (row: ListedWaiting, now: Date): z.output<typeof Waiting> => {
  const offer = offerOf(row, now);
  return {
    id: row.entry_id,
    from: row.from_date,
    to: row.to_date,
    status: row.ended_at === null ? (offer === null ? 'waiting' : 'offered') : 'ended',
    place: row.ended_at === null ? Number(row.place) : null,
    joinedAt: row.joined_at,
    endedBecause: row.ended_because,
    endedAt: row.ended_at,
    offer,
  };
};

const filters = z.object({ ...page(), status: z.enum(['open', 'ended']).default('open') });

/** Who waits for a slot: one's own entries, and those in a provider's list. */
export const waitingListRoutes = (app: App, { db, commands }: Deps): void => {
  app.get(
    '/appointments/waiting-list',
    {
      config: { access: 'loggedIn', reads: [waitingEntries, providerProfiles] },
      schema: {
        summary: 'What you wait for, and what is offered to you',
        querystring: filters,
        response: { 200: listAnswer('items', OwnWaiting) },
      },
    },
    async (request) => {
      const { query } = request;
      const of = { accountId: accountOf(request) };
      const { items, total } = await listWaiting(db, {
        ...{ of, ended: query.status === 'ended', limit: query.limit },
        offset: offsetOf(query),
      });
      const now = commands.reads.now();
      const entries = items.map((row) => ({
        ...waitingView(row, now),
        providerId: row.provider_id,
        providerName: row.provider_name ?? '',
      }));
      return paginated('items', entries, total, query);
    },
  );

  app.get(
    '/provider/waiting-list',
    {
      config: { access: 'read:provider-appointments', reads: [waitingEntries, providerProfiles, accounts] },
      schema: {
        summary: 'Who waits for a slot of yours',
        querystring: filters,
        response: { 200: listAnswer('items', ListedClient) },
      },
    },
    async (request) => {
      const { query } = request;
      const { provider_id: providerId } = await ownProfile(db, accountOf(request));
      const { items, total } = await listWaiting(db, {
        ...{ of: { providerId }, ended: query.status === 'ended', limit: query.limit },
        offset: offsetOf(query),
      });
      const now = commands.reads.now();
      const entries = items.map((row) => ({
        ...waitingView(row, now),
        client: { id: row.account_id, name: row.client_name, email: row.client_email },
      }));
      return paginated('items', entries, total, query);
    },
  );
};
