import type pg from 'pg';
import { type Consumption, type ConsumptionOptions, consume } from '../eventstore/consumer/consumption.ts';
import { atOnce } from '../eventstore/consumer/handler.ts';
import { type Aggregates, interestIn } from '../eventstore/consumer/interest.ts';
import { leadership } from '../eventstore/consumer/leadership.ts';
import { CONTROL_CHANNEL } from '../eventstore/consumer/parking.ts';
import type { EventStore } from '../eventstore/port.ts';
import { listen } from '../eventstore/postgres/listener.ts';
import type { AnyPolicy } from './policy.ts';
import { type Reacting, reactor } from './reacting.ts';

export type PolicyRunnerOptions = Pick<ConsumptionOptions, 'pool' | 'feed' | 'decode' | 'log'> &
  Omit<Reacting, 'log'> & {
    readonly store: Pick<EventStore, 'head' | 'readStream'>;
    readonly policies: readonly AnyPolicy[];
    readonly aggregates: Aggregates;
  };

export type PolicyRunner = {
  /** Whether this process runs the policies, or stands by. */
  readonly leads: () => boolean;
  /** Finishes batches under way, saves positions, and lets a standby take over. */
  readonly close: () => Promise<void>;
};

/**
 * Gives every policy that has none a durable position: the end of the log as it is now. A policy that is added to a
 * service with a past reacts to what happens from then on, never to that past; on a fresh service nothing has happened
 * yet. To be called at the start of every process, before it accepts commands; later calls change nothing.
 */
export const registerPolicies = async (
  pool: pg.Pool,
  store: Pick<EventStore, 'head'>,
  policies: readonly AnyPolicy[],
): Promise<void> => {
  const head = await store.head();
  await pool.query(
    `insert into convene.checkpoints (kind, name, version, position)
     select 'policy', name, 1, $2 from unnest($1::text[]) name on conflict do nothing`,
    [policies.map(({ name }) => name), head],
  );
};

/** Runs all policies, each from its own durable position; one process on a database at a time, the others stand by. */
export const createPolicyRunner = async (options: PolicyRunnerOptions): Promise<PolicyRunner> => {
  const { pool, store, log, policies, aggregates } = options;
  await registerPolicies(pool, store, policies);

  const lead = async (signal: AbortSignal): Promise<void> => {
    const consumptions = policies.map(
      (policy): Consumption =>
        consume({
          ...options,
          consumer: { kind: 'policy', name: policy.name, slot: 'live' },
          interest: interestIn(Object.keys(policy.on), aggregates),
          handler: atOnce(reactor(policy, options)),
          paused: () => false,
        }),
    );
    const control = listen(pool.options, CONTROL_CHANNEL);
    const obey = async (): Promise<void> => {
      while (!signal.aborted) {
        await control.next();
        const { rowCount } = await pool
          .query(`select from convene.parked where kind = 'policy' and verdict is not null limit 1`)
          .catch(() => ({ rowCount: 0 }));
        if (rowCount !== 0) for (const consumption of consumptions) consumption.wake();
      }
    };
    const closeControl = (): void => void control.close();
    signal.addEventListener('abort', closeControl, { once: true });
    try {
      await Promise.race([obey(), ...consumptions.map(({ done }) => done)]);
    } finally {
      signal.removeEventListener('abort', closeControl);
      await control.close();
      await Promise.all(consumptions.map((consumption) => consumption.stop()));
    }
  };

  const { leads, close } = leadership({ config: pool.options, name: 'policies', log, lead });
  return { leads, close };
};
