import { execFile } from 'node:child_process';
import { cp, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { World } from '../world/world.ts';
import type { Fault, Strike } from './fault.ts';

const run = promisify(execFile);

/** Room beside what the cluster needs when it moves in. */
const SPARE_BYTES = 48 * 1_048_576;
const BLOCK = 65_536;
const FAILURES = 12;

const sizeOf = async (folder: string): Promise<number> => {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const sizes = await Promise.all(
    entries.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name))),
  );
  return sizes.reduce((sum, { blocks }) => sum + blocks * 512, 0);
};

/** Copies a stopped cluster with its owners. */
const copy = (from: string, to: string): Promise<unknown> => run('cp', ['-a', `${from}/.`, to]);

/** Writes until not a byte is left. */
const fill = async (path: string): Promise<void> => {
  const file = await open(path, 'w');
  const block = Buffer.alloc(BLOCK, 1);
  try {
    for (let size = BLOCK; size >= 1; )
      try {
        await file.appendFile(block.subarray(0, size));
      } catch {
        size >>= 1;
      }
  } finally {
    await file.close();
  }
};

type Small = { readonly folder: string; readonly leave: () => Promise<void> };

/** Moves the cluster onto a small memory file system; says why where none can be mounted. */
const moveToSmallDisk = async ({ database, folder, watcher }: World): Promise<Small | string> => {
  const home = database.folder();
  const small = join(folder, 'small-disk');
  await mkdir(small, { recursive: true });
  await database.stop();
  const size = (await sizeOf(home)) + SPARE_BYTES;
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0711`, 'tmpfs', small]);
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n').at(-2) ?? error.message) : 'mount failed';
  }
  watcher.mounted(small);
  const there = join(small, 'postgres');
  await mkdir(there);
  await copy(home, there);
  await database.moveTo(there);
  return {
    folder: small,
    leave: async () => {
      await database.stop();
      await rm(join(home, 'data'), { recursive: true });
      await cp(join(there, 'postgres.log'), join(home, 'postgres-small-disk.log'));
      await copy(there, home);
      await database.moveTo(home);
      await run('umount', [small]);
      watcher.unmounted(small);
    },
  };
};

/** Fills the disk of log and tables under load, frees it again, and brings PostgreSQL back if it gave up. */
const strike = async ({ world, failures, say }: Strike): Promise<void> => {
  const small = await moveToSmallDisk(world);
  if (typeof small === 'string') {
    say(`NOT MADE: no small disk can be mounted here (${small}); PostgreSQL was stopped and started instead`);
    await world.database.start();
    return;
  }
  await world.database.start();
  await world.usable();
  const filler = join(small.folder, 'filler');
  const noticed = failures(FAILURES);
  await fill(filler);
  say('the disk of log and tables is full until requests fail');
  await noticed;
  const survived = world.database.isRunning();
  await rm(filler);
  if (!survived) await world.database.start();
  say(`PostgreSQL ${survived ? 'went on' : 'had ended and was started'} when there was room again`);
  await world.usable();
  await small.leave();
  await world.database.start();
};

export const diskFull: Fault = { name: 'disk-full', topologies: ['one'], store: 'postgres', strike };
