import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { EventStore } from '../src/eventstore/port.ts';
import { postgresEventStore } from '../src/eventstore/postgres/index.ts';
import { type Bench, type Context, ratio } from './bench.ts';
import { interleaved } from './rounds.ts';
import { sample } from './sample.ts';
import { type Writing, writing } from './writing.ts';

const WRITERS = [1, 16, 64] as const;
const TURN_MS = 1_500;
const WARM_MS = 400;
const CONNECTIONS = 32;
const ROWS = 500;

/** Somebody who stores single events in streams of their own. */
type Contender = {
  readonly append: () => Promise<unknown>;
  /** Events that it holds now. */
  readonly count: () => Promise<number>;
  readonly close: () => Promise<void>;
  /** Events that one call stores; 1 unless told. */
  readonly each?: number;
  /** Callers at a time that suit it; as many as there are writers unless told. */
  readonly callers?: number;
};

const stream = () => `schedule-${randomUUID()}`;

const viaPort = (store: EventStore, count: Contender['count']): Contender => ({
  append: async () => {
    const { id, type, data, metadata } = sample();
    const event = { id, type, data: JSON.stringify(data), metadata: JSON.stringify(metadata) };
    const { ok } = await store.append(stream(), 'noStream', [event]);
    if (!ok) throw new Error('A new stream was refused');
  },
  count,
  close: store.close,
});

const convene = async ({ database }: Context): Promise<Contender> => {
  const { connectionString } = await database({ migrate: true });
  const store = postgresEventStore({ connectionString });
  return viaPort(store, async () => Number(await store.head()));
};

const emmett = async ({ database }: Context): Promise<Contender> => {
  const { emmettStore } = await import('./peers/emmett.ts');
  const store = await emmettStore((await database()).connectionString, CONNECTIONS);
  return {
    append: async () => {
      if (!(await store.append(stream(), 0n, [sample()]))) throw new Error('A new stream was refused');
    },
    count: store.count,
    close: store.close,
  };
};

const TABLE = `create table events (
  position bigserial primary key, stream text not null, revision integer not null, id uuid not null unique, type text not null,
  data text not null, metadata text not null, recorded_at timestamptz not null default now(), unique (stream, revision))`;

/** A table with the same columns and keys, without the log's promises (order, no gaps, one answer to a repeat). */
const table = async ({ database }: Context) => {
  const { connectionString } = await database();
  const pool = new pg.Pool({ connectionString, max: CONNECTIONS, min: CONNECTIONS });
  await pool.query(TABLE);
  const count = async (): Promise<number> => {
    const { rows } = await pool.query<{ count: string }>('select count(*) from events');
    return Number(rows[0]?.count);
  };
  return { pool, count, close: () => pool.end() };
};

const insert = async (context: Context): Promise<Contender> => {
  const { pool, count, close } = await table(context);
  const text = 'insert into events (stream, revision, id, type, data, metadata) values ($1, 0, $2, $3, $4, $5)';
  return {
    append: () => {
      const { id, type, data, metadata } = sample();
      const values = [stream(), id, type, JSON.stringify(data), JSON.stringify(metadata)];
      return pool.query({ name: 'insert', text, values });
    },
    count,
    close,
  };
};

const rows = async (context: Context): Promise<Contender> => {
  const { pool, count, close } = await table(context);
  const text = `insert into events (stream, revision, id, type, data, metadata)
    select s, 0, i, t, d, m from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[]) as u(s, i, t, d, m)`;
  return {
    append: () => {
      const events = Array.from({ length: ROWS }, sample);
      const values = [
        events.map(stream),
        events.map(({ id }) => id),
        events.map(({ type }) => type),
        events.map(({ data }) => JSON.stringify(data)),
        events.map(({ metadata }) => JSON.stringify(metadata)),
      ];
      return pool.query({ name: 'rows', text, values });
    },
    count,
    close,
    each: ROWS,
    // One is sent while another is flushed.
    callers: 2,
  };
};

/** Convene's adapter for EventStoreDB, and the client that it is made of, on the server that is there. */
const eventStoreDb = async (url: string): Promise<Record<string, Contender>> => {
  const [{ eventStoreDb: adapter }, { EventStoreDBClient, jsonEvent, NO_STREAM }] = await Promise.all([
    import('../src/eventstore/eventstoredb/index.ts'),
    import('@eventstore/db-client'),
  ]);
  const client = EventStoreDBClient.connectionString(url);
  let stored = 0;
  let appended = 0;
  const store = adapter({ connectionString: url });
  const ours = viaPort(store, async () => stored);
  return {
    'Convene on EventStoreDB': {
      ...ours,
      append: async () => {
        await ours.append();
        stored += 1;
      },
    },
    'EventStoreDB client': {
      append: async () => {
        const { id, type, data, metadata } = sample();
        const event = jsonEvent({ id, type, data, metadata });
        const { success } = await client.appendToStream(stream(), event, { expectedRevision: NO_STREAM });
        if (!success) throw new Error('A new stream was refused');
        appended += 1;
      },
      count: async () => appended,
      close: () => client.dispose(),
    },
  };
};

/** What a contender's writers get done in a turn; a stored event for each acknowledged one is part of it. */
const measured = async (
  { append, count, each = 1, callers }: Contender,
  writers: number,
  ms: number,
): Promise<Writing> => {
  const before = await count();
  let acknowledged = 0;
  const done = await writing(callers ?? writers, ms, async () => {
    await append();
    acknowledged += each;
  });
  const stored = (await count()) - before;
  if (stored < acknowledged || acknowledged === 0)
    throw new Error(`${acknowledged} events were acknowledged, ${stored} stored`);
  return { ...done, rate: done.rate * each };
};

/** Appends of one event each to streams of their own: the log of Convene, its peers, and the simplest things that store a row. */
export const append: Bench = {
  name: 'append',
  title: 'Single-event appends to distinct streams, 1, 16 and 64 writers',
  run: async (context) => {
    const { rounds, sized, eventStoreDb: url, says } = context;
    const limit = `INSERT of ${ROWS} rows (limit)`;
    const contenders: Record<string, Contender> = {
      Convene: await convene(context),
      emmett: await emmett(context),
      INSERT: await insert(context),
      [limit]: await rows(context),
      ...(url === undefined ? {} : await eventStoreDb(url)),
    };
    try {
      for (const contender of Object.values(contenders)) await measured(contender, 16, WARM_MS);
      const found = new Map<number, Record<string, Writing>>();
      for (const writers of WRITERS) {
        says(`append: ${writers} writers`);
        // The limit does not depend on writers; it is measured beside the most of them.
        const taking = Object.entries(contenders).filter(([who]) => who !== limit || writers === WRITERS.at(-1));
        found.set(
          writers,
          await interleaved(
            rounds,
            Object.fromEntries(
              taking.map(([who, contender]) => [who, () => measured(contender, writers, sized(TURN_MS))]),
            ),
          ),
        );
      }
      const of = (writers: number, who: string): Writing =>
        found.get(writers)?.[who] ?? { rate: Number.NaN, p50: Number.NaN, p99: Number.NaN };
      const ratios = {
        append64_vs_emmett: ratio(of(64, 'Convene').rate, of(64, 'emmett').rate),
        append64_vs_insert: ratio(of(64, 'Convene').rate, of(64, 'INSERT').rate),
        append1_latency_vs_insert: ratio(of(1, 'Convene').p50, of(1, 'INSERT').p50),
        append64_vs_limit: ratio(of(64, 'Convene').rate, of(64, limit).rate),
        ...(url === undefined
          ? {}
          : {
              append64_eventstoredb_vs_client: ratio(
                of(64, 'Convene on EventStoreDB').rate,
                of(64, 'EventStoreDB client').rate,
              ),
            }),
      };
      return {
        rows: [...found].flatMap(([writers, figures]) =>
          Object.entries(figures).flatMap(([who, { rate, p50, p99 }]) => {
            const at = who === limit ? '2 callers' : `${writers} ${writers === 1 ? 'writer' : 'writers'}`;
            return [
              { who, metric: `appends, ${at}`, value: rate, unit: 'events/s' },
              { who, metric: `latency p50, ${at}`, value: p50, unit: 'ms' },
              { who, metric: `latency p99, ${at}`, value: p99, unit: 'ms' },
            ];
          }),
        ),
        ratios,
        goals: [
          { name: 'append64_vs_emmett', value: ratios.append64_vs_emmett, atLeast: 8 },
          { name: 'append64_vs_insert', value: ratios.append64_vs_insert, atLeast: 2 },
          { name: 'append1_latency_vs_insert', value: ratios.append1_latency_vs_insert, atMost: 1.6 },
        ],
      };
    } finally {
      await Promise.all(Object.values(contenders).map(({ close }) => close()));
    }
  },
};
