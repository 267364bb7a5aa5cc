import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { isUndecodable } from '../event.ts';
import { type Decode, type Fact, type Feed, FeedClosed, type FeedEvent } from '../feed.ts';
import { type EventStore, type Position, START } from '../port.ts';
import { type Checkpoint, type Consumer, type Effects, noteError, type Settle, takeOver } from './checkpoint.ts';
import { describe, isDataFault, Poison, Replaced } from './faults.ts';
import { concerns, type Interest } from './interest.ts';
import { type Letter, park, parkedStreams } from './parking.ts';
import { redrive } from './redrive.ts';

/**
 * Handles events in order: everything but the writing, if there is any, which is done as the checkpoint moves. Throws Poison for an event that cannot be handled; anything
 * else it throws is an outage (tried again without end) unless Postgres refused the data.
 */
export type Handle = (events: readonly Fact[]) => Promise<Effects | undefined>;

export type ConsumptionOptions = {
  readonly pool: pg.Pool;
  readonly feed: Feed;
  readonly store: Pick<EventStore, 'readStream'>;
  readonly decode: Decode;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly consumer: Consumer;
  readonly interest: Interest;
  readonly handle: Handle;
  readonly paused: () => boolean;
  /** Called whenever the consumer has come further, in memory at least. */
  readonly onProgress?: (position: Position) => void;
};

export type Consumption = {
  /** How far it has come; START before it has begun. */
  readonly position: () => Position;
  /** Looks again at what operators want and which streams are set aside. */
  readonly wake: () => void;
  /** Finishes the batch under way and saves the position. */
  readonly stop: () => Promise<void>;
  /** Settles when it has ended: after stop, or because another worker has taken over (rejects with Replaced). */
  readonly done: Promise<void>;
};

/** Events that one transaction takes while catching up. */
const BATCH_EVENTS = 4_096;
const SAVE_MS = 1_000;
const MAX_BACKOFF_MS = 5_000;

/**
 * Runs one consumer over the feed from its durable position until stopped: events and checkpoint move together, an
 * event that cannot be handled sets its own stream aside, outages are sat out, stretches without interest advance in
 * memory and are saved once a second.
 */
export const consume = (options: ConsumptionOptions): Consumption => {
  const { pool, feed, log, consumer, interest, handle, paused, onProgress } = options;
  const stopping = new AbortController();
  const reader = {};
  let waiting = new AbortController();
  let woken = false;
  let checkpoint: Checkpoint;
  let position = START;
  /** By `performance.now()`: the time of day may be set back. */
  let savedAt = 0;
  let letters: ReadonlyMap<string, Letter> = new Map();

  const reach = (to: Position): void => {
    position = to;
    onProgress?.(to);
  };
  const save = async (): Promise<void> => {
    if (position > checkpoint.position()) await checkpoint.move(position);
    savedAt = performance.now();
  };

  const write = async (events: readonly FeedEvent[], to: Position, settle?: Settle): Promise<void> => {
    const unreadable = events.find(isUndecodable);
    if (unreadable !== undefined) throw new Poison(unreadable, unreadable.error);
    const effects = events.length === 0 ? undefined : await handle(events as readonly Fact[]);
    await checkpoint.move(to, effects, settle);
    savedAt = performance.now();
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
    await checkpoint.move(event.position, undefined, (client) => park(client, consumer, event, cause, 1));
    letters = await parkedStreams(pool, consumer);
  };

  const absorb = async (events: readonly FeedEvent[], to: Position): Promise<void> => {
    const rest = events.filter(({ stream }) => !letters.has(stream));
    try {
      await write(rest, to);
    } catch (error) {
      if (error instanceof Poison) {
        const at = rest.indexOf(error.event);
        const before = rest[at - 1];
        if (before !== undefined) await absorb(rest.slice(0, at), before.position);
        if (!letters.has(error.event.stream)) await setAside(error.event, error.cause);
        await absorb(rest.slice(at + 1), to);
      } else if (isDataFault(error)) {
        const [first] = rest;
        if (first === undefined) throw error;
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

  /** Waits for events, a wake-up, or the moment when something is due. */
  const next = async () => {
    waiting = new AbortController();
    if (woken || stopping.signal.aborted) return undefined;
    const due = [
      ...(position > checkpoint.position() ? [savedAt + SAVE_MS] : []),
      ...[...letters.values()].flatMap(({ nextAttempt }) => (nextAttempt === null ? [] : [nextAttempt])),
    ];
    const timer =
      due.length === 0
        ? undefined
        : setTimeout(() => waiting.abort(), Math.max(0, Math.min(...due) - performance.now()));
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
      for (const event of chunk.events) if (concerns(interest, event) && !letters.has(event.stream)) wanted.push(event);
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

  const session = async (): Promise<void> => {
    // A name of its own for each session: what a lost connection may still be doing for the last one comes to nothing.
    const taken = await takeOver(pool, consumer, randomUUID());
    if (taken === undefined) throw new Replaced(`The checkpoint of ${consumer.kind} ${consumer.name} is gone`);
    checkpoint = taken;
    letters = await parkedStreams(pool, consumer);
    savedAt = performance.now();
    reach(checkpoint.position());
    while (!stopping.signal.aborted) {
      if (woken) {
        woken = false;
        letters = await parkedStreams(pool, consumer);
      }
      if (!paused()) {
        const due = [...letters.values()].filter(isDue);
        for (const letter of due) await redrive(letter, { ...options, write, upTo: position });
        if (due.length > 0) letters = await parkedStreams(pool, consumer);
      }
      if (performance.now() - savedAt >= SAVE_MS) await save();
      await advance();
    }
    await save();
  };

  const run = async (): Promise<void> => {
    for (let failures = 0; !stopping.signal.aborted; failures += 1) {
      const before = position;
      try {
        await session();
      } catch (error) {
        if (error instanceof Replaced) throw error;
        if (stopping.signal.aborted || error instanceof FeedClosed) return;
        if (position > before) failures = 0;
        log.warn({ consumer: consumer.name, error: describe(error) }, 'interrupted, will try again');
        await noteError(pool, consumer, describe(error)).catch(() => {});
        const backoff = Math.min(MAX_BACKOFF_MS, 100 * 2 ** Math.min(failures, 6));
        await pause(backoff, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  };
  const done = run();
  done.catch(() => {});

  return {
    position: () => position,
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
