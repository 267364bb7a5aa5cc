import { dumbo } from '@event-driven-io/dumbo';
import {
  getPostgreSQLEventStore,
  pongoMultiStreamProjection,
  rebuildPostgreSQLProjections,
} from '@event-driven-io/emmett-postgresql';
import type { PongoDocument } from '@event-driven-io/pongo';
import pg from 'pg';
import { appointments } from '../../src/projections/booking/appointments.ts';
import { days, EVENTS_A_DAY, PHASES } from '../past.ts';

/** Messages that emmett takes at a time: more per read of its log than its own 100, which would only add pauses. */
const BATCH = 1_000;

type Document = PongoDocument;
type Booked = { readonly type: string; readonly data: Document };
type Fold = (row: Document | undefined, event: unknown, key: string) => Document | undefined;

/** Writes the same past as Convene's into emmett's log, in the clear: it knows no sealed fields. Returns the events written. */
export async function writePast(connectionString: string, events: number): Promise<number> {
  const store = getPostgreSQLEventStore(connectionString);
  await store.schema.migrate();
  const past = days(Math.max(1, Math.round(events / EVENTS_A_DAY)));
  for (let phase = 0; phase < PHASES; phase++)
    for (const { stream, phase: of } of past) await store.appendToStream(stream, [...of(phase)]);
  await store.close();
  return past.length * EVENTS_A_DAY;
}

/**
 * Rebuilds the documents of all appointments into a fresh collection with emmett's projector, by the fold of Convene's own
 * projection. Returns the seconds it took and the documents there are.
 */
export async function rebuildDocuments(
  connectionString: string,
  collectionName: string,
): Promise<{ readonly seconds: number; readonly rows: number }> {
  const pool = new pg.Pool({ connectionString, max: 10 });
  const folds = appointments.fold as unknown as Readonly<Record<string, Fold>>;
  const projection = pongoMultiStreamProjection<Document, Booked>({
    collectionName,
    canHandle: Object.keys(folds),
    getDocumentId: ({ data }) => String(data.appointmentId),
    evolve: (document: Document | null, { type, data }: Booked) => {
      const event = { type, data, recordedAt: '2026-01-01T00:00:00.000Z' };
      return folds[type]?.(document ?? undefined, event, String(data.appointmentId)) ?? null;
    },
  });
  const consumer = rebuildPostgreSQLProjections({
    connectionString,
    pool: dumbo({ connectionString, pool }),
    projections: [projection],
    pulling: { batchSize: BATCH, pullingFrequencyInMs: 0 },
  });
  const since = performance.now();
  await consumer.start();
  const seconds = (performance.now() - since) / 1000;
  const { rows } = await pool.query<{ count: string }>(`select count(*) from "${collectionName}"`);
  await consumer.close();
  await pool.end();
  return { seconds, rows: Number(rows[0]?.count) };
}
