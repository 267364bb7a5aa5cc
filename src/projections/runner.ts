import type pg from 'pg';
import { describe } from '../eventstore/consumer/faults.ts';
import { leadership } from '../eventstore/consumer/leadership.ts';
import { CONTROL_CHANNEL } from '../eventstore/consumer/parking.ts';
import { listen } from '../eventstore/postgres/listener.ts';
import type { Progress } from './progress.ts';
import type { AnyProjection } from './projection.ts';
import { allowance, LIVE_MEMORY_BYTES } from './rowMemory.ts';
import { type AfterSwap, prepareTables } from './slots.ts';
import { type SupervisionOptions, supervise } from './supervision.ts';

export type RunnerOptions = Omit<SupervisionOptions, 'paused' | 'onProgress' | 'afterSwap' | 'store' | 'allowed'> & {
  readonly store: SupervisionOptions['store'] & Parameters<typeof prepareTables>[1];
  readonly projections: readonly AnyProjection[];
  readonly progress: Pick<Progress, 'moved'>;
  /** Makes again what depends on tables, the views of analytics above all; see {@link AfterSwap}. */
  readonly afterSwap?: AfterSwap;
  /** Estimated bytes of rows that all rebuilds together keep in memory; by default an eighth of the heap, at most 256 MB. */
  readonly buildMemoryBytes?: number;
};

export type ProjectionRunner = {
  /** Whether this process runs the projections, or stands by. */
  readonly leads: () => boolean;
  /** Finishes batches under way, saves positions, and lets a standby take over. */
  readonly close: () => Promise<void>;
};

/** What operators want at the moment: read whenever they announce something, and now and then. */
type Wishes = { readonly paused: ReadonlySet<string>; readonly wanted: ReadonlySet<string> };

const wishes = async (pool: pg.Pool): Promise<Wishes> => {
  const { rows } = await pool.query<{ name: string; paused: boolean; wanted: boolean }>(
    `select name, coalesce(bool_or(paused), false) as paused, bool_or(rebuild or verdict is not null) as wanted
     from convene.projection_control full join (select name, verdict from convene.parked where kind = 'projection') p using (name)
     group by name`,
  );
  return {
    paused: new Set(rows.filter(({ paused }) => paused).map(({ name }) => name)),
    wanted: new Set(rows.filter(({ wanted }) => wanted).map(({ name }) => name)),
  };
};

/**
 * Keeps all read models up to date. One process on a database does it at a time; the others stand by and take over
 * within seconds.
 */
export const runProjections = (options: RunnerOptions): ProjectionRunner => {
  const { pool, feed, store, log, projections, progress, afterSwap = async () => {}, buildMemoryBytes } = options;

  const lead = async (signal: AbortSignal): Promise<void> => {
    await feed.ready;
    await prepareTables(pool, store, projections, afterSwap);
    let current = await wishes(pool);
    const allowed = { live: allowance(LIVE_MEMORY_BYTES), build: allowance(buildMemoryBytes) };
    const supervisions = new Map(
      projections.map((projection) => [
        projection.name,
        supervise(projection, {
          ...options,
          afterSwap,
          allowed,
          paused: () => current.paused.has(projection.name),
          onProgress: (position) => progress.moved(projection.name, position),
        }),
      ]),
    );
    const control = listen(pool.options, CONTROL_CHANNEL);
    const obey = async (): Promise<void> => {
      while (!signal.aborted) {
        const announced = control.next();
        const before = current;
        current = await wishes(pool).catch((error: unknown) => {
          log.warn({ error: describe(error) }, 'control table out of reach');
          return before;
        });
        for (const [name, supervision] of supervisions)
          if (current.wanted.has(name) || current.paused.has(name) !== before.paused.has(name)) supervision.wake();
        await announced;
      }
    };
    const closeControl = (): void => void control.close();
    signal.addEventListener('abort', closeControl, { once: true });
    try {
      // The first that was replaced ends this term: all others have a new owner too, or soon will.
      await Promise.race([obey(), ...[...supervisions.values()].map(({ done }) => done)]);
    } finally {
      signal.removeEventListener('abort', closeControl);
      await control.close();
      await Promise.all([...supervisions.values()].map((supervision) => supervision.stop()));
    }
  };

  const { leads, close } = leadership({ config: pool.options, name: 'projections', log, lead });
  return { leads, close };
};
