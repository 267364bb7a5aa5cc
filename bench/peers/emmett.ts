import { isExpectedVersionConflictError } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import pg from 'pg';
import type { Sample } from '../sample.ts';

/** @event-driven-io/emmett-postgresql on a pool of its own, its tables made beforehand. */
export type EmmettStore = {
  /** Appends at exactly this version of the stream (0: a new stream); false when the stream has moved on. */
  readonly append: (stream: string, version: bigint, events: readonly Sample[]) => Promise<boolean>;
  /** The version after the events that follow `version`, which are read. */
  readonly versionAfter: (stream: string, version: bigint) => Promise<bigint>;
  /** Messages stored. */
  readonly count: () => Promise<number>;
  readonly close: () => Promise<void>;
};

/** Opens it. Migrations run here and never again: within measured time nothing looks at the schema. */
export async function emmettStore(connectionString: string, connections: number): Promise<EmmettStore> {
  const pool = new pg.Pool({ connectionString, max: connections, min: connections });
  const options = { connectionOptions: { pool } };
  await getPostgreSQLEventStore(connectionString, options).schema.migrate();
  const store = getPostgreSQLEventStore(connectionString, { ...options, schema: { autoMigration: 'None' } });
  return {
    append: async (stream, version, events) => {
      const messages = events.map(({ id, type, data, metadata }) => ({
        type,
        data,
        metadata: { ...metadata, messageId: id },
      }));
      try {
        await store.appendToStream(stream, messages, { expectedStreamVersion: version });
        return true;
      } catch (error) {
        if (isExpectedVersionConflictError(error)) return false;
        throw error;
      }
    },
    versionAfter: async (stream, version) => {
      const { events } = await store.readStream(stream, { from: version + 1n });
      return events.at(-1)?.metadata.streamPosition ?? version;
    },
    count: async () => {
      const { rows } = await pool.query<{ count: string }>('select count(*) from emt_messages');
      return Number(rows[0]?.count);
    },
    close: async () => {
      await store.close();
      await pool.end();
    },
  };
}
