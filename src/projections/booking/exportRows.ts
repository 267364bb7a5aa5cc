import { type Kysely, sql } from 'kysely';
import type { ReadModels } from '../index.ts';
import { type AppointmentStatus, type NamedAppointment, names, withNames } from './appointments.ts';

/** Appointments read at a time: what a file in the making keeps in memory. */
const PAGE = 1_000;

/** Which appointments go into a file: their starts, instants, half-open. */
export type ExportSpan = {
  readonly providerId: string;
  readonly from: string;
  readonly to: string;
  readonly status?: AppointmentStatus | undefined;
};

/** The appointments of a provider page by page in order of their starts, however many there are. */
export async function* exportedAppointments(
  db: Kysely<ReadModels>,
  { providerId, from, to, status }: ExportSpan,
): AsyncGenerator<readonly NamedAppointment[]> {
  let last: NamedAppointment | undefined;
  for (;;) {
    const rows: NamedAppointment[] = await withNames(db)
      .selectAll('appointment')
      .select(names)
      .where('appointment.provider_id', '=', providerId)
      .where('appointment.start_time', '>=', last?.start_time ?? from)
      .where('appointment.start_time', '<', to)
      .$if(status !== undefined, (query) => query.where('appointment.status', '=', status ?? 'SCHEDULED'))
      .$if(last !== undefined, (query) =>
        query.where(
          sql<boolean>`(appointment.start_time, appointment.end_time, appointment.appointment_id)
            > (${last?.start_time}::timestamptz, ${last?.end_time}::timestamptz, ${last?.appointment_id}::text)`,
        ),
      )
      .orderBy('appointment.start_time')
      .orderBy('appointment.end_time')
      .orderBy('appointment.appointment_id')
      .limit(PAGE)
      .execute();
    if (rows.length > 0) yield rows;
    last = rows.at(-1);
    if (rows.length < PAGE) return;
  }
}

/** How many they are. */
export const countExported = async (
  db: Kysely<ReadModels>,
  { providerId, from, to, status }: ExportSpan,
): Promise<number> => {
  const { count } = await db
    .selectFrom('appointments')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('provider_id', '=', providerId)
    .where('start_time', '>=', from)
    .where('start_time', '<', to)
    .$if(status !== undefined, (query) => query.where('status', '=', status ?? 'SCHEDULED'))
    .executeTakeFirstOrThrow();
  return Number(count);
};
