import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartupProblem } from './startupProblem.ts';

/** Another live process has the data folder. */
export class DataFolderInUse extends StartupProblem {}

/** The sole right to use a data folder. */
export type DataFolderLock = { readonly release: () => void };

/**
 * Takes the data folder for this process alone. The lock is the operating system's lock on a file (held through SQLite, the
 * one way to it that Node has), so that it ends with the process, whatever ends that, and is never left behind.
 * Makes the folder. Throws DataFolderInUse, and StartupProblem when the folder cannot be used.
 */
export async function lockDataFolder(dataDir: string): Promise<DataFolderLock> {
  const path = join(dataDir, 'lock');
  const holder = join(dataDir, 'lock.pid');
  try {
    // Root lets PostgreSQL, which runs as somebody else, pass through; what is in the folder stays closed.
    await mkdir(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  } catch (error) {
    throw unusable(dataDir, error);
  }
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec('pragma journal_mode = memory; begin exclusive');
  } catch (error) {
    database?.close();
    if (!isBusy(error)) throw unusable(dataDir, error);
    const pid = (await readFile(holder, 'utf8').catch(() => '')).trim();
    throw new DataFolderInUse(
      `The data folder ${dataDir} is in use by another running Convene${pid === '' ? '' : ` (process ${pid})`}. Stop it, or set CONVENE_DATA_DIR to another folder.`,
    );
  }
  await writeFile(holder, `${process.pid}\n`, { mode: 0o600 });
  const held = database;
  return {
    release: () => {
      if (held.isOpen) held.close();
    },
  };
}

const SQLITE_BUSY = 5;

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && Number(error.errcode) === SQLITE_BUSY;

const unusable = (dataDir: string, error: unknown): StartupProblem =>
  new StartupProblem(
    `The data folder ${dataDir} cannot be used (${error instanceof Error ? error.message : 'unknown error'}).`,
  );
