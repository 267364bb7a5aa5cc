import { setTimeout as pause } from 'node:timers/promises';
import type { Slot } from '../eventstore/consumer/checkpoint.ts';
import { type Consumption, type ConsumptionOptions, consume } from '../eventstore/consumer/consumption.ts';
import { describe, Replaced } from '../eventstore/consumer/faults.ts';
import { type Aggregates, interestIn } from '../eventstore/consumer/interest.ts';
import type { Position } from '../eventstore/port.ts';
import { subscriptionOf } from './folding.ts';
import type { AnyProjection } from './projection.ts';
import { projector } from './projector.ts';
import type { Allowance } from './rowMemory.ts';
import { type AfterSwap, beginBuild, completeIndexes, slotsOf, swap } from './slots.ts';
import { buildTableName, tableOf } from './table.ts';

export type SupervisionOptions = Pick<ConsumptionOptions, 'pool' | 'feed' | 'store' | 'decode' | 'log'> & {
  readonly aggregates: Aggregates;
  /** What the tables of either kind may keep in memory together. */
  readonly allowed: Readonly<Record<Slot, Allowance>>;
  readonly paused: () => boolean;
  /** Told how far the live table has come. */
  readonly onProgress: (position: Position) => void;
  readonly afterSwap: AfterSwap;
};

export type Supervision = {
  /** Looks again at what operators want: pause, verdicts on parked streams, a rebuild. */
  readonly wake: () => void;
  readonly stop: () => Promise<void>;
  /** Settles when it has ended: after stop, or because another worker has taken over (rejects with Replaced). */
  readonly done: Promise<void>;
};

const SWAP_PAUSE_MS = 500;
const RETRY_MS = 1_000;

/**
 * Runs one projection: its live table follows the log; a newer version, or an operator's wish, fills another table
 * beside it and puts that in its place once it has come as far.
 */
export const supervise = (projection: AnyProjection, options: SupervisionOptions): Supervision => {
  const { pool, feed, log, aggregates, allowed, paused, onProgress, afterSwap } = options;
  const stopping = new AbortController();
  const interest = interestIn(subscriptionOf(projection), aggregates);
  const running = new Set<Consumption>();
  let woken = false;
  let failure: unknown;
  let moved = Promise.withResolvers<void>();
  const stir = (): void => {
    const { resolve } = moved;
    moved = Promise.withResolvers();
    resolve();
  };

  const start = (slot: Slot): Consumption => {
    const table = tableOf(projection, slot === 'live' ? projection.name : buildTableName(projection));
    const consumption = consume({
      ...options,
      consumer: { kind: 'projection', name: projection.name, slot },
      interest,
      handler: projector(projection, table, { pool, allowed: allowed[slot], late: slot === 'build' }),
      paused: () => slot === 'live' && paused(),
      onProgress: (position) => {
        if (slot === 'live') onProgress(position);
        stir();
      },
    });
    running.add(consumption);
    consumption.done
      .catch((error: unknown) => {
        failure = error;
        stir();
      })
      .finally(() => running.delete(consumption));
    return consumption;
  };

  /** Waits until the condition holds; ends early, with false, when stopped. Rejects when a consumption was replaced. */
  const until = async (condition: () => boolean): Promise<boolean> => {
    while (!stopping.signal.aborted) {
      const { promise } = moved;
      if (failure !== undefined) throw failure;
      if (condition()) return true;
      await promise;
    }
    return false;
  };

  const build = async (live: Consumption | undefined): Promise<boolean> => {
    await beginBuild(pool, projection);
    log.info({ projection: projection.name, version: projection.version }, 'building');
    const building = start('build');
    const level = (): boolean => building.position() >= feed.head();
    if (!(await until(level))) return false;
    await completeIndexes(pool, projection, 'build');
    if (!(await until(level))) return false;
    // The live table stands still from here, so that what replaces it cannot be behind it.
    await live?.stop();
    const target = live?.position() ?? building.position();
    if (!(await until(() => building.position() >= target))) return false;
    await building.stop();
    if (building.saved() < target) throw new Error('The built table could not be saved');
    for (;;) {
      try {
        await swap(pool, projection, afterSwap);
        log.info({ projection: projection.name, version: projection.version }, 'swapped');
        return true;
      } catch (error) {
        log.warn({ projection: projection.name, error: describe(error) }, 'swap will be tried again');
        if (stopping.signal.aborted) return false;
        await pause(SWAP_PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
  };

  const session = async (): Promise<void> => {
    failure = undefined;
    let slots = await slotsOf(pool, projection);
    const current = slots.live === projection.version;
    const live = current ? start('live') : undefined;
    if (live !== undefined && !slots.indexed) {
      if (!(await until(() => live.position() >= feed.head()))) return;
      await completeIndexes(pool, projection, 'live');
    }
    while (current && slots.build === undefined && !slots.rebuild) {
      if (!(await until(() => woken))) return;
      woken = false;
      slots = await slotsOf(pool, projection);
    }
    await build(live);
  };

  const halt = async (): Promise<void> => {
    await Promise.all([...running].map((consumption) => consumption.stop()));
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await session();
      } catch (error) {
        await halt();
        if (error instanceof Replaced) throw error;
        log.warn({ projection: projection.name, error: describe(error) }, 'interrupted, will try again');
        await pause(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
    await halt();
  };
  const done = run();
  done.catch(() => {});

  return {
    wake: () => {
      woken = true;
      for (const consumption of running) consumption.wake();
      stir();
    },
    stop: async () => {
      stopping.abort();
      stir();
      await done.catch(() => {});
    },
    done,
  };
};
