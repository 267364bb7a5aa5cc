import { type Kysely, sql } from 'kysely';
import type { Ending } from '../../domain/booking/waitingList/index.ts';
import type { ReadModels } from '../index.ts';
import { instant, nullable, position, projection, type RowOf, text, uuid, word } from '../projection.ts';

const columns = {
  entry_id: text,
  provider_id: uuid,
  account_id: uuid,
  /** Dates in the zone of the provider. */
  from_date: text,
  to_date: text,
  /** Where the entry lies in the log: the order of the line. */
  joined_position: position,
  joined_at: instant,
  /** Null while somebody waits. */
  ended_because: nullable(word<Ending>()),
  ended_at: nullable(instant),
  /** What is offered, if anything. */
  offer_id: nullable(uuid),
  slot_id: nullable(text),
  start_time: nullable(instant),
  end_time: nullable(instant),
  offered_until: nullable(instant),
};
type Row = RowOf<typeof columns>;

const NO_OFFER = { offer_id: null, slot_id: null, start_time: null, end_time: null, offered_until: null };

/** Who waits, or has waited, for a slot of which provider. */
export const waitingEntries = projection({
  name: 'waiting_entries',
  version: 1,
  columns,
  key: { column: 'entry_id', of: ({ data }) => data.entryId },
  indexes: [
    ['account_id', 'joined_position'],
    ['provider_id', 'joined_position'],
  ],
  fold: {
    WaitingListJoined: (_row, { data, position: place }): Row => ({
      entry_id: data.entryId,
      provider_id: data.providerId,
      account_id: data.accountId,
      from_date: data.from,
      to_date: data.to,
      joined_position: String(place),
      joined_at: data.joinedAt,
      ended_because: null,
      ended_at: null,
      ...NO_OFFER,
    }),
    WaitingListOffered: (row, { data }) =>
      row && {
        ...row,
        offer_id: data.offerId,
        slot_id: data.slotId,
        start_time: data.startTime,
        end_time: data.endTime,
        offered_until: data.until,
      },
    WaitingListOfferEnded: (row, { data }) => row && (row.offer_id === data.offerId ? { ...row, ...NO_OFFER } : row),
    WaitingListEnded: (row, { data }): Row | undefined =>
      row && { ...row, ...NO_OFFER, ended_because: data.because, ended_at: data.at },
  },
});

/** Ids of the providers for whom an account waits. */
export const providersWaitedFor = async (db: Kysely<ReadModels>, accountId: string): Promise<readonly string[]> => {
  const rows = await db
    .selectFrom('waiting_entries')
    .select('provider_id')
    .distinct()
    .where('account_id', '=', accountId)
    .where('ended_at', 'is', null)
    .execute();
  return rows.map(({ provider_id }) => provider_id);
};

/** Which entries are wanted: one's own or those of one's list, and whether those that have ended. */
export type WaitingFilter = {
  readonly of: { readonly accountId: string } | { readonly providerId: string };
  readonly ended: boolean;
  readonly limit: number;
  readonly offset: number;
};

/** Entries with the names of both sides and their place in the line; those that wait in order, ended ones latest first. */
export const listWaiting = async (db: Kysely<ReadModels>, { of, ended, limit, offset }: WaitingFilter) => {
  const wanted = db
    .selectFrom('waiting_entries as entry')
    .where(
      'accountId' in of ? 'entry.account_id' : 'entry.provider_id',
      '=',
      'accountId' in of ? of.accountId : of.providerId,
    )
    .where('entry.ended_at', ended ? 'is not' : 'is', null);
  const [items, count] = await Promise.all([
    wanted
      .leftJoin('provider_profiles as provider', 'provider.provider_id', 'entry.provider_id')
      .leftJoin('accounts as client', 'client.account_id', 'entry.account_id')
      .selectAll('entry')
      .select([
        'provider.display_name as provider_name',
        'provider.timezone as provider_timezone',
        'client.display_name as client_name',
        'client.email as client_email',
      ])
      .select(
        sql<string>`(select count(*) from waiting_entries as other where other.provider_id = entry.provider_id
          and other.ended_at is null and other.joined_position <= entry.joined_position)`.as('place'),
      )
      .orderBy('entry.joined_position', ended ? 'desc' : 'asc')
      .limit(limit)
      .offset(offset)
      .execute(),
    wanted.select(({ fn }) => fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
  ]);
  return { items, total: count.total };
};
export type ListedWaiting = Awaited<ReturnType<typeof listWaiting>>['items'][number];
