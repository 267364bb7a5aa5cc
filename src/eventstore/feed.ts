import { setTimeout as pause } from 'node:timers/promises';
import type { Envelope, Undecodable } from './event.ts';
import { type Batch, type EventStore, type Position, START, type StoredEvent, type Subscription } from './port.ts';

/** An event in the clear, where its exact type does not matter. */
export type Fact = Envelope & { readonly type: string; readonly data: unknown };

export type FeedEvent = Fact | Undecodable;

/** Turns what lies in the log into events in the clear, one for each, in the same order. Throws only when keys are out of reach. */
export type Decode = (events: readonly StoredEvent[]) => Promise<readonly FeedEvent[]>;

/** All events of the log after `from`, up to and including `to`. */
export type Chunk = { readonly events: readonly FeedEvent[]; readonly from: Position; readonly to: Position };

/** Somebody who reads all of the log and has no use for most of it. */
export type Reader = {
  readonly concerns: (event: FeedEvent) => boolean;
  /** Told, while he waits, how far the log goes without an event that concerns him. */
  readonly passed: (to: Position) => void;
};

export type Feed = {
  /**
   * The next events after a position; waits until there are any. An empty chunk tells how far there are none.
   * Rejects with the signal's reason once it is aborted, and with what store or codec throw while reading the past.
   * Those who name themselves by a `reader`, the same one each time, go through the past side by side, so that it is read
   * and decoded once for all of them: who is ahead waits for who is behind, but not long. What a reader lets pass while he
   * waits does not end his wait; the chunk follows what he let pass.
   */
  readonly after: (position: Position, signal: AbortSignal, reader?: Reader) => Promise<Chunk>;
  /** Position of the last event that has been seen; START before the log was reached. */
  readonly head: () => Position;
  /** Settles once the live tail is followed. */
  readonly ready: Promise<void>;
  readonly close: () => Promise<void>;
};

/** Events that stay decoded behind the head, and at most this many are handed out at once. */
const RING_EVENTS = 4_096;
const PAGE_EVENTS = 2_048;
/** Pages of the past that stay decoded: how far readers of the past may be apart. */
const PAGES = 4;
/** How long readers of the past wait, unless told otherwise, for one that does not come for its next page. */
const PATIENCE_MS = 1_000;
const RETRY_MS = 250;
/** A log that grows faster than this is taken in gulps: every look at it costs each consumer a turn and a statement. */
const GULP_MS = 10;
/** Looks that may follow each other at once, so that a log which grows now and then is seen without delay. */
const GULPS_AT_ONCE = 8;

const slice = ({ events, to }: Chunk, from: Position): Chunk => ({
  events: events.filter(({ position }) => position > from),
  from,
  to,
});

/**
 * One decoded tail of the log for all consumers of a process: an event is read and decrypted once, however many
 * projections, policies and live connections ask for it. Recent events come from memory, the past in shared pages that
 * are read ahead; memory stays flat however long the log is.
 */
export const createFeed = ({
  store,
  decode,
  patienceMs = PATIENCE_MS,
}: {
  readonly store: EventStore;
  readonly decode: Decode;
  readonly patienceMs?: number;
}): Feed => {
  const closing = new AbortController();
  let ring: Chunk[] = [];
  let held = 0;
  /** Where the ring begins; undefined until the live tail is followed. */
  let base: Position | undefined;
  let head = START;
  const waiting = new Set<Waiting>();

  const decoded = async (batch: Batch, from: Position): Promise<Chunk> => {
    const fresh = batch.events.filter((event) => event.position > from);
    return { events: fresh.length === 0 ? [] : await decode(fresh), from, to: batch.position };
  };

  /** Tries again until it succeeds or the feed is closed. */
  const insist = async <T>(attempt: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await attempt();
      } catch (error) {
        if (closing.signal.aborted) throw error;
        await pause(RETRY_MS);
      }
    }
  };

  /** Most of those who wait let a chunk pass: to wake all of them for every event would cost more than to handle it. */
  const announce = (chunk?: Chunk): void => {
    for (const one of waiting) {
      const { reader, position } = one;
      if (
        chunk !== undefined &&
        reader !== undefined &&
        position === chunk.from &&
        !chunk.events.some(reader.concerns)
      ) {
        one.position = chunk.to;
        reader.passed(chunk.to);
      } else {
        waiting.delete(one);
        one.wake();
      }
    }
  };

  /** Waits at the head until there may be something; tells from where. */
  const grownAfter = async (position: Position, ended: Signals, reader: Reader | undefined): Promise<Position> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const one: Waiting = { position, reader, wake: resolve };
    waiting.add(one);
    await orAborted(promise, ended).finally(() => waiting.delete(one));
    return one.position;
  };

  const push = (chunk: Chunk): void => {
    ring.push(chunk);
    held += chunk.events.length;
    while (held > RING_EVENTS && ring.length > 1) held -= ring.shift()?.events.length ?? 0;
    base = ring[0]?.from;
    head = chunk.to;
    announce(chunk);
  };

  let tail: Subscription | undefined;
  const ready = insist(store.head).then((position) => {
    head = position;
    base = position;
    announce();
  });
  ready.catch(() => {});

  let spare = GULPS_AT_ONCE;
  let spentAt = performance.now();
  /** Waits when looks have followed each other faster than once in {@link GULP_MS} for longer than a moment. */
  const breath = async (): Promise<void> => {
    const now = performance.now();
    spare = Math.min(GULPS_AT_ONCE, spare + (now - spentAt) / GULP_MS) - 1;
    spentAt = now;
    if (spare < 0) await pause(-spare * GULP_MS, undefined, { signal: closing.signal }).catch(() => {});
  };

  const follow = async (): Promise<void> => {
    await ready;
    while (!closing.signal.aborted) {
      tail = store.subscribe(head, {
        onBatch: async (batch) => {
          if (batch.position > head) push(await insist(() => decoded(batch, head)));
          await breath();
        },
      });
      await tail.done.catch(() => pause(RETRY_MS));
    }
  };
  const following = follow().catch(() => {});

  /** Where in the ring the first chunk lies that goes beyond a position. */
  const placeAfter = (position: Position): number => {
    let low = 0;
    let high = ring.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ring[middle]?.to ?? position) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  };

  const fromRing = (position: Position): Chunk => {
    const parts: Chunk[] = [];
    let count = 0;
    for (let place = placeAfter(position); place < ring.length; place += 1) {
      const chunk = ring[place];
      if (chunk === undefined || (count > 0 && count + chunk.events.length > RING_EVENTS)) break;
      parts.push(chunk.from < position ? slice(chunk, position) : chunk);
      count += chunk.events.length;
    }
    const [first] = parts;
    const events = parts.length === 1 && first !== undefined ? first.events : parts.flatMap(({ events }) => events);
    return { events, from: position, to: parts.at(-1)?.to ?? position };
  };

  /** By where they begin, the oldest first. */
  const pages = new Map<Position, Promise<Chunk>>();
  /** Where each reader of the past goes on. */
  const going = new Map<Reader, Position>();
  let gone = Promise.withResolvers<void>();
  const goOn = (reader: Reader | undefined, to: Position): void => {
    if (reader === undefined) return;
    if (base !== undefined && to < base) going.set(reader, to);
    else going.delete(reader);
    const { resolve } = gone;
    gone = Promise.withResolvers();
    resolve();
  };

  /** Gives up the oldest page for another one; false while a reader is still to come for it. */
  const makeRoom = (): boolean => {
    const [oldest] = pages.keys();
    if (oldest === undefined || pages.size < PAGES) return true;
    for (const position of going.values()) if (position === oldest) return false;
    return pages.delete(oldest);
  };

  /** What lies behind a page, read while that one is being decoded. */
  const ahead = new Map<Position, Promise<Batch>>();
  const read = (from: Position): Promise<Batch> => store.readAll(from, { limit: PAGE_EVENTS });
  const readAhead = (from: Position): void => {
    const batch = read(from);
    ahead.set(from, batch);
    batch.catch(() => ahead.delete(from));
    const [oldest] = ahead.keys();
    if (ahead.size > PAGES && oldest !== undefined) ahead.delete(oldest);
  };

  const load = (from: Position): Promise<Chunk> => {
    const raw = ahead.get(from) ?? read(from);
    ahead.delete(from);
    const reading = raw.then((batch) => {
      const more = base !== undefined && batch.position > from && batch.position < base;
      if (more && !pages.has(batch.position) && !ahead.has(batch.position)) readAhead(batch.position);
      return decoded(batch, from);
    });
    pages.set(from, reading);
    reading.catch(() => pages.delete(from));
    return reading;
  };

  const page = async (from: Position, ended: Signals): Promise<Chunk> => {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const known = pages.get(from);
      if (known !== undefined) return known;
      if (makeRoom()) return load(from);
      const left = deadline - performance.now();
      if (left > 0) await within(left, gone.promise, ended);
      else {
        const [oldest] = pages.keys();
        for (const [each, position] of going) if (position === oldest) going.delete(each);
      }
    }
  };

  /** Reads the past in pages whose borders all readers share, and the page behind it while this one is being handled. */
  const fromPast = async (position: Position, ended: Signals, reader: Reader | undefined): Promise<Chunk> => {
    goOn(reader, position);
    const chunk = await page(position, ended);
    goOn(reader, chunk.to);
    const more = base !== undefined && chunk.to > position && chunk.to < base && !pages.has(chunk.to);
    if (more && makeRoom()) load(chunk.to).catch(() => {});
    return chunk;
  };

  const after: Feed['after'] = async (from, signal, reader) => {
    // Not AbortSignal.any: it costs more than the rest of a look at the ring.
    const ended = [signal, closing.signal];
    for (let position = from; ; ) {
      for (const each of ended) each.throwIfAborted();
      if (base !== undefined && position < base) {
        const chunk = await fromPast(position, ended, reader);
        if (chunk.to > position) return chunk;
        pages.delete(position);
      } else if (position < head) return fromRing(position);
      position = await grownAfter(position, ended, reader);
    }
  };

  return {
    after,
    head: () => head,
    ready,
    close: async () => {
      closing.abort(new FeedClosed('The feed was closed'));
      await tail?.close();
      await following;
      pages.clear();
      ahead.clear();
      ring = [];
    },
  };
};

/** The feed was closed while somebody waited for events. */
export class FeedClosed extends Error {
  override readonly name = 'FeedClosed';
}

/** Somebody who waits at the head, from a position that moves with what he lets pass. */
type Waiting = { position: Position; readonly reader: Reader | undefined; readonly wake: () => void };

/** Whichever is aborted first counts. */
type Signals = readonly AbortSignal[];

/** Settles with the promise, or rejects with the reason of a signal if that comes first; leaves no listener behind. */
const orAborted = async (promise: Promise<void>, signals: Signals): Promise<void> => {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = ({ target }: Event): void => reject((target as AbortSignal).reason);
  for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    for (const signal of signals) signal.removeEventListener('abort', onAbort);
  }
};

/** As {@link orAborted}, but settles after so many milliseconds at the latest. */
const within = async (ms: number, promise: Promise<void>, ended: Signals): Promise<void> => {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await orAborted(Promise.race([promise, over]), ended).finally(() => clearTimeout(timer));
};
