import type { Kysely } from 'kysely';
import type { Hours } from '../../domain/booking/grid.ts';
import {
  DEFAULT_ADVANCE_DAYS,
  DEFAULT_NOTICE_MINUTES,
  type ReasonedException,
} from '../../domain/booking/provider/index.ts';
import type { ReadModels } from '../index.ts';
import { boolean, instant, integer, json, nullable, projection, type RowOf, text, uuid } from '../projection.ts';

/** Who gives appointments, how he presents himself, and when he works. */
export const providerProfiles = projection({
  name: 'provider_profiles',
  version: 3,
  columns: {
    provider_id: uuid,
    display_name: text,
    bio: nullable(text),
    timezone: text,
    meeting_link: nullable(text),
    location: nullable(text),
    price_cents: nullable(integer),
    currency: nullable(text),
    active: boolean,
    weekly: json<readonly Hours[]>(),
    min_notice_minutes: integer,
    max_advance_days: integer,
    buffer_minutes: integer,
    cancel_cutoff_minutes: integer,
    move_cutoff_minutes: integer,
    exceptions: json<readonly ReasonedException[]>(),
    version: integer,
    created_at: instant,
  },
  key: { column: 'provider_id', of: ({ data }) => data.providerId },
  // Providers have the id of their account.
  erasure: {
    column: 'provider_id',
    row: (row) => ({
      ...row,
      ...{ display_name: 'deleted user', bio: null, meeting_link: null, location: null, exceptions: [] },
    }),
  },
  indexes: [['active', 'display_name']],
  fold: {
    ProviderProfileCreated: (_row, { data, recordedAt }) => ({
      provider_id: data.providerId,
      display_name: data.displayName,
      bio: data.bio,
      timezone: data.timezone,
      meeting_link: data.meetingLink,
      location: data.location,
      price_cents: data.priceCents,
      currency: data.currency,
      active: true,
      weekly: [],
      min_notice_minutes: DEFAULT_NOTICE_MINUTES,
      max_advance_days: DEFAULT_ADVANCE_DAYS,
      ...{ buffer_minutes: 0, cancel_cutoff_minutes: 0, move_cutoff_minutes: 0 },
      exceptions: [],
      version: 0,
      created_at: recordedAt,
    }),
    ProviderProfileUpdated: (row, { data }) =>
      row && {
        ...row,
        display_name: data.displayName,
        bio: data.bio,
        timezone: data.timezone,
        meeting_link: data.meetingLink,
        location: data.location,
        price_cents: data.priceCents,
        currency: data.currency,
        version: row.version + 1,
      },
    ProviderDeactivated: (row) => row && { ...row, active: false, version: row.version + 1 },
    ProviderActivated: (row) => row && { ...row, active: true, version: row.version + 1 },
    AvailabilitySet: (row, { data }) =>
      row && {
        ...row,
        timezone: data.timezone,
        weekly: data.weekly,
        min_notice_minutes: data.minNoticeMinutes,
        max_advance_days: data.maxAdvanceDays,
        buffer_minutes: data.bufferMinutes ?? 0,
        cancel_cutoff_minutes: data.cancelCutoffMinutes ?? 0,
        move_cutoff_minutes: data.moveCutoffMinutes ?? 0,
        version: row.version + 1,
      },
    AvailabilityExceptionAdded: (row, { data: { exceptionId, from, to, intervals, reason } }) =>
      row && {
        ...row,
        exceptions: [...row.exceptions, { exceptionId, from, to, intervals, reason }].sort((a, b) =>
          a.from < b.from ? -1 : 1,
        ),
        version: row.version + 1,
      },
    AvailabilityExceptionRemoved: (row, { data }) =>
      row && {
        ...row,
        exceptions: row.exceptions.filter(({ exceptionId }) => exceptionId !== data.exceptionId),
        version: row.version + 1,
      },
  },
});
export type ProviderProfileRow = RowOf<typeof providerProfiles.columns>;

/** The profile and availability of one provider. */
export const profileOf = (db: Kysely<ReadModels>, providerId: string) =>
  db.selectFrom('provider_profiles').selectAll().where('provider_id', '=', providerId).executeTakeFirst();

/** Active providers by name, those alone whose name or description holds `q`. */
export const directory = async (
  db: Kysely<ReadModels>,
  { q, limit, offset }: { readonly q?: string | undefined; readonly limit: number; readonly offset: number },
) => {
  const active = db
    .selectFrom('provider_profiles')
    .where('active', '=', true)
    .$if(q !== undefined, (query) =>
      query.where(({ eb, fn, val }) =>
        eb(
          fn<number>('strpos', [
            fn<string>('lower', [fn<string>('concat_ws', [val('\n'), 'display_name', 'bio'])]),
            fn<string>('lower', [val(q ?? '')]),
          ]),
          '>',
          0,
        ),
      ),
    );
  const [items, count] = await Promise.all([
    active
      .select(['provider_id', 'display_name', 'bio', 'timezone'])
      .orderBy('display_name')
      .orderBy('provider_id')
      .limit(limit)
      .offset(offset)
      .execute(),
    active.select(({ fn }) => fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
  ]);
  return { items, total: count.total };
};
