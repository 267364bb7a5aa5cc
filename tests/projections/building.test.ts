import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import t from 'tap';
import { type Consumption, consume } from '../../src/eventstore/consumer/consumption.ts';
import { Replaced } from '../../src/eventstore/consumer/faults.ts';
import { interestIn } from '../../src/eventstore/consumer/interest.ts';
import type { Fact, Feed } from '../../src/eventstore/feed.ts';
import { type Position, START, type StoredEvent } from '../../src/eventstore/port.ts';
import { integer, nullable, type Projection, text, uuid } from '../../src/projections/projection.ts';
import { projector } from '../../src/projections/projector.ts';
import { allowance } from '../../src/projections/rowMemory.ts';
import { beginBuild, prepareTables } from '../../src/projections/slots.ts';
import { buildTableName, tableOf } from '../../src/projections/table.ts';
import { testDatabase } from '../support/postgres.ts';
import { aggregates, decode, eventually, log } from '../support/readSide.ts';

/** Events that a consumer takes at a time. */
const BATCH = 4_096;
const COUNTERS = 300;
const EVENTS = 3 * BATCH + 500;

const metadata = JSON.stringify({
  commandId: randomUUID(),
  command: 'Test',
  correlationId: randomUUID(),
  actor: { id: 'test', kind: 'system' },
});

const pastOf = (events: readonly { readonly type: string; readonly data: { readonly id: string } }[]) => {
  const revisions = new Map<string, number>();
  return events.map(({ type, data }, at): StoredEvent => {
    const stream = `counter-${data.id}`;
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    const recordedAt = '2026-01-01T00:00:00.000Z';
    return {
      id: randomUUID(),
      type,
      data: JSON.stringify(data),
      metadata,
      stream,
      revision,
      position: BigInt(at + 1),
      recordedAt,
    };
  });
};
const ids = Array.from({ length: COUNTERS }, () => randomUUID());
/** Each counter's events lie apart, so that every batch touches all rows; one in three counters is removed now and then. */
const past = pastOf(
  Array.from({ length: EVENTS }, (_, at) => {
    const id = ids[at % COUNTERS] ?? '';
    const round = Math.floor(at / COUNTERS);
    if (at % 3 === 0 && round % 7 === 6) return { type: 'Removed', data: { id } };
    return round % 2 === 0 ? { type: 'Counted', data: { id } } : { type: 'Renamed', data: { id, title: `${round}` } };
  }),
);

type CounterRow = { id: string; total: number; title: string | null };
type Counter = Fact & { readonly data: { readonly id: string; readonly title?: string } };
type Trap = {
  /** Position of an event that cannot be folded. */
  readonly explodes?: Position;
  /** Position of an event that makes a row which Postgres refuses. */
  readonly overflows?: Position;
};

const counting = (name: string, trap: Trap = {}) => {
  const evolve = (row: CounterRow | undefined, { type, data, position }: Counter): CounterRow => {
    if (position === trap.explodes) throw new Error('this event always fails');
    const total = (row?.total ?? 0) + (position === trap.overflows ? 2 ** 31 : type === 'Counted' ? 1 : 0);
    return { id: data.id, total, title: data.title ?? row?.title ?? null };
  };
  const projection = {
    name,
    version: 1,
    columns: { id: uuid, total: integer, title: nullable(text) },
    key: { column: 'id', of: ({ data }: Counter) => data.id },
    fold: { Counted: evolve, Renamed: evolve, Removed: (): undefined => undefined },
  };
  return { ...projection, evolve } as typeof projection & { evolve: typeof evolve } & Pick<Projection, 'version'>;
};
type Counting = ReturnType<typeof counting>;

/** The rows after these events, without what is left out. */
const rowsAfter = async (
  { evolve }: Counting,
  events: readonly StoredEvent[],
  leftOut: (event: StoredEvent) => boolean = () => false,
): Promise<ReadonlyMap<string, CounterRow>> => {
  const rows = new Map<string, CounterRow>();
  for (const event of (await decode(events.filter((each) => !leftOut(each)))) as readonly Counter[])
    if (event.type === 'Removed') rows.delete(event.data.id);
    else rows.set(event.data.id, evolve(rows.get(event.data.id), event));
  return rows;
};

const sorted = (rows: Iterable<CounterRow>): readonly CounterRow[] =>
  [...rows].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ id, total, title }) => ({ id, total, title }));

t.test('a table that is being built', async (t) => {
  const { pool } = await testDatabase(t, { migrate: true });

  /** Begins a table, without anybody who fills it. */
  const begin = async (projection: Counting): Promise<void> => {
    await prepareTables(pool, { head: async () => 1n }, [projection]);
    await beginBuild(pool, projection);
  };

  /** Fills it up to a position that can be moved on; the head of the log lies where the events end. */
  const fill = (
    projection: Counting,
    events: readonly StoredEvent[],
    {
      upTo = BigInt(events.length),
      bytes,
      through = pool,
    }: { upTo?: Position; bytes?: number; through?: pg.Pool } = {},
  ) => {
    let limit = upTo;
    let moved = Promise.withResolvers<void>();
    const stir = (): void => {
      moved.resolve();
      moved = Promise.withResolvers();
    };
    const head = BigInt(events.length);
    const after: Feed['after'] = async (position, signal) => {
      signal.addEventListener('abort', stir, { once: true });
      for (;;) {
        signal.throwIfAborted();
        const end = [position + BigInt(BATCH), limit, head].reduce((a, b) => (a < b ? a : b));
        if (end > position)
          return { events: await decode(events.slice(Number(position), Number(end))), from: position, to: end };
        await moved.promise;
      }
    };
    const consumption: Consumption = consume({
      pool: through,
      feed: { after, head: () => head, ready: Promise.resolve(), close: async () => {} },
      store: {
        readStream: async (stream, { from = 0 } = {}) =>
          events.filter((event) => event.stream === stream && event.revision >= from),
      },
      decode,
      log,
      consumer: { kind: 'projection', name: projection.name, slot: 'build' },
      interest: interestIn(Object.keys(projection.fold), aggregates),
      handler: projector(projection, tableOf(projection, buildTableName(projection)), {
        pool: through,
        allowed: allowance(bytes),
        late: true,
      }),
      paused: () => false,
      onProgress: () => stir(),
    });
    t.after(() => consumption.stop());
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await moved.promise;
    };
    return {
      consumption,
      taken: (position: Position) => until(() => consumption.position() >= position),
      finished: () => until(() => consumption.saved() >= head),
      goOn: () => {
        limit = head;
        stir();
      },
    };
  };

  /** What is durable, of one moment. */
  const durable = async ({ name, version }: Counting) => {
    const { rows } = await pool.query<{ position: string; rows: CounterRow[] | null }>(
      `select position, (select json_agg(r) from read."${name}_v${version}" r) as rows
       from convene.checkpoints where kind = 'projection' and name = $1 and slot = 'build'`,
      [name],
    );
    return { position: BigInt(rows[0]?.position ?? -1), rows: sorted(rows[0]?.rows ?? []) };
  };
  const letters = async ({ name }: Counting) =>
    (
      await pool.query<{ stream: string; revision: number }>(
        'select stream, revision from convene.parked where name = $1',
        [name],
      )
    ).rows;
  const whole = async (projection: Counting) => sorted((await rowsAfter(projection, past)).values());

  t.test('is taken over while rows are in memory alone', async (t) => {
    const projection = counting('taken_over');
    await begin(projection);
    const first = fill(projection, past, { upTo: BigInt(2 * BATCH) });
    await first.taken(BigInt(2 * BATCH));
    t.strictSame(await durable(projection), { position: START, rows: [] });
    const second = fill(projection, past);
    await second.finished();
    const rows = await whole(projection);
    t.ok(rows.length > COUNTERS / 2);
    t.strictSame(await durable(projection), { position: BigInt(EVENTS), rows });
    first.goOn();
    await t.rejects(first.consumption.done, Replaced);
    t.strictSame(await durable(projection), { position: BigInt(EVENTS), rows });
  });

  t.test('keeps what memory has when it is stopped, and goes on from there', async (t) => {
    const projection = counting('stopped');
    await begin(projection);
    const middle = BigInt(2 * BATCH);
    const first = fill(projection, past, { upTo: middle });
    await first.taken(middle);
    await first.consumption.stop();
    const half = sorted((await rowsAfter(projection, past.slice(0, Number(middle)))).values());
    t.strictSame(await durable(projection), { position: middle, rows: half });
    await fill(projection, past).finished();
    t.strictSame((await durable(projection)).rows, await whole(projection));
  });

  t.test('survives connections that break before or after a write took effect', async (t) => {
    const projection = counting('broken');
    await begin(projection);
    let writes = 0;
    let broken = 0;
    const breaking: pg.Pool = Object.create(pool, {
      query: {
        value: async (query: string | { text: string }, values?: unknown[]): Promise<unknown> => {
          const isWrite = typeof query !== 'string' && query.text.startsWith('with moved');
          writes += Number(isWrite);
          if (!isWrite || writes % 3 === 0) return pool.query(query as never, values);
          if (writes % 3 === 2) await pool.query(query as never, values);
          broken += 1;
          throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
        },
      },
    });
    await fill(projection, past, { bytes: 60_000, through: breaking }).finished();
    t.strictSame((await durable(projection)).rows, await whole(projection));
    t.ok(broken >= 4, `${broken} of ${writes} writes broke`);
  });

  t.test('has what came before an event that cannot be folded, and what follows in other streams', async (t) => {
    const at = BATCH + 1_000;
    const { stream, revision, position } = past[at] as StoredEvent;
    const projection = counting('poisoned', { explodes: position });
    await begin(projection);
    const build = fill(projection, past, { upTo: BigInt(2 * BATCH) });
    await build.taken(BigInt(2 * BATCH));
    const waits = (event: StoredEvent): boolean => event.stream === stream && event.revision >= revision;
    const now = await durable(projection);
    t.ok(now.position >= position);
    const upToNow = past.slice(0, Number(now.position));
    t.strictSame(now.rows, sorted((await rowsAfter(projection, upToNow, waits)).values()));
    t.strictSame(await letters(projection), [{ stream, revision }]);
    build.goOn();
    await build.finished();
    t.strictSame((await durable(projection)).rows, sorted((await rowsAfter(projection, past, waits)).values()));
    t.strictSame(await letters(projection), [{ stream, revision }]);
  });

  for (const [place, at] of [
    ['first', 100],
    ['third', 2 * BATCH + 701],
  ] as const)
    t.test(`finds the event in the ${place} batch whose row is refused at the end`, async (t) => {
      const { stream, revision, position } = past.find(
        (event, index) => index >= at && index % 3 === 1 && event.type === 'Counted',
      ) as StoredEvent;
      const projection = counting(`refused_${place}`, { overflows: position });
      await begin(projection);
      await fill(projection, past).finished();
      t.strictSame(await letters(projection), [{ stream, revision }]);
      const waits = (event: StoredEvent): boolean => event.stream === stream && event.revision >= revision;
      t.strictSame((await durable(projection)).rows, sorted((await rowsAfter(projection, past, waits)).values()));
    });

  t.test('gets much at once in several statements, all or nothing', async (t) => {
    const title = 'x'.repeat(1_000_000);
    const large = pastOf(Array.from({ length: 24 }, () => ({ type: 'Renamed', data: { id: randomUUID(), title } })));
    const projection = counting('large', { overflows: 24n });
    await begin(projection);
    await fill(projection, large).finished();
    const { rows } = await pool.query('select count(*)::int as rows, min(length(title)) as length from read.large_v1');
    t.strictSame(rows, [{ rows: 23, length: title.length }]);
    t.strictSame(await letters(projection), [{ stream: large[23]?.stream, revision: 0 }]);
  });

  t.test('takes a stream up again that was set aside, though what memory has meanwhile is refused', async (t) => {
    const { stream, position } = past[BATCH + 1_000] as StoredEvent;
    const refused = past.find((event, index) => index > BATCH + 2_000 && index % 3 === 1 && event.type === 'Counted');
    t.ok(refused !== undefined && refused.stream !== stream);
    const trap: { explodes?: Position; overflows?: Position } = {
      explodes: position,
      overflows: refused?.position ?? START,
    };
    const projection = counting('healed', trap);
    await begin(projection);
    const build = fill(projection, past, { upTo: BigInt(2 * BATCH) });
    await build.taken(BigInt(2 * BATCH));
    // Where a second has passed already, the stream was tried again, and what memory has was found and set aside beside it.
    t.ok((await letters(projection)).some((letter) => letter.stream === stream));
    delete trap.explodes;
    await pool.query(`update convene.parked set verdict = 'retry' where name = $1`, [projection.name]);
    build.consumption.wake();
    build.goOn();
    await eventually(
      () => letters(projection),
      (found) => found.length === 1 && found[0]?.stream === refused?.stream,
    );
    await build.finished();
    const waits = (event: StoredEvent): boolean =>
      event.stream === refused?.stream && event.revision >= refused.revision;
    t.strictSame((await durable(projection)).rows, sorted((await rowsAfter(projection, past, waits)).values()));
  });
});
