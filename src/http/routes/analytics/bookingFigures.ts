import type { Kysely } from 'kysely';
import { z } from 'zod';
import {
  type BucketSize,
  bookingsByBucket,
  leadTimeOf,
  revenueOf,
  slotsByBucket,
} from '../../../projections/analytics/bookingFigures.ts';
import type { ReadModels } from '../../../projections/index.ts';
import { bucketsOf, rate, type Window } from './window.ts';

const count = z.int().min(0);
const fraction = z.number().min(0);
const figures = {
  offered: count.describe('Slots neither blocked nor removed, booked ones included'),
  booked: count.describe('Appointments, later cancelled ones included'),
  cancelled: count,
  attended: count,
  noShow: count,
  utilisation: fraction.describe('Booked and not cancelled, divided by offered'),
  cancellationRate: fraction.describe('Cancelled divided by booked'),
  noShowRate: fraction.describe('Not attended divided by completed'),
};
/** What was offered, booked, cancelled and attended in a window, and bucket by bucket. */
export const BookingFigures = z.object({
  from: z.string(),
  to: z.string(),
  timezone: z.string(),
  groupBy: z.enum(['day', 'week', 'month']),
  asOf: z.string(),
  providerId: z.string().nullable().describe('null: all providers'),
  totals: z.object({
    ...figures,
    completed: count,
    medianLeadMinutes: z.number().describe('From booking to the start booked first'),
    revenue: z
      .array(z.object({ currency: z.string(), amount: z.int() }))
      .nullable()
      .describe('Of attended appointments, in the smallest unit; null without a price'),
  }),
  trend: z.object({
    previousBooked: count.describe('In the span of equal length before'),
    change: z.number().describe('Of booked against it, as a fraction; 0 when there is nothing to compare with'),
  }),
  series: z.array(z.object({ start: z.string().describe('Beginning of the bucket, with offset'), ...figures })),
});

type Counts = {
  readonly booked: number;
  readonly cancelled: number;
  readonly attended: number;
  readonly noShow: number;
};
type Offer = { readonly offered: number; readonly taken: number };
const none: Counts & Offer = { booked: 0, cancelled: 0, attended: 0, noShow: 0, offered: 0, taken: 0 };

const figuresOf = ({ offered, taken, booked, cancelled, attended, noShow }: Counts & Offer) => ({
  offered,
  booked,
  cancelled,
  attended,
  noShow,
  utilisation: rate(taken, offered),
  cancellationRate: rate(cancelled, booked),
  noShowRate: rate(noShow, attended + noShow),
});

const sum = (all: readonly (Counts & Offer)[]): Counts & Offer =>
  all.reduce(
    (a, b) => ({
      booked: a.booked + b.booked,
      cancelled: a.cancelled + b.cancelled,
      attended: a.attended + b.attended,
      noShow: a.noShow + b.noShow,
      offered: a.offered + b.offered,
      taken: a.taken + b.taken,
    }),
    none,
  );

/** The figures of a provider, or of all without one. */
export const bookingFiguresOf = async (
  db: Kysely<ReadModels>,
  {
    window,
    groupBy,
    providerId,
    now,
  }: {
    readonly window: Window;
    readonly groupBy: BucketSize;
    readonly providerId: string | undefined;
    readonly now: Date;
  },
): Promise<z.output<typeof BookingFigures>> => {
  const span = { from: window.from, to: window.to, providerId };
  const length = Date.parse(window.to) - Date.parse(window.from);
  const before = { from: new Date(Date.parse(window.from) - length).toISOString(), to: window.from, providerId };
  const [bookings, slots, lead, earlier, revenue] = await Promise.all([
    bookingsByBucket(db, span, groupBy, window.zone),
    slotsByBucket(db, span, groupBy, window.zone),
    leadTimeOf(db, span),
    leadTimeOf(db, before),
    revenueOf(db, span),
  ]);
  const series = bucketsOf(window, groupBy).map(({ key, start }) => ({
    start,
    counts: { ...none, ...bookings.get(key), ...slots.get(key) },
  }));
  const total = sum(series.map(({ counts }) => counts));
  return {
    from: window.from,
    to: window.to,
    timezone: window.zone,
    groupBy,
    asOf: now.toISOString(),
    providerId: providerId ?? null,
    totals: {
      ...figuresOf(total),
      completed: total.attended + total.noShow,
      medianLeadMinutes: lead.minutes,
      revenue: revenue.length === 0 ? null : revenue,
    },
    trend: { previousBooked: earlier.booked, change: rate(lead.booked - earlier.booked, earlier.booked) },
    series: series.map(({ start, counts }) => ({ start, ...figuresOf(counts) })),
  };
};
