import { open, rm } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { median } from './rounds.ts';

/** What the figures were taken on, as lines of text; ends the run when commits would not wait for the disk. */
export async function machine(connectionString: string, folder: string): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  const { rows } = await client
    .query<{ name: string; setting: string }>(
      `select name, current_setting(name) as setting from pg_settings
       where name in ('server_version', 'fsync', 'synchronous_commit', 'shared_buffers', 'wal_sync_method')`,
    )
    .finally(() => client.end());
  const setting = (name: string) => rows.find((row) => row.name === name)?.setting ?? 'unknown';
  if (setting('fsync') !== 'on' || setting('synchronous_commit') !== 'on')
    throw new Error('Measured without fsync nothing of this would mean anything');
  return [
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${(totalmem() / 2 ** 30).toFixed(0)} GB, ${type()} ${release()}`,
    `Node ${process.versions.node}, PostgreSQL ${setting('server_version')} (fsync on, ${setting('wal_sync_method')}, shared_buffers ${setting('shared_buffers')})`,
    `one flush to this disk: ${(await flushMs(folder)).toFixed(2)} ms`,
  ];
}

/** What every commit has to wait for at least: the median of writing 8 kB and flushing them. */
async function flushMs(folder: string): Promise<number> {
  const path = join(folder, 'flush');
  const file = await open(path, 'w');
  const page = Buffer.alloc(8192, 1);
  const taken: number[] = [];
  for (let n = 0; n < 100; n++) {
    const since = performance.now();
    await file.write(page, 0, page.length, n * page.length);
    await file.datasync();
    taken.push(performance.now() - since);
  }
  await file.close();
  await rm(path);
  return median(taken);
}
