import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { isUndecodable } from '../event.ts';
import { type Decode, type Fact, type Feed, FeedClosed, type FeedEvent, type Reader } from '../feed.ts';
import { type EventStore, type Position, START } from '../port.ts';
import { type Checkpoint, type Consumer, noteError, type Settle, takeOver } from './checkpoint.ts';
import { describe, isDataFault, Poison, Replaced } from './faults.ts';
import type { Handler } from './handler.ts';
import { concerns, type Interest } from './interest.ts';
import { type Letter, park, parkedStreams } from './parking.ts';
import { type Redrive, redrive } from './redrive.ts';

export type ConsumptionOptions = {
  readonly pool: pg.Pool;
  readonly feed: Feed;
  readonly store: Pick<EventStore, 'readStream'>;
  readonly decode: Decode;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly consumer: Consumer;
  readonly interest: Interest;
  readonly handler: Handler;
  readonly paused: () => boolean;
  /** Called whenever the consumer has come further, in memory at least. */
  readonly onProgress?: (position: Position) => void;
};

export type Consumption = {
  /** How far it has come, in memory at least; START before it has begun. */
  readonly position: () => Position;
  /** How far it has come durably. */
  readonly saved: () => Position;
  /** Looks again at what operators want and which streams are set aside. */
  readonly wake: () => void;
  /** Finishes the batch under way and saves what it can: see `saved`. */
  readonly stop: () => Promise<void>;
  /** Settles when it has ended: after stop, or because another worker has taken over (rejects with Replaced). */
  readonly done: Promise<void>;
};

/** Events that one transaction takes while catching up. */
const BATCH_EVENTS = 4_096;
const SAVE_MS = 1_000;
/** As long as what was handled may wait to be written: what a crash has done again. Each write costs every row that changed since the last. */
const UNWRITTEN_MS = 20_000;
const MAX_BACKOFF_MS = 5_000;

/**
 * Runs one consumer over the feed from its durable position until stopped: events and checkpoint move together, an
 * event that cannot be handled sets its own stream aside, outages are sat out, stretches without interest advance in
 * memory and are saved once a second. A handler that is not full keeps what it took in memory until the head is reached,
 * for seconds at most; then it is written together with the position, so that whatever happens in between is handled again.
 */
export const consume = (options: ConsumptionOptions): Consumption => {
  const { pool, feed, log, consumer, interest, handler, paused, onProgress } = options;
  const stopping = new AbortController();
  let waiting = new AbortController();
  let woken = false;
  let checkpoint: Checkpoint | undefined;
  let position = START;
  /** By `performance.now()`: the time of day may be set back. */
  let savedAt = 0;
  let letters: ReadonlyMap<string, Letter> = new Map();
  /** Whether earlier batches are in memory alone. */
  let unwritten = false;
  /** Batches that begin before it are written at once: it lies behind something that Postgres refused, which is to be found. */
  let careful = START;

  const saved = (): Position => checkpoint?.position() ?? START;
  const reach = (to: Position): void => {
    position = to;
    onProgress?.(to);
  };
  /** Forgets what is in memory alone. */
  const goBack = (): void => {
    handler.reset(saved());
    unwritten = false;
    reach(saved());
  };
  const refused = (to: Position): void => {
    if (to > careful) careful = to;
  };

  /** Writes whatever the handler has taken, and the position. When that fails, the handler has forgotten it. */
  const flush = async (to: Position, settle?: Settle): Promise<void> => {
    try {
      await checkpoint?.move(to, handler.effects(), settle);
    } catch (error) {
      handler.reset(saved());
      if (isDataFault(error)) refused(to);
      throw error;
    }
    handler.written();
    unwritten = false;
    savedAt = performance.now();
  };
  const save = async (): Promise<void> => {
    if (position > saved()) await flush(position);
    savedAt = performance.now();
  };
  const isSaveDue = (): boolean => performance.now() >= saveDueAt();
  /** Positions alone are saved when the clock shows a whole {@link SAVE_MS}, so that those of all consumers go out together. */
  const saveDueAt = (): number => (unwritten ? savedAt + UNWRITTEN_MS : (Math.floor(savedAt / SAVE_MS) + 1) * SAVE_MS);

  const take = async (events: readonly FeedEvent[]): Promise<void> => {
    const unreadable = events.find(isUndecodable);
    if (unreadable !== undefined) throw new Poison(unreadable, unreadable.error);
    if (events.length > 0) await handler.take(events as readonly Fact[]);
  };

  const setAside = async (event: FeedEvent, cause: unknown): Promise<void> => {
    log.error(
      {
        consumer: consumer.name,
        stream: event.stream,
        revision: event.revision,
        type: event.type,
        error: describe(cause),
      },
      'stream parked',
    );
    await flush(event.position, (client) => park(client, consumer, event, cause, 1));
    letters = await parkedStreams(pool, consumer);
  };

  const absorb = async (events: readonly FeedEvent[], to: Position): Promise<void> => {
    const rest = events.filter(({ stream }) => !letters.has(stream));
    try {
      await take(rest);
      if (handler.full() || saved() < careful || to >= feed.head()) await flush(to);
      else if (rest.length > 0) unwritten = true;
    } catch (error) {
      if (error instanceof Poison) {
        const at = rest.indexOf(error.event);
        const before = rest[at - 1];
        if (before !== undefined) await absorb(rest.slice(0, at), before.position);
        if (!letters.has(error.event.stream)) await setAside(error.event, error.cause);
        await absorb(rest.slice(at + 1), to);
      } else if (isDataFault(error)) {
        refused(to);
        const [first] = rest;
        if (first === undefined || unwritten) throw error;
        if (rest.length === 1) {
          await setAside(first, error);
          return absorb([], to);
        }
        const half = rest.length >> 1;
        await absorb(rest.slice(0, half), rest[half - 1]?.position ?? to);
        await absorb(rest.slice(half), to);
      } else throw error;
    }
  };

  let timer: NodeJS.Timeout | undefined;
  const setTimer = (): void => {
    const due = [
      ...(position > saved() ? [saveDueAt()] : []),
      ...[...letters.values()].flatMap(({ nextAttempt }) => (nextAttempt === null ? [] : [nextAttempt])),
    ];
    if (due.length > 0) timer = setTimeout(() => waiting.abort(), Math.max(0, Math.min(...due) - performance.now()));
  };

  const reader: Reader = {
    concerns: (event) => concerns(interest, event) && !letters.has(event.stream),
    passed: (to) => {
      const isFirst = position <= saved();
      reach(to);
      if (isFirst) {
        clearTimeout(timer);
        setTimer();
      }
    },
  };

  /** Waits for events, a wake-up, or the moment when something is due. */
  const next = async () => {
    waiting = new AbortController();
    if (woken || stopping.signal.aborted) return undefined;
    setTimer();
    try {
      if (paused()) await aborted(waiting.signal);
      else return await feed.after(position, waiting.signal, reader);
    } catch (error) {
      if (!waiting.signal.aborted) throw error;
    } finally {
      clearTimeout(timer);
    }
    return undefined;
  };

  /** Takes events until a batch is full, the head is reached or a second has passed, and handles them together. */
  const advance = async (): Promise<void> => {
    const wanted: FeedEvent[] = [];
    const began = performance.now();
    let chunk = await next();
    if (chunk === undefined) return;
    let to = chunk.to;
    for (;;) {
      wanted.push(...chunk.events.filter(reader.concerns));
      to = chunk.to;
      if (to >= feed.head() || wanted.length >= BATCH_EVENTS || performance.now() - began > SAVE_MS) break;
      if (stopping.signal.aborted || woken) break;
      chunk = await feed.after(to, stopping.signal, reader);
    }
    if (wanted.length > 0) await absorb(wanted, to);
    reach(to);
  };

  const isDue = ({ verdict, nextAttempt }: Letter): boolean =>
    verdict !== null || (nextAttempt !== null && nextAttempt <= performance.now());

  const step = async (): Promise<void> => {
    if (woken) {
      woken = false;
      letters = await parkedStreams(pool, consumer);
    }
    if (!paused()) {
      const due = [...letters.values()].filter(isDue);
      if (due.length > 0) {
        if (unwritten) await flush(position);
        const write: Redrive['write'] = async (events, to, settle) => {
          await take(events);
          await flush(to, settle);
        };
        for (const letter of due) await redrive(letter, { ...options, write, upTo: position });
        letters = await parkedStreams(pool, consumer);
      }
    }
    if (isSaveDue()) await save();
    await advance();
  };

  const session = async (): Promise<void> => {
    // A name of its own for each session: what a lost connection may still be doing for the last one comes to nothing.
    const taken = await takeOver(pool, consumer, randomUUID());
    if (taken === undefined) throw new Replaced(`The checkpoint of ${consumer.kind} ${consumer.name} is gone`);
    checkpoint = taken;
    letters = await parkedStreams(pool, consumer);
    savedAt = performance.now();
    goBack();
    while (!stopping.signal.aborted)
      try {
        await step();
      } catch (error) {
        if (!unwritten || !isDataFault(error)) throw error;
        log.warn({ consumer: consumer.name, error: describe(error) }, 'rows refused, looking for the event');
        goBack();
      }
    await save();
  };

  const run = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; failures += 1) {
      const before = saved();
      try {
        await session();
      } catch (error) {
        if (error instanceof Replaced) throw error;
        if (stopping.signal.aborted || error instanceof FeedClosed) return;
        if (saved() > before) failures = 0;
        log.warn({ consumer: consumer.name, error: describe(error) }, 'interrupted, will try again');
        await noteError(pool, consumer, describe(error)).catch(() => {});
        const backoff = Math.min(MAX_BACKOFF_MS, 100 * 2 ** Math.min(failures, 6));
        await pause(backoff, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  };
  const done = run().finally(() => handler.reset(saved()));
  done.catch(() => {});

  return {
    position: () => position,
    saved,
    wake: () => {
      woken = true;
      waiting.abort();
    },
    stop: async () => {
      stopping.abort();
      waiting.abort();
      await done.catch(() => {});
    },
    done,
  };
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
