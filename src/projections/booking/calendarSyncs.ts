import { type Kysely, sql } from 'kysely';
import { type CalendarStatus, calendarSyncId, type SyncParty } from '../../domain/booking/calendarSync.ts';
import type { ReadModels } from '../index.ts';
import { instant, nullable, projection, type RowOf, text, uuid, word } from '../projection.ts';

const columns = {
  sync_id: text,
  appointment_id: text,
  party: word<SyncParty>(),
  account_id: uuid,
  status: word<CalendarStatus>(),
  /** Where the event lies; null while there is none. */
  integration_id: nullable(uuid),
  event_id: nullable(text),
  last_error: nullable(text),
  last_sync_at: nullable(instant),
  updated_at: instant,
};
export type CalendarSyncRow = RowOf<typeof columns>;

type Of = Pick<CalendarSyncRow, 'party'> & { readonly appointmentId: string; readonly accountId: string };

const begun = ({ appointmentId, party, accountId }: Of, at: string): CalendarSyncRow => ({
  sync_id: calendarSyncId({ appointmentId, party }),
  appointment_id: appointmentId,
  party,
  account_id: accountId,
  status: 'pending',
  integration_id: null,
  event_id: null,
  last_error: null,
  last_sync_at: null,
  updated_at: at,
});

/** How appointments stand in the calendars of their parties. */
export const calendarSyncs = projection({
  name: 'calendar_syncs',
  version: 1,
  columns,
  key: { column: 'sync_id', of: ({ data }) => calendarSyncId(data) },
  indexes: [
    ['account_id', 'status', 'last_sync_at desc'],
    ['integration_id', 'sync_id'],
  ],
  fold: {
    CalendarEventSynced: (row, { data, recordedAt }): CalendarSyncRow => {
      const removed = data.operation === 'delete';
      return {
        ...(row ?? begun(data, recordedAt)),
        status: removed ? 'removed' : 'synced',
        integration_id: removed ? null : data.integrationId,
        event_id: removed ? null : data.googleEventId,
        last_error: null,
        last_sync_at: recordedAt,
        updated_at: recordedAt,
      };
    },
    CalendarSyncFailed: (row, { data, recordedAt }): CalendarSyncRow => ({
      ...(row ?? begun(data, recordedAt)),
      status: data.final ? 'failed' : 'pending',
      last_error: data.error,
      updated_at: recordedAt,
    }),
    CalendarSyncPostponed: (row, { data, recordedAt }): CalendarSyncRow => ({
      ...(row ?? begun(data, recordedAt)),
      status: 'pending',
      updated_at: recordedAt,
    }),
    CalendarSyncSkipped: (row, { data, recordedAt }): CalendarSyncRow => ({
      ...(row ?? begun(data, recordedAt)),
      status: 'skipped',
      last_error: null,
      updated_at: recordedAt,
    }),
    CalendarSyncRequested: (row, { data, recordedAt }): CalendarSyncRow => ({
      ...(row ?? begun(data, recordedAt)),
      status: 'pending',
      updated_at: recordedAt,
    }),
  },
});

/** What lies in the calendar that an integration opens, as far as this service wrote it. */
export const eventsWrittenBy = async (db: Kysely<ReadModels>, integrationId: string) => {
  const rows = await db
    .selectFrom('calendar_syncs')
    .select(['appointment_id', 'party', 'event_id'])
    .where('integration_id', '=', integrationId)
    .orderBy('sync_id')
    .execute();
  return rows.flatMap(({ appointment_id: appointmentId, party, event_id: eventId }) =>
    eventId === null ? [] : [{ appointmentId, party, eventId }],
  );
};

/** How many appointments of an account are not in its calendar although they should be, and when one was last brought there. */
export const syncFigures = async (db: Kysely<ReadModels>, accountId: string) => {
  const { failures, last_sync_at } = await db
    .selectFrom('calendar_syncs')
    .select([
      sql<string>`count(*) filter (where status = 'failed')`.as('failures'),
      ({ fn }) => fn.max('last_sync_at').as('last_sync_at'),
    ])
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  return { failures: Number(failures), lastSyncAt: last_sync_at };
};
