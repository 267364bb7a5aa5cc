import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { DataFolderInUse, type DataFolderLock, lockDataFolder } from './dataFolder.ts';
import {
  CLUSTER_USER,
  type Cluster,
  clusterIn,
  freePort,
  halt,
  initialise,
  isInitialised,
  PortTaken,
  run,
  type Settings,
} from './postgres/cluster.ts';
import { clearLeftovers } from './postgres/leftovers.ts';
import { StartupProblem } from './startupProblem.ts';

/** A PostgreSQL of the service's own. */
export type EmbeddedPostgres = {
  /** To the database `postgres` of this cluster, on the loopback address. Holds the password: never to be logged. */
  readonly connectionString: string;
  /** Stops the server once everything is written, and gives the data folder free. End the pools first. */
  readonly stop: () => Promise<void>;
};

/** For a small service on a machine it shares: durable, moderate in memory, and no plan is ever worth compiling. */
const SETTINGS: Settings = {
  max_connections: '100',
  shared_buffers: '128MB',
  effective_cache_size: '512MB',
  work_mem: '8MB',
  maintenance_work_mem: '64MB',
  max_wal_size: '2GB',
  checkpoint_completion_target: '0.9',
  random_page_cost: '1.1',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  // Statements and details hold values, and values may be personal data.
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  log_parameter_max_length: '0',
};

const Connection = z.object({ port: z.int().min(1).max(65_535), password: z.string().min(16) });
type Connection = z.infer<typeof Connection>;

const addressOf = ({ port, password }: Connection): string =>
  `postgres://${CLUSTER_USER}:${password}@127.0.0.1:${port}/postgres`;

/** The embedded database, started, unless another one is configured. `lock` is its folder's where that is held already. */
export const openEmbedded = async (
  config: { readonly databaseUrl: string | undefined; readonly dataDir: string },
  lock?: DataFolderLock,
): Promise<EmbeddedPostgres | undefined> =>
  config.databaseUrl === undefined ? startEmbeddedPostgres(config.dataDir, lock) : undefined;

/**
 * Starts the PostgreSQL under `<dataDir>/postgres`, made at the first start with a random password that is kept there (mode
 * 0600). Recovers whatever a killed service left behind, a server still running included. A server that dies is started
 * again on the same port. Throws StartupProblem, also when another live process uses the data folder. Takes that folder
 * unless `held` says that it is taken; gives it free by its stop, or when it cannot start.
 */
export async function startEmbeddedPostgres(dataDir: string, held?: DataFolderLock): Promise<EmbeddedPostgres> {
  const lock = held ?? (await lockDataFolder(dataDir));
  try {
    const folder = join(dataDir, 'postgres');
    const cluster = await clusterIn(folder);
    await clearLeftovers(cluster.data);
    const connection = await connectionOf(cluster, join(folder, 'connection.json'));
    const { server, port } = await runSomewhere(cluster, connection.port);
    if (port !== connection.port) await keep(join(folder, 'connection.json'), { ...connection, port });
    const supervised = supervise(cluster, port, server);
    return {
      connectionString: addressOf({ ...connection, port }),
      stop: async () => {
        await supervised.stop();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * The PostgreSQL of a data folder for one task beside the service: that of the running service, left alone by `stop`, or,
 * when none is running, one started for the task. Throws StartupProblem.
 */
export async function reachEmbeddedPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  try {
    return await startEmbeddedPostgres(dataDir);
  } catch (error) {
    if (!(error instanceof DataFolderInUse)) throw error;
    const path = join(dataDir, 'postgres', 'connection.json');
    const kept = Connection.safeParse(JSON.parse(await readFile(path, 'utf8').catch(() => 'null')));
    if (!kept.success) throw error;
    return { connectionString: addressOf(kept.data), stop: async () => undefined };
  }
}

/** The kept connection, and the cluster it belongs to: both are made when the cluster is not there. */
async function connectionOf(cluster: Cluster, path: string): Promise<Connection> {
  if (await isInitialised(cluster)) {
    try {
      return Connection.parse(JSON.parse(await readFile(path, 'utf8')));
    } catch {
      throw new StartupProblem(
        `There is a database in ${cluster.data}, but ${path}, which holds its password, is missing or damaged.`,
      );
    }
  }
  const connection = { port: await freePort(), password: randomBytes(24).toString('base64url') };
  // The password first: a cluster without it would be lost.
  await keep(path, connection);
  await initialise(cluster, connection.password, true);
  return connection;
}

async function keep(path: string, connection: Connection): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  await file.writeFile(`${JSON.stringify(connection)}\n`);
  await file.sync().finally(() => file.close());
  await rename(`${path}.new`, path);
}

/** On the port it had last time, else on any that is free. */
async function runSomewhere(cluster: Cluster, preferred: number): Promise<{ server: ChildProcess; port: number }> {
  for (let attempt = 0, port = preferred; ; attempt++, port = await freePort()) {
    try {
      return { server: await run(cluster, port, SETTINGS), port };
    } catch (error) {
      if (!(error instanceof PortTaken)) throw error;
      if (attempt === 5) throw new StartupProblem('PostgreSQL found no free port on the loopback address.');
    }
  }
}

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** Starts a server that died again, after a pause that grows while it keeps dying. */
function supervise(cluster: Cluster, port: number, first: ChildProcess): { stop: () => Promise<void> } {
  let server = first;
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;
  let restart: Promise<void> = Promise.resolve();
  const watch = (pause: number) => {
    const since = Date.now();
    server.once('exit', () => {
      if (!stopping) again(Date.now() - since > LONGEST_PAUSE ? FIRST_PAUSE : pause);
    });
  };
  const again = (pause: number) => {
    timer = setTimeout(() => {
      restart = clearLeftovers(cluster.data)
        .then(() => run(cluster, port, SETTINGS))
        .then(
          (started) => {
            server = started;
            watch(Math.min(pause * 2, LONGEST_PAUSE));
          },
          () => {
            if (!stopping) again(Math.min(pause * 2, LONGEST_PAUSE));
          },
        );
    }, pause);
  };
  watch(FIRST_PAUSE);
  return {
    stop: async () => {
      stopping = true;
      clearTimeout(timer);
      await restart;
      await halt(server);
    },
  };
}
