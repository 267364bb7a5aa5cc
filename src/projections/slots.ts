import type pg from 'pg';
import { type Kind, transaction } from '../eventstore/consumer/checkpoint.ts';
import { type EventStore, START } from '../eventstore/port.ts';
import type { AnyProjection } from './projection.ts';
import { buildTableName, SCHEMA, tableOf } from './table.ts';

/** Called inside the transaction that made or replaced tables: what depends on tables (views) is made again here. */
export type AfterSwap = (client: pg.PoolClient) => Promise<void>;

const KIND: Kind = 'projection';

/** The versions of a projection's tables: the live one, and the one being built beside it. */
export type Slots = {
  readonly live: number | undefined;
  readonly build: number | undefined;
  readonly indexed: boolean;
  /** An operator wants the live table built anew. */
  readonly rebuild: boolean;
};

export const slotsOf = async (pool: pg.Pool, { name }: AnyProjection): Promise<Slots> => {
  const { rows } = await pool.query<{ slot: string; version: number; indexed: boolean; rebuild: boolean }>(
    `select slot, version, indexed, coalesce(w.rebuild, false) as rebuild
     from convene.checkpoints c left join convene.projection_control w using (name)
     where kind = $1 and name = $2`,
    [KIND, name],
  );
  const live = rows.find(({ slot }) => slot === 'live');
  return {
    live: live?.version,
    build: rows.find(({ slot }) => slot === 'build')?.version,
    indexed: live?.indexed ?? false,
    rebuild: live?.rebuild ?? false,
  };
};

/**
 * Makes the tables that do not exist yet, empty and at the start of the log, so that queries find them in every
 * process. Safe to call from several at once. `afterSwap` runs when there was anything to make.
 */
export const prepareTables = async (
  pool: pg.Pool,
  store: Pick<EventStore, 'head'>,
  projections: readonly AnyProjection[],
  afterSwap: AfterSwap = async () => {},
): Promise<void> => {
  const empty = (await store.head()) === START;
  await transaction(pool, async (client) => {
    await client.query(`select pg_advisory_xact_lock(hashtextextended('convene/prepare-tables', 0))`);
    await client.query(`create schema if not exists ${SCHEMA}`);
    const { rows } = await client.query<{ name: string }>(
      `select name from convene.checkpoints where kind = $1 and slot = 'live'`,
      [KIND],
    );
    const known = new Set(rows.map(({ name }) => name));
    const missing = projections.filter(({ name }) => !known.has(name));
    for (const projection of missing) {
      const table = tableOf(projection);
      await table.create(client);
      if (empty) await table.createIndexes(client);
      await client.query(
        `insert into convene.checkpoints (kind, name, slot, version, position, indexed) values ($1, $2, 'live', $3, $4, $5)`,
        [KIND, projection.name, projection.version, START, empty],
      );
    }
    if (missing.length > 0) await afterSwap(client);
  });
};

/** Makes the indexes of a table that was filled without them, once. */
export const completeIndexes = async (
  pool: pg.Pool,
  projection: AnyProjection,
  slot: 'live' | 'build',
): Promise<void> =>
  transaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `update convene.checkpoints set indexed = true where kind = $1 and name = $2 and slot = $3 and not indexed`,
      [KIND, projection.name, slot],
    );
    if (rowCount === 0) return;
    await tableOf(projection, slot === 'live' ? projection.name : buildTableName(projection)).createIndexes(client);
  });

/** Begins a new table beside the live one, dropping an unfinished one of another version; one of this version goes on. */
export const beginBuild = async (pool: pg.Pool, projection: AnyProjection): Promise<void> => {
  const { name, version } = projection;
  await transaction(pool, async (client) => {
    const { rows } = await client.query<{ version: number }>(
      `select version from convene.checkpoints where kind = $1 and name = $2 and slot = 'build' for update`,
      [KIND, name],
    );
    const former = rows[0]?.version;
    if (former === version) return;
    if (former !== undefined) {
      await tableOf(projection, buildTableName({ ...projection, version: former })).drop(client);
      await client.query(`delete from convene.checkpoints where kind = $1 and name = $2 and slot = 'build'`, [
        KIND,
        name,
      ]);
    }
    await tableOf(projection, buildTableName(projection)).create(client);
    await client.query(
      `insert into convene.checkpoints (kind, name, slot, version, position) values ($1, $2, 'build', $3, $4)`,
      [KIND, name, version, START],
    );
  });
};

/**
 * Puts the built table in the place of the live one. Readers see one or the other, whole. Rather than make queries wait
 * behind it, it gives up (SQLSTATE 55P03) when a running query holds the old table for longer than half a second.
 */
export const swap = async (pool: pg.Pool, projection: AnyProjection, afterSwap: AfterSwap): Promise<void> => {
  const { name } = projection;
  await transaction(pool, async (client) => {
    await client.query(`set local lock_timeout = '500ms'`);
    await tableOf(projection).drop(client, 'cascade');
    await tableOf(projection, buildTableName(projection)).rename(client, name);
    await client.query(`delete from convene.checkpoints where kind = $1 and name = $2 and slot = 'live'`, [KIND, name]);
    await client.query(
      `update convene.checkpoints set slot = 'live' where kind = $1 and name = $2 and slot = 'build'`,
      [KIND, name],
    );
    await client.query(`update convene.projection_control set rebuild = false where name = $1`, [name]);
    await afterSwap(client);
  });
};
