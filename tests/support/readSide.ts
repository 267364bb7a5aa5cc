import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import pino from 'pino';
import type { Aggregates } from '../../src/eventstore/consumer/interest.ts';
import { createFeed, type Decode, type Fact, type Feed, type FeedEvent } from '../../src/eventstore/feed.ts';
import type { EventStore, Position } from '../../src/eventstore/port.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { createProgress, type Progress } from '../../src/projections/progress.ts';
import { type AnyProjection, integer, nullable, text, uuid } from '../../src/projections/projection.ts';
import { type ProjectionRunner, type RunnerOptions, runProjections } from '../../src/projections/runner.ts';
import { testDatabase } from './postgres.ts';

type Test = { after: (callback: () => Promise<void>) => unknown };

/** A log, its feed and the tables of the service in a database of the test's own. */
export type ReadSide = {
  readonly pool: Pool;
  readonly connectionString: string;
  readonly store: EventStore;
  readonly feed: Feed;
  readonly decode: Decode;
  readonly progress: Progress;
  /** Appends events of one type and these data to a stream; the position of the last. */
  readonly append: (stream: string, type: string, ...data: readonly object[]) => Promise<Position>;
  /** Starts a runner that is closed with the test. */
  readonly run: (projections: readonly AnyProjection[], options?: Partial<RunnerOptions>) => ProjectionRunner;
  /** Waits until the projections have come to the position. Throws after {@link LONG_MS}. */
  readonly reached: (position: Position, ...projections: readonly AnyProjection[]) => Promise<void>;
};

/** What takes longer never comes about: far more than the slowest machine needs. */
export const LONG_MS = 60_000;

export const log = pino({ level: process.env.TEST_LOG ?? 'silent' });

/** Two aggregates that exist only here. Types that begin with `Broken` cannot be read. */
export const aggregates: Aggregates = [
  { category: 'counter', events: { Counted: {}, Renamed: {}, Removed: {}, Exploded: {} } },
  { category: 'other', events: { Noise: {} } },
];

export const decode: Decode = async (events) =>
  events.map(({ data, metadata, ...event }): FeedEvent => {
    if (event.type.startsWith('Broken')) return { ...event, error: new Error('unreadable') };
    return { ...event, schemaVersion: 1, data: JSON.parse(data), metadata: JSON.parse(metadata) };
  });

const metadata = JSON.stringify({
  commandId: randomUUID(),
  command: 'Test',
  correlationId: randomUUID(),
  actor: { id: 'test', kind: 'system' },
});

export const readSide = async (t: Test): Promise<ReadSide> => {
  const { pool, connectionString } = await testDatabase(t, { migrate: true });
  const store = postgresEventStore({ connectionString });
  const feed = createFeed({ store, decode });
  const progress = createProgress({ pool });
  const runners: ProjectionRunner[] = [];
  t.after(async () => {
    await Promise.all(runners.map((runner) => runner.close()));
    await progress.close();
    await feed.close();
    await store.close();
    await pool.end();
  });
  const last = new Map<string, number>();
  return {
    pool,
    connectionString,
    store,
    feed,
    decode,
    progress,
    append: async (stream, type, ...data) => {
      const expected = last.get(stream) ?? 'noStream';
      const events = data.map((each) => ({ id: randomUUID(), type, data: JSON.stringify(each), metadata }));
      const appended = await store.append(stream, expected, events);
      if (!appended.ok) throw new Error(`${stream} is at ${appended.actual}`);
      last.set(stream, appended.revision);
      return appended.position;
    },
    run: (projections, options = {}) => {
      const runner = runProjections({ pool, feed, store, decode, log, aggregates, progress, projections, ...options });
      runners.push(runner);
      return runner;
    },
    reached: async (position, ...projections) => {
      const names = projections.map(({ name }) => name);
      if (!(await progress.reached(names, position, LONG_MS))) throw new Error(`${names} did not reach ${position}`);
    },
  };
};

type CounterRow = { id: string; total: number; title: string | null };
type CounterEvent = Fact & { readonly data: { readonly id: string; readonly by?: number; readonly title?: string } };

/** One row a counter: a fold that counts twice what it sees twice. */
export const counters: AnyProjection = {
  name: 'counters',
  version: 1,
  columns: { id: uuid, total: integer, title: nullable(text) },
  key: { column: 'id', of: ({ data }: CounterEvent) => data.id },
  indexes: [['total desc']],
  fold: {
    Counted: (row: CounterRow | undefined, { data }: CounterEvent, id: string): CounterRow => ({
      id,
      total: (row?.total ?? 0) + (data.by ?? 1),
      title: row?.title ?? null,
    }),
    Renamed: (row: CounterRow | undefined, { data }: CounterEvent, id: string): CounterRow => ({
      id,
      total: row?.total ?? 0,
      title: data.title ?? null,
    }),
    Removed: (): undefined => undefined,
    Exploded: (): never => {
      throw new Error('this event always fails');
    },
  },
};

/** Waits until a question to the database is answered as wanted; asks again without pause, at most {@link LONG_MS}. */
export const eventually = async <T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> => {
  const deadline = performance.now() + LONG_MS;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`Still ${JSON.stringify(answer)}`);
  }
};
