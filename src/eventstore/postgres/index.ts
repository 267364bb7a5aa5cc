import pg from 'pg';
import { assertAppendable } from '../append.ts';
import {
  type Appended,
  type Batch,
  type EventStore,
  type Filter,
  type NewEvent,
  type Position,
  type StoredEvent,
  StoreUnavailable,
  type Subscription,
} from '../port.ts';
import { groupCommit, isUnreachable } from './groupCommit.ts';
import { type Listener, listen } from './listener.ts';
import { LANES, streamReads } from './streamReads.ts';

/** position, stream, revision, id, type, recorded_at, data, metadata */
type Row = readonly [string, string, number, string, string, string, string, string];

const COLUMNS = 'e.position, e.stream, e.revision, e.id, e.type, e.recorded_at, e.data, e.metadata';

const stored = ([position, stream, revision, id, type, recordedAt, data, metadata]: Row): StoredEvent => ({
  id,
  type,
  data,
  metadata,
  stream,
  revision,
  position: BigInt(position),
  recordedAt: isoOf(recordedAt),
});

/** From `2026-01-31 09:05:00.12+00` (the session speaks UTC) to ISO-8601 with milliseconds. */
const isoOf = (timestamp: string): string => {
  const text = timestamp.slice(0, timestamp.length - 3);
  const millis = text.length > 19 ? text.slice(20).padEnd(3, '0') : '000';
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${millis}Z`;
};

/** Timestamps stay text; everything else as node-postgres reads it. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    oid === pg.types.builtins.TIMESTAMPTZ || oid === pg.types.builtins.INT8
      ? (value: string) => value
      : pg.types.getTypeParser(oid, format as 'text'),
};

const LIMIT = 10_000;
const SUBSCRIPTION_BATCH = 500;
const APPEND_DEADLINE_MS = 10_000;
const QUERY_TIMEOUT_MS = 15_000;

/** Behind the start of every stream of the category: '-' sorts right before '.'. */
const categoryRange = (category: string) => ({ from: `${category}-`, to: `${category}.` });

const filterSql = (filter: Filter | undefined, values: unknown[]): string => {
  let sql = '';
  if (filter?.types !== undefined) {
    values.push(filter.types);
    sql += ` and e.type = any($${values.length})`;
  }
  if (filter?.categories !== undefined) {
    const ranges = filter.categories.map((category) => {
      const { from, to } = categoryRange(category);
      values.push(from, to);
      return `(e.stream >= $${values.length - 1} and e.stream < $${values.length})`;
    });
    sql += ranges.length === 0 ? ' and false' : ` and (${ranges.join(' or ')})`;
  }
  return sql;
};

/**
 * The Postgres log. Position order is commit order is the order in which readers see events, without gaps: positions
 * are handed out under a lock that the commit releases, and group commit pays for that lock. Any number of processes
 * may append at once. The schema comes from migrations; reads go to the primary, never to a replica.
 */
export const postgresEventStore = (config: pg.ClientConfig): EventStore => {
  const connection: pg.PoolConfig = {
    ...config,
    types,
    application_name: 'convene-log',
    options: '-c timezone=UTC -c search_path=log',
    connectionTimeoutMillis: 5_000,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
  };
  const lanes = 2;
  // The plan of log.append is the same for any batch: planning it anew for each would cost more than running it.
  const generic = '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off';
  const writers = new pg.Pool({ ...connection, options: `${connection.options} ${generic}`, max: lanes });
  const readers = new pg.Pool({ ...connection, max: LANES });
  // A pooled connection that breaks while idle is replaced at the next call; nobody waits for it.
  for (const pool of [writers, readers]) {
    pool.on('error', () => {});
    // One that breaks between its checkout and its query fails that query; the event itself needs no answer.
    pool.on('connect', (client) => client.on('error', () => {}));
  }
  // Made for the first subscription: who only appends and reads needs no connection to be woken by.
  let listener: Listener | undefined;
  const listening = (): Listener => {
    listener ??= listen({ ...config, application_name: 'convene-log-listener' }, 'convene_log');
    return listener;
  };
  const subscriptions = new Set<Subscription>();
  let closing: Promise<void> | undefined;

  const query = async <R>(text: string, values: unknown[], name?: string): Promise<readonly R[]> => {
    try {
      const result = await readers.query<R[]>({
        text,
        values,
        rowMode: 'array',
        ...(name === undefined ? {} : { name }),
      });
      return result.rows as unknown as readonly R[];
    } catch (error) {
      throw isUnreachable(error) ? new StoreUnavailable('The event log could not be reached', { cause: error }) : error;
    }
  };

  const forwards = streamReads<Row>(async (stretches) => {
    const [only, other] = stretches;
    if (only !== undefined && other === undefined)
      return [
        await query<Row>(
          `select ${COLUMNS} from log.events e where e.stream = $1 and e.revision >= $2 order by e.revision limit $3`,
          [only.stream, only.from, only.limit],
          'log_stream_forwards',
        ),
      ];
    const answers = stretches.map((): Row[] => []);
    const rows = await query<readonly [number, ...Row]>(
      `select s.place, e.* from unnest($1::text[], $2::integer[], $3::integer[], $4::integer[]) s(stream, first, most, place)
       cross join lateral (
         select ${COLUMNS} from log.events e
         where e.stream = s.stream and e.revision >= s.first order by e.revision limit s.most) e
       order by s.place, e.revision`,
      [
        stretches.map(({ stream }) => stream),
        stretches.map(({ from }) => from),
        stretches.map(({ limit }) => limit),
        [...stretches.keys()],
      ],
      'log_streams_forwards',
    );
    for (const [place, ...row] of rows) answers[place]?.push(row);
    return answers;
  });

  const readStream: EventStore['readStream'] = async (stream, { from, direction = 'forwards', limit = LIMIT } = {}) => {
    const count = Math.max(1, Math.min(limit, LIMIT));
    const rows =
      direction === 'forwards'
        ? await forwards({ stream, from: from ?? 0, limit: count })
        : await query<Row>(
            `select ${COLUMNS} from log.events e where e.stream = $1 and e.revision <= $2 order by e.revision desc limit $3`,
            [stream, from ?? 2_147_483_647, count],
            'log_stream_backwards',
          );
    return rows.map(stored);
  };

  const storedAs = async (stream: string, events: readonly NewEvent[]): Promise<Appended | undefined> => {
    const there = await query<readonly [string, number, string]>(
      'select id, revision, position from log.events where id = any($1) and stream = $2 order by revision',
      [events.map(({ id }) => id), stream],
      'log_known',
    );
    const last = there.at(-1);
    if (last === undefined || there.length !== events.length) return undefined;
    const [, revision, position] = last;
    const first = revision - events.length + 1;
    if (events.some(({ id }, n) => there[n]?.[0] !== id || there[n]?.[1] !== first + n)) return undefined;
    return { ok: true, revision, position: BigInt(position), repeated: true };
  };

  const commit = groupCommit({ pool: writers, lanes, deadlineMs: APPEND_DEADLINE_MS, storedAs });

  const readAll: EventStore['readAll'] = async (after, { filter, limit = LIMIT } = {}): Promise<Batch> => {
    const count = Math.max(1, Math.min(limit, LIMIT));
    const values: unknown[] = [after.toString(), count];
    // Head and events from one snapshot: what is not among the events is not below the head either.
    const rows = await query<readonly [string, ...(Row | readonly null[])]>(
      `select h.position, e.* from log.head h left join lateral (
         select ${COLUMNS} from log.events e
         where e.position > $1 and e.position <= h.position${filterSql(filter, values)}
         order by e.position limit $2) e on true order by e.position`,
      values,
      filter === undefined ? 'log_all' : undefined,
    );
    const events = rows.filter((row) => row[1] !== null).map((row) => stored(row.slice(1) as unknown as Row));
    const head = BigInt(rows[0]?.[0] ?? 0);
    const last = events.at(-1)?.position;
    const reached = events.length === count && last !== undefined ? last : head;
    return { events, position: reached > after ? reached : after };
  };

  const subscribe: EventStore['subscribe'] = (from, { filter, onBatch }) => {
    let closed = false;
    let stop: () => void = () => {};
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const run = async (): Promise<void> => {
      let after: Position = from;
      while (!closed) {
        const appended = listening().next();
        let batch: Batch;
        try {
          batch = await readAll(after, { ...(filter === undefined ? {} : { filter }), limit: SUBSCRIPTION_BATCH });
        } catch (error) {
          if (!(error instanceof StoreUnavailable)) throw error;
          await Promise.race([appended, stopped]);
          continue;
        }
        if (closed) return;
        if (batch.position > after) {
          await onBatch(batch);
          after = batch.position;
        } else await Promise.race([appended, stopped]);
      }
    };
    const done = run();
    // Whoever is interested looks at `done`; nobody looking is no reason to end the process.
    done.catch(() => {});
    const subscription: Subscription = {
      done,
      close: async () => {
        closed = true;
        stop();
        subscriptions.delete(subscription);
        await done.catch(() => {});
      },
    };
    subscriptions.add(subscription);
    return subscription;
  };

  return {
    append: async (stream, expected, events) => {
      assertAppendable(stream, expected, events);
      return commit.append(stream, expected, events);
    },
    readStream,
    readAll,
    subscribe,
    head: async () => {
      const rows = await query<readonly [string]>('select position from log.head', [], 'log_head');
      return BigInt(rows[0]?.[0] ?? 0);
    },
    close: () => {
      closing ??= (async () => {
        await Promise.all([...subscriptions].map((subscription) => subscription.close()));
        await commit.close();
        await listener?.close();
        await Promise.all([writers.end(), readers.end()]);
      })();
      return closing;
    },
  };
};
