import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbeddedPostgres } from '../src/embeddedPostgres.ts';
import { migrate } from '../src/migrations/index.ts';
import type { BenchDatabase, Context } from './bench.ts';

/** The one PostgreSQL of a run, as the service starts it: durable, every commit waits for the disk. */
export type BenchServer = {
  readonly connectionString: string;
  readonly folder: string;
  readonly database: Context['database'];
  readonly stop: () => Promise<void>;
};

/** Starts it in a fresh folder under `parent`, not in the temporary folder: that often lies in memory, where nothing is ever flushed. */
export async function startServer(parent: string): Promise<BenchServer> {
  await mkdir(parent, { recursive: true });
  const folder = await mkdtemp(join(parent, 'run-'));
  const server = await startEmbeddedPostgres(folder);
  const administer = async (statement: string): Promise<void> => {
    const client = new pg.Client({ connectionString: server.connectionString });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  const database: Context['database'] = async ({ migrate: migrated = false } = {}): Promise<BenchDatabase> => {
    const name = `bench_${randomBytes(6).toString('hex')}`;
    await administer(`create database ${name}`);
    const url = new URL(server.connectionString);
    url.pathname = `/${name}`;
    if (migrated) {
      const pool = new pg.Pool({ connectionString: url.href, options: '-c search_path=read,convene,public' });
      await migrate(pool).finally(() => pool.end());
    }
    return { connectionString: url.href, drop: () => administer(`drop database ${name} with (force)`) };
  };
  return {
    connectionString: server.connectionString,
    folder,
    database,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
