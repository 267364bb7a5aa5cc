import type { Kysely } from 'kysely';
import type { ExportedSpan, RequestedExport } from '../domain/booking/appointmentExport.ts';
import { dayEnd, dayStart } from '../domain/dates.ts';
import type { Position } from '../eventstore/port.ts';
import { appointments } from '../projections/booking/appointments.ts';
import {
  countExported,
  type ExportedAppointment,
  type ExportSpan,
  exportedAppointments,
} from '../projections/booking/exportRows.ts';
import type { CaughtUp } from '../projections/caughtUp.ts';
import type { ReadModels } from '../projections/index.ts';
import { CSV_START, csvLine } from './csv.ts';
import type { PrintedColumn } from './table.ts';

/** The media type of each kind of file. */
export const FILE_TYPES = { csv: 'text/csv; charset=utf-8', pdf: 'application/pdf' } as const;

const HEADINGS = [
  'date',
  'start',
  'end',
  'timezone',
  'client',
  'email',
  'phone',
  'status',
  'outcome',
  'notes',
  'cancelledBy',
  'cancelReason',
  'bookedAt',
  'appointmentId',
] as const;

const local = (instant: string, zone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.from(instant).toZonedDateTimeISO(zone);
const clock = (at: Temporal.ZonedDateTime): string => at.toPlainTime().toString({ smallestUnit: 'minute' });

const line = (row: ExportedAppointment, zone: string): string => {
  const start = local(row.start_time, zone);
  return csvLine([
    start.toPlainDate().toString(),
    clock(start),
    clock(local(row.end_time, zone)),
    zone,
    row.client_name,
    row.client_email,
    row.client_phone,
    row.status,
    row.outcome,
    row.notes,
    row.cancelled_by,
    row.cancel_reason,
    row.created_at,
    row.appointment_id,
  ]);
};

const COLUMNS: readonly PrintedColumn[] = [
  { title: 'Date', share: 10 },
  { title: 'Time', share: 10 },
  { title: 'Client', share: 18 },
  { title: 'Contact', share: 22 },
  { title: 'Status', share: 11 },
  { title: 'Notes', share: 29 },
];

const STATUS = { SCHEDULED: 'scheduled', COMPLETED: 'completed', CANCELLED: 'cancelled' } as const;
const statusOf = ({ status, outcome }: ExportedAppointment): string =>
  outcome === 'no_show' ? 'no-show' : STATUS[status];

const printed = (row: ExportedAppointment, zone: string): readonly string[] => {
  const start = local(row.start_time, zone);
  return [
    start.toPlainDate().toString(),
    `${clock(start)}–${clock(local(row.end_time, zone))}`,
    row.client_name ?? '',
    [row.client_email, row.client_phone].filter((each) => each !== null && each !== '').join('\n'),
    statusOf(row),
    row.notes ?? '',
  ];
};

const spanOf = ({ providerId, from, to, status, timezone }: ExportedSpan): ExportSpan => ({
  providerId,
  from: dayStart(from, timezone),
  to: dayEnd(to, timezone),
  status,
});

type Counting = { rows: number };

async function* csv(pages: AsyncIterable<readonly ExportedAppointment[]>, zone: string): AsyncGenerator<Buffer> {
  yield Buffer.from(CSV_START + csvLine(HEADINGS));
  for await (const rows of pages) yield Buffer.from(rows.map((row) => line(row, zone)).join(''));
}

/** A file of appointments as the read models have them now, in pieces: it is never in memory as a whole. */
export async function* appointmentFile(
  db: Kysely<ReadModels>,
  wanted: RequestedExport,
  counting: Counting = { rows: 0 },
): AsyncGenerator<Buffer> {
  const { format, from, to, timezone, at, providerId } = wanted;
  const pages = async function* () {
    for await (const rows of exportedAppointments(db, spanOf(wanted))) {
      counting.rows += rows.length;
      yield rows;
    }
  };
  if (format === 'csv') return yield* csv(pages(), timezone);
  const row = await db
    .selectFrom('provider_profiles')
    .select('display_name')
    .where('provider_id', '=', providerId)
    .executeTakeFirst();
  const lines = async function* () {
    for await (const rows of pages()) yield rows.map((each) => printed(each, timezone));
  };
  // Loaded where it is used: half a second of every start otherwise.
  const { printedTable } = await import('./table.ts');
  const subtitle = [row?.display_name ?? '', `${from} to ${to}`, timezone].filter((part) => part !== '').join(' · ');
  return yield* printedTable({ title: 'Appointments', subtitle, at: new Date(at) }, COLUMNS, lines());
}

/** The questions that bindings ask of files; answered by all that was stored before the call. */
export const exportLookups = ({
  db,
  head,
  caughtUp,
}: {
  readonly db: Kysely<ReadModels>;
  /** Where the log ends now. */
  readonly head: () => Promise<Position>;
  readonly caughtUp: CaughtUp;
}) => ({
  /** How many appointments a file would have now. */
  countExport: async (wanted: ExportedSpan): Promise<number> => {
    await caughtUp([appointments], await head());
    return countExported(db, spanOf(wanted));
  },
  /** What a file of appointments would come to now: how many, and bytes. */
  measureExport: async (wanted: RequestedExport): Promise<{ readonly rows: number; readonly fileSize: number }> => {
    await caughtUp([appointments], await head());
    const counting: Counting = { rows: 0 };
    let fileSize = 0;
    for await (const piece of appointmentFile(db, wanted, counting)) fileSize += piece.length;
    return { rows: counting.rows, fileSize };
  },
});
