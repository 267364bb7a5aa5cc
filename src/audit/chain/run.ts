import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { describe, Replaced } from '../../eventstore/consumer/faults.ts';
import { leadership } from '../../eventstore/consumer/leadership.ts';
import { type Feed, FeedClosed } from '../../eventstore/feed.ts';
import type { EventStore } from '../../eventstore/port.ts';
import { chainHead, extendChain } from './records.ts';

export type ChainOptions = {
  /** May be one that does not wait for the disk: head and rows are behind together after a crash, and made again. */
  readonly pool: pg.Pool;
  readonly store: Pick<EventStore, 'readAll' | 'head'>;
  /** Tells when there is more. */
  readonly feed: Pick<Feed, 'after' | 'head' | 'ready'>;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
};

export type ChainRunner = {
  /** Finishes the statement under way and lets a standby take over. */
  readonly close: () => Promise<void>;
};

/** Events in one statement. */
const PAGE_EVENTS = 5_000;
/** Events gather for so long, in ms, so that a busy log costs few statements instead of one for each commit. */
const GATHER_MS = 50;
const MAX_BACKOFF_MS = 5_000;

/**
 * Keeps the hash chain up with the log: from its own durable head, each event once, as raw as the store hands it over.
 * One process on a database does it at a time. An append never waits for it.
 */
export const runChain = ({ pool, store, feed, log }: ChainOptions): ChainRunner => {
  const extend = async (signal: AbortSignal, onProgress: () => void): Promise<void> => {
    let head = await chainHead(pool);
    if (head.position > (await store.head()))
      log.error({ position: String(head.position) }, 'the log ends before its audit chain: convene audit verify');
    while (!signal.aborted) {
      const { events, position } = await store.readAll(head.position, { limit: PAGE_EVENTS });
      head = await extendChain(pool, head, events);
      if (events.length > 0) onProgress();
      if (events.length === PAGE_EVENTS) continue;
      if (feed.head() <= position) await feed.after(position, signal);
      await pause(GATHER_MS, undefined, { signal });
    }
  };

  const lead = async (signal: AbortSignal): Promise<void> => {
    await feed.ready;
    for (let failures = 0; !signal.aborted; failures += 1)
      try {
        await extend(signal, () => {
          failures = 0;
        });
      } catch (error) {
        if (error instanceof Replaced) throw error;
        if (signal.aborted || error instanceof FeedClosed) return;
        log.warn({ error: describe(error) }, 'audit chain interrupted, will try again');
        const backoff = Math.min(MAX_BACKOFF_MS, 100 * 2 ** Math.min(failures, 6));
        await pause(backoff, undefined, { signal }).catch(() => {});
      }
  };

  const { close } = leadership({ config: pool.options, name: 'audit-chain', log, lead });
  return { close };
};
