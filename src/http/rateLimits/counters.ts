import { createHmac } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { cacheOf } from '../../cacheOf.ts';
import { type Limit, SLOTS, type Standing, secondsLeft, slotAt, Window } from './window.ts';

/** Callers whose counts a process holds per bucket. */
const CALLERS = 50_000;
/** Milliseconds between two exchanges with the other processes. */
const EXCHANGE_MS = 1_000;
const CLEAN_MS = 60_000;
const QUERY_MS = 2_000;

/** A bucket of requests counted in memory and exchanged with the other processes in the background. */
export type Bucket = {
  readonly name: string;
  readonly seconds: number;
  /** Where the caller stands now, without counting. */
  readonly standing: (caller: string, most: number, now: number) => Standing;
  readonly add: (caller: string, now: number) => void;
};

export type Counters = {
  readonly bucket: (name: string, seconds: number) => Bucket;
  /**
   * Counts one request if the limit lets it pass, decided in the database for all processes at once. Throws when the
   * database does not answer.
   */
  readonly admit: (name: string, caller: string, limit: Limit) => Promise<Standing & { readonly admitted: boolean }>;
  /** Hands in what was counted and learns what the others counted. */
  readonly exchange: () => Promise<void>;
  readonly close: () => Promise<void>;
};

type Row = { readonly key: string; readonly slot: string; readonly count: number };

const EXCHANGE = {
  name: 'rate-limits-exchange',
  text: `
    with given as (
      select * from unnest($1::text[], $2::bigint[], $3::integer[], $4::integer[]) as g(key, slot, count, seconds)
    ), added as (
      insert into convene.rate_limits as r (key, slot, count, expires_at)
      select g.key, g.slot, g.count, now() + g.seconds * interval '1 second' from given g order by g.key, g.slot
      on conflict on constraint rate_limits_pkey do update set count = r.count + excluded.count
      returning r.key, r.slot, r.count
    )
    select key, slot, count from added
    union all
    select r.key, r.slot, r.count from convene.rate_limits r
    where r.key = any($5::text[]) and r.expires_at > now()
      and not exists (select from given g where g.key = r.key and g.slot = r.slot)`,
};

/**
 * Request counters shared by all processes. Callers are stored as keyed hashes: the table holds no addresses. `failed` is
 * told once of every outage of the database.
 */
export const createCounters = (of: {
  readonly pool: Pick<Pool, 'query'>;
  readonly secret: string;
  readonly failed: (error: unknown) => void;
}): Counters => {
  const { pool } = of;
  const hashed = (name: string, caller: string) =>
    createHmac('sha256', of.secret).update(`${name}\0${caller}`).digest('base64url').slice(0, 22);
  const buckets: {
    readonly name: string;
    readonly seconds: number;
    readonly windows: LRUCache<string, Window>;
    readonly touched: Set<string>;
  }[] = [];
  let down = false;
  let running: Promise<void> | undefined;
  let lastClean = Date.now();

  const exchange = async (): Promise<void> => {
    const windowOf = new Map<string, Window>();
    const given: { key: string; slot: number; count: number; seconds: number }[] = [];
    for (const { name, seconds, windows, touched } of buckets) {
      for (const caller of touched) {
        const window = windows.peek(caller);
        if (window === undefined) continue;
        const key = hashed(name, caller);
        windowOf.set(key, window);
        for (const { slot, count } of window.takePending())
          given.push({ key, slot, count, seconds: Math.ceil((seconds * (SLOTS + 1)) / SLOTS) });
      }
      touched.clear();
    }
    try {
      if (windowOf.size > 0) {
        const { rows } = await pool.query<Row>({
          ...EXCHANGE,
          values: [
            given.map(({ key }) => key),
            given.map(({ slot }) => slot),
            given.map(({ count }) => count),
            given.map(({ seconds }) => seconds),
            [...windowOf.keys()],
          ],
        });
        for (const { key, slot, count } of rows) windowOf.get(key)?.learn(Number(slot), count);
      }
      if (Date.now() - lastClean > CLEAN_MS) {
        lastClean = Date.now();
        await pool.query('delete from convene.rate_limits where expires_at < now()');
      }
      down = false;
    } catch (error) {
      // What was not handed in still counts in this process.
      if (!down) of.failed(error);
      down = true;
    }
  };
  const timer = setInterval(() => {
    running ??= exchange().finally(() => {
      running = undefined;
    });
  }, EXCHANGE_MS);
  timer.unref();

  return {
    bucket: (name, seconds) => {
      const windows = cacheOf<string, Window>(CALLERS);
      const touched = new Set<string>();
      buckets.push({ name, seconds, windows, touched });
      return {
        name,
        seconds,
        standing: (caller, most, now) => {
          const window = windows.get(caller);
          const slot = slotAt(now, seconds);
          const used = window?.countAt(slot) ?? 0;
          const oldest = used === 0 || window === undefined ? slot : window.oldest();
          return { limit: most, remaining: Math.max(0, most - used), reset: secondsLeft(oldest, now, seconds) };
        },
        add: (caller, now) => {
          const slot = slotAt(now, seconds);
          let window = windows.get(caller);
          if (window === undefined) {
            window = new Window(slot);
            windows.set(caller, window);
          }
          window.add(slot);
          touched.add(caller);
        },
      };
    },
    admit: async (name, caller, { most, seconds }) => {
      const now = Date.now();
      const { rows } = await within(
        QUERY_MS,
        pool.query<{ admitted: boolean; used: number; oldest: string }>({
          name: 'rate-limit-admit',
          text: 'select admitted, used, oldest from convene.rate_limit_admit($1, $2, $3, $4, $5)',
          values: [hashed(name, caller), slotAt(now, seconds), SLOTS, most, Math.ceil(seconds / SLOTS)],
        }),
      );
      const [row] = rows;
      if (row === undefined) throw new Error('The rate limit gave no answer');
      return {
        admitted: row.admitted,
        limit: most,
        remaining: Math.max(0, most - row.used),
        reset: secondsLeft(Number(row.oldest), now, seconds),
      };
    },
    exchange,
    close: async () => {
      clearInterval(timer);
      await running;
      await exchange();
    },
  };
};

const within = async <Value>(milliseconds: number, work: Promise<Value>): Promise<Value> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, fail) => {
    timer = setTimeout(() => fail(new Error('The database did not answer in time')), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};
