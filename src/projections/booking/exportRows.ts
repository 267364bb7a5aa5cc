import { type Kysely, sql } from 'kysely';
import type { ReadModels } from '../index.ts';
import type { AppointmentRow, AppointmentStatus } from './appointments.ts';

/** Appointments read at a time: what a file in the making keeps in memory. */
const PAGE = 1_000;

/** Which appointments go into a file: their starts, instants, half-open. */
export type ExportSpan = {
  readonly providerId: string;
  readonly from: string;
  readonly to: string;
  readonly status?: AppointmentStatus | undefined;
};

/** What of an appointment goes into a file. */
const EXPORTED = [
  'appointment_id',
  'start_time',
  'end_time',
  'status',
  'outcome',
  'notes',
  'cancelled_by',
  'cancel_reason',
  'created_at',
] as const satisfies readonly (keyof AppointmentRow)[];

/** An appointment with the client's name and where to reach him, as far as there is somebody still. */
export type ExportedAppointment = Pick<AppointmentRow, (typeof EXPORTED)[number]> & {
  readonly client_name: string | null;
  readonly client_email: string | null;
  readonly client_phone: string | null;
};

/** The appointments of a provider page by page in order of their starts, however many there are. */
export async function* exportedAppointments(
  db: Kysely<ReadModels>,
  { providerId, from, to, status }: ExportSpan,
): AsyncGenerator<readonly ExportedAppointment[]> {
  let last: ExportedAppointment | undefined;
  for (;;) {
    const rows: ExportedAppointment[] = await db
      .selectFrom('appointments as appointment')
      .leftJoin('accounts as client', 'client.account_id', 'appointment.client_id')
      .select(EXPORTED.map((column) => `appointment.${column}` as const))
      .select(['client.display_name as client_name', 'client.email as client_email'])
      .select('client.phone_number as client_phone')
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
