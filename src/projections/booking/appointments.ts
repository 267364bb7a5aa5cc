import { type Kysely, sql } from 'kysely';
import type { Party } from '../../domain/booking/schedule/index.ts';
import type { ReadModels } from '../index.ts';
import { instant, integer, json, nullable, projection, type RowOf, text, uuid, word } from '../projection.ts';

/** One entry of an appointment's own history. */
export type HistoryEntry = {
  readonly version: number;
  readonly event: string;
  readonly at: string;
  readonly by: Party;
  readonly startTime?: string;
  readonly oldStartTime?: string;
};

/** The states of an appointment. */
export const APPOINTMENT_STATUS = ['SCHEDULED', 'COMPLETED', 'CANCELLED'] as const;
export type AppointmentStatus = (typeof APPOINTMENT_STATUS)[number];

const columns = {
  appointment_id: text,
  provider_id: uuid,
  client_id: uuid,
  slot_id: text,
  start_time: instant,
  end_time: instant,
  status: word<AppointmentStatus>(),
  notes: nullable(text),
  timezone: nullable(text),
  booked_by: word<Party>(),
  outcome: nullable(word<'attended' | 'no_show'>()),
  cancelled_by: nullable(word<Party>()),
  cancel_reason: nullable(text),
  version: integer,
  history: json<readonly HistoryEntry[]>(),
  created_at: instant,
  updated_at: instant,
};
export type AppointmentRow = RowOf<typeof columns>;

const next = (
  row: AppointmentRow,
  event: string,
  at: string,
  by: Party,
  times: Pick<HistoryEntry, 'startTime' | 'oldStartTime'> = {},
): AppointmentRow => {
  const version = row.version + 1;
  return { ...row, version, updated_at: at, history: [...row.history, { version, event, at, by, ...times }] };
};

/** Every appointment as it stands, with its history without personal fields. */
export const appointments = projection({
  name: 'appointments',
  version: 3,
  columns,
  key: { column: 'appointment_id', of: ({ data }) => data.appointmentId },
  erasure: { column: 'client_id', row: (row) => ({ ...row, notes: null, cancel_reason: null }) },
  // Every list is counted and leafed through in an index alone: each holds all that filters and orders it.
  indexes: [
    ...['client_id', 'provider_id'].flatMap((whose) => [
      [whose, 'start_time', 'end_time', 'appointment_id'],
      [whose, 'status', 'start_time', 'end_time', 'appointment_id'],
      [whose, 'created_at', 'start_time', 'appointment_id'],
    ]),
    // What happened last to a provider's appointments.
    ['provider_id', 'updated_at desc'],
  ],
  fold: {
    AppointmentBooked: (_row, { type, data, recordedAt }): AppointmentRow => ({
      appointment_id: data.appointmentId,
      provider_id: data.providerId,
      client_id: data.clientId,
      slot_id: data.slotId,
      start_time: data.startTime,
      end_time: data.endTime,
      status: 'SCHEDULED',
      notes: data.notes,
      timezone: data.timezone,
      booked_by: data.bookedBy,
      outcome: null,
      cancelled_by: null,
      cancel_reason: null,
      version: 0,
      history: [{ version: 0, event: type, at: recordedAt, by: data.bookedBy, startTime: data.startTime }],
      created_at: recordedAt,
      updated_at: recordedAt,
    }),
    AppointmentRescheduled: (row, { type, data, recordedAt }) =>
      row && {
        ...next(row, type, recordedAt, data.by, { startTime: data.startTime, oldStartTime: data.oldStartTime }),
        slot_id: data.toSlotId,
        start_time: data.startTime,
        end_time: data.endTime,
      },
    AppointmentNotesUpdated: (row, { type, data, recordedAt }) =>
      row && { ...next(row, type, recordedAt, data.by), notes: data.notes },
    AppointmentCancelled: (row, { type, data, recordedAt }): AppointmentRow | undefined =>
      row && {
        ...next(row, type, recordedAt, data.by),
        status: 'CANCELLED',
        cancelled_by: data.by,
        cancel_reason: data.reason,
      },
    AppointmentCompleted: (row, { type, data, recordedAt }): AppointmentRow | undefined =>
      row && { ...next(row, type, recordedAt, data.by), status: 'COMPLETED', outcome: data.outcome },
  },
});
/** Appointments beside what is known of both sides. */
export const withNames = (db: Kysely<ReadModels>) =>
  db
    .selectFrom('appointments as appointment')
    .leftJoin('provider_profiles as provider', 'provider.provider_id', 'appointment.provider_id')
    .leftJoin('accounts as client', 'client.account_id', 'appointment.client_id')
    .leftJoin('calendar_syncs as client_calendar', (join) =>
      join.on('client_calendar.sync_id', '=', sql<string>`appointment.appointment_id || '~client'`),
    )
    .leftJoin('calendar_syncs as provider_calendar', (join) =>
      join.on('provider_calendar.sync_id', '=', sql<string>`appointment.appointment_id || '~provider'`),
    );

/** Names and places of both sides. */
export const names = [
  'provider.display_name as provider_name',
  'provider.timezone as provider_timezone',
  'provider.meeting_link',
  'provider.location',
  'client.display_name as client_name',
  'client.email as client_email',
  'client.phone_number as client_phone',
  'client_calendar.status as client_calendar',
  'client_calendar.event_id as client_event',
  'provider_calendar.status as provider_calendar',
  'provider_calendar.event_id as provider_event',
] as const;

/** An appointment with the names of both sides. */
export const appointmentOf = (db: Kysely<ReadModels>, appointmentId: string) =>
  withNames(db)
    .selectAll('appointment')
    .select(names)
    .where('appointment.appointment_id', '=', appointmentId)
    .executeTakeFirst();
export type NamedAppointment = NonNullable<Awaited<ReturnType<typeof appointmentOf>>>;

/** Ids of the appointments of an account that are still to end, as client or provider, earliest first. */
export const upcomingIds = async (db: Kysely<ReadModels>, accountId: string, now: Date): Promise<readonly string[]> => {
  const of = (column: 'client_id' | 'provider_id') =>
    db
      .selectFrom('appointments')
      .select(['appointment_id', 'start_time'])
      .where(column, '=', accountId)
      .where('status', '=', 'SCHEDULED')
      .where('end_time', '>', now.toISOString())
      .execute();
  const [booked, given] = await Promise.all([of('client_id'), of('provider_id')]);
  return [...booked, ...given]
    .sort((a, b) => (a.start_time < b.start_time ? -1 : 1))
    .map(({ appointment_id }) => appointment_id);
};

/** Which appointments are wanted, in which order. `from` and `to` are instants, half-open. */
export type AppointmentFilter = {
  /** Whose: the client's own, or those in the provider's calendar. */
  readonly of: { readonly clientId: string } | { readonly providerId: string };
  readonly status?: AppointmentStatus | undefined;
  /** Those of this status are left out. */
  readonly without?: AppointmentStatus | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly when?: 'upcoming' | 'past' | undefined;
  readonly search?: string | undefined;
  readonly sort: 'startTime' | 'createdAt' | 'status';
  readonly order: 'asc' | 'desc';
  readonly now: Date;
  readonly limit: number;
  readonly offset: number;
};

const SORT = {
  startTime: 'appointment.start_time',
  createdAt: 'appointment.created_at',
  status: 'appointment.status',
} as const;

/** Offsets up to here are read from the front without knowing how many there are. */
const NEAR = 1_000;

/** A page of appointments and how many there are. `search` is literal: a client searches notes and the provider's name, a provider notes and the client's name and address. */
export const listAppointments = async (db: Kysely<ReadModels>, filter: AppointmentFilter) => {
  const { of, status, without, from, to, when, search, sort, order, now, limit, offset } = filter;
  const at = now.toISOString();
  const searched =
    'clientId' in of
      ? sql<string>`concat_ws(chr(10), appointment.notes, provider.display_name)`
      : sql<string>`concat_ws(chr(10), appointment.notes, client.display_name, client.email)`;
  const wanted = withNames(db)
    .where(
      'clientId' in of ? 'appointment.client_id' : 'appointment.provider_id',
      '=',
      'clientId' in of ? of.clientId : of.providerId,
    )
    .$if(status !== undefined, (query) => query.where('appointment.status', '=', status ?? 'SCHEDULED'))
    .$if(without !== undefined, (query) => query.where('appointment.status', '!=', without ?? 'CANCELLED'))
    .$if(from !== undefined, (query) => query.where('appointment.start_time', '>=', from ?? at))
    .$if(to !== undefined, (query) => query.where('appointment.start_time', '<', to ?? at))
    .$if(when === 'upcoming', (query) => query.where('appointment.end_time', '>', at))
    .$if(when === 'past', (query) => query.where('appointment.end_time', '<=', at))
    .$if(search !== undefined, (query) => query.where(sql<boolean>`strpos(lower(${searched}), lower(${search})) > 0`));

  const opposite = { asc: 'desc', desc: 'asc' } as const;
  /** So many after the first `skip` ones, counted from the end where `backwards`. Only their rows are read and named. */
  const read = (skip: number, take: number, backwards: boolean) => {
    const along = backwards ? opposite[order] : order;
    const ids = wanted
      .select('appointment.appointment_id')
      .orderBy(SORT[sort], along)
      .orderBy('appointment.start_time', along)
      .orderBy('appointment.appointment_id', backwards ? 'desc' : 'asc')
      .limit(take)
      .offset(skip);
    return withNames(db)
      .selectAll('appointment')
      .select(names)
      .where('appointment.appointment_id', 'in', ids)
      .orderBy(SORT[sort], order)
      .orderBy('appointment.start_time', order)
      .orderBy('appointment.appointment_id')
      .execute();
  };
  const counted = wanted.select(({ fn }) => fn.countAll<string>().as('total')).executeTakeFirstOrThrow();
  if (offset <= NEAR) {
    const [items, { total }] = await Promise.all([read(offset, limit, false), counted]);
    return { items, total };
  }
  const { total } = await counted;
  const left = Math.max(0, Number(total) - offset);
  const take = Math.min(limit, left);
  if (take === 0) return { items: [], total };
  const behind = left - take;
  return { items: await (behind < offset ? read(behind, take, true) : read(offset, take, false)), total };
};
