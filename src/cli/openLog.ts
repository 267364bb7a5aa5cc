import type pg from 'pg';
import { deciders } from '../domain/catalogue.ts';
import { type Codec, createCodec } from '../eventstore/codec.ts';
import { eventStoreDb } from '../eventstore/eventstoredb/index.ts';
import { keyRing } from '../eventstore/keyRing.ts';
import type { EventStore } from '../eventstore/port.ts';
import { postgresEventStore } from '../eventstore/postgres/index.ts';
import { masterKeys } from '../masterKeys.ts';
import { migrate } from '../migrations/index.ts';
import { createPool } from '../postgres/pool.ts';
import { secretsOf } from '../secrets.ts';
import type { Context } from './command.ts';

/** The service's database and log, as a command reads them. */
export type OpenLog = { readonly pool: pg.Pool; readonly store: EventStore; readonly codec: Codec };

const POOL_SIZE = 5;

/** Lets `use` work with the service's database alone; closed when it is done. */
export const withDatabase = async <T>(context: Context, use: (pool: pg.Pool) => Promise<T>): Promise<T> => {
  const pool = createPool(await context.connectionString(), POOL_SIZE, () => {});
  try {
    await migrate(pool);
    return await use(pool);
  } finally {
    await pool.end();
  }
};

/** Lets `use` work with the service's database and log; closed when it is done. */
export const withLog = async <T>(context: Context, use: (log: OpenLog) => Promise<T>): Promise<T> =>
  withDatabase(context, async (pool) => {
    const { config } = context;
    const secrets = await secretsOf(config);
    const store =
      config.eventStoreUrl === undefined
        ? postgresEventStore({ connectionString: await context.connectionString() })
        : await eventStoreDb({ connectionString: config.eventStoreUrl });
    try {
      const keys = keyRing(pool, masterKeys(secrets.masterKey, config.masterKeyPrevious));
      return await use({ pool, store, codec: createCodec(deciders, keys) });
    } finally {
      await store.close();
    }
  });
