import { type Kysely, sql } from 'kysely';
import type { ReadModels } from '../index.ts';

/** Over which span figures are wanted, and of which provider; all without one. Instants, half-open. */
export type BookingSpan = { readonly from: string; readonly to: string; readonly providerId?: string | undefined };
export type BucketSize = 'day' | 'week' | 'month';

type Counts = {
  readonly booked: number;
  readonly cancelled: number;
  readonly attended: number;
  readonly noShow: number;
};
type Offer = { readonly offered: number; readonly taken: number };

const ofProvider = (providerId: string | undefined) =>
  providerId === undefined ? sql`` : sql`and provider_id = ${providerId}`;

const counts = sql`
  count(*)::int as booked,
  (count(*) filter (where status = 'CANCELLED'))::int as cancelled,
  (count(*) filter (where outcome = 'attended'))::int as attended,
  (count(*) filter (where outcome = 'no_show'))::int as "noShow"`;

/** Appointments by the bucket of their start (the bucket's first local date). */
export const bookingsByBucket = async (
  db: Kysely<ReadModels>,
  { from, to, providerId }: BookingSpan,
  size: BucketSize,
  zone: string,
): Promise<ReadonlyMap<string, Counts>> => {
  const { rows } = await sql<Counts & { bucket: string }>`
    select date_trunc(${size}, start_time at time zone ${zone})::date::text as bucket, ${counts}
    from appointment_figures where start_time >= ${from} and start_time < ${to} ${ofProvider(providerId)}
    group by 1`.execute(db);
  return new Map(rows.map(({ bucket, ...row }) => [bucket, row]));
};

/** Slots by bucket: those offered, and those taken by an appointment that was not cancelled. */
export const slotsByBucket = async (
  db: Kysely<ReadModels>,
  { from, to, providerId }: BookingSpan,
  size: BucketSize,
  zone: string,
): Promise<ReadonlyMap<string, Offer>> => {
  const { rows } = await sql<Offer & { bucket: string }>`
    select date_trunc(${size}, start_time at time zone ${zone})::date::text as bucket,
           count(*)::int as offered, count(appointment_id)::int as taken
    from time_slots where (appointment_id is not null or not (blocked or closed)) and start_time >= ${from} and start_time < ${to} ${ofProvider(providerId)}
    group by 1`.execute(db);
  return new Map(rows.map(({ bucket, ...row }) => [bucket, row]));
};

/** Minutes from booking to the start booked first: the median, 0 without appointments; and how many were booked. */
export const leadTimeOf = async (
  db: Kysely<ReadModels>,
  { from, to, providerId }: BookingSpan,
): Promise<{ readonly minutes: number; readonly booked: number }> => {
  const { rows } = await sql<{ minutes: number | null; booked: number }>`
    select percentile_cont(0.5) within group
             (order by extract(epoch from first_start_time - booked_at) / 60)::float8 as minutes,
           count(*)::int as booked
    from appointment_figures where start_time >= ${from} and start_time < ${to} ${ofProvider(providerId)}`.execute(db);
  return { minutes: Math.round(rows[0]?.minutes ?? 0), booked: rows[0]?.booked ?? 0 };
};

/**
 * What attended appointments cost at the price in force when they were booked, by currency, in its smallest unit: every
 * currency that an appointment has a price in, 0 when nobody has attended yet.
 */
export const revenueOf = async (
  db: Kysely<ReadModels>,
  { from, to, providerId }: BookingSpan,
): Promise<{ readonly currency: string; readonly amount: number }[]> => {
  const { rows } = await sql<{ currency: string; amount: string }>`
    select currency, coalesce(sum(price_cents) filter (where outcome = 'attended'), 0)::text as amount
    from appointment_figures
    where price_cents is not null and currency is not null
      and start_time >= ${from} and start_time < ${to} ${ofProvider(providerId)}
    group by 1 order by 1`.execute(db);
  return rows.map(({ currency, amount }) => ({ currency, amount: Number(amount) }));
};
