import { type Kysely, sql } from 'kysely';
import type { ReadModels } from '../index.ts';
import { type AppointmentStatus, type HistoryEntry, names, withNames } from './appointments.ts';

/** How many appointments there are of each status. */
export type StatusCounts = Readonly<Record<AppointmentStatus, number>>;

type Whose = { readonly clientId: string } | { readonly providerId: string };
/** Instants, half-open. */
type Span = { readonly from: string; readonly to: string };

/** Appointments by status, all of them or those that begin in a span. */
export const countByStatus = async (db: Kysely<ReadModels>, of: Whose, span?: Span): Promise<StatusCounts> => {
  const rows = await db
    .selectFrom('appointments')
    .select(['status', ({ fn }) => fn.countAll<string>().as('count')])
    .$if('clientId' in of, (query) => query.where('client_id', '=', 'clientId' in of ? of.clientId : ''))
    .$if('providerId' in of, (query) => query.where('provider_id', '=', 'providerId' in of ? of.providerId : ''))
    .$if(span !== undefined, (query) =>
      query.where('start_time', '>=', span?.from ?? '').where('start_time', '<', span?.to ?? ''),
    )
    .groupBy('status')
    .execute();
  const counted = Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)]));
  return { SCHEDULED: 0, COMPLETED: 0, CANCELLED: 0, ...counted };
};

/** Appointments of a provider that were cancelled since an instant: the last that happens to any of them. */
export const countCancelledSince = async (
  db: Kysely<ReadModels>,
  providerId: string,
  since: string,
): Promise<number> => {
  const { count } = await db
    .selectFrom('appointments')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('provider_id', '=', providerId)
    .where('status', '=', 'CANCELLED')
    .where('updated_at', '>=', since)
    .executeTakeFirstOrThrow();
  return Number(count);
};

/** One thing that happened to an appointment. */
export type Change = HistoryEntry & { readonly appointmentId: string; readonly clientName: string | null };

/** What has happened to the appointments of a provider lately, the newest first. */
export const latestChanges = async (
  db: Kysely<ReadModels>,
  providerId: string,
  limit: number,
): Promise<readonly (Change & { readonly startTime: string })[]> => {
  // An appointment whose last change is older than those of so many others has none among the newest.
  const rows = await withNames(db)
    .select(['appointment.appointment_id', 'appointment.start_time', 'appointment.history'])
    .select(names)
    .where('appointment.provider_id', '=', providerId)
    .orderBy('appointment.updated_at', 'desc')
    .orderBy('appointment.appointment_id')
    .limit(limit)
    .execute();
  return rows
    .flatMap(({ appointment_id: appointmentId, start_time, client_name: clientName, history }) =>
      history.map((entry) => ({ ...entry, appointmentId, clientName, startTime: entry.startTime ?? start_time })),
    )
    .sort((a, b) => (a.at === b.at ? b.version - a.version : a.at < b.at ? 1 : -1))
    .slice(0, limit);
};

/** When people come, by the clock of a zone: the weekday (1 is Monday) and the hour with most appointments not cancelled. */
export type Peak = { readonly weekday: number | null; readonly hour: number | null };

/** The weekday and the hour of most starts; the earlier one of equals, null without any. */
export const peakOf = async (
  db: Kysely<ReadModels>,
  providerId: string,
  { from, to }: Span,
  zone: string,
): Promise<Peak> => {
  const most = async (field: 'isodow' | 'hour'): Promise<number | null> => {
    const { rows } = await sql<{ value: number }>`
      select extract(${sql.raw(field)} from start_time at time zone ${zone})::int as value
      from appointment_figures
      where provider_id = ${providerId} and start_time >= ${from} and start_time < ${to} and status <> 'CANCELLED'
      group by 1 order by count(*) desc, 1 limit 1`.execute(db);
    return rows[0]?.value ?? null;
  };
  const [weekday, hour] = await Promise.all([most('isodow'), most('hour')]);
  return { weekday, hour };
};

/** Clients with an appointment that was not cancelled in the span, and how many of them have more than one. */
export const returningClients = async (
  db: Kysely<ReadModels>,
  providerId: string,
  { from, to }: Span,
): Promise<{ readonly clients: number; readonly repeatClients: number }> => {
  const { rows } = await sql<{ clients: number; repeatClients: number }>`
    select count(*)::int as clients, (count(*) filter (where times > 1))::int as "repeatClients"
    from (select count(*) as times from appointment_figures
          where provider_id = ${providerId} and start_time >= ${from} and start_time < ${to} and status <> 'CANCELLED'
          group by client_id) each_client`.execute(db);
  return rows[0] ?? { clients: 0, repeatClients: 0 };
};
