import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  CLUSTER_USER,
  type Cluster,
  clusterIn,
  freePort,
  halt,
  initialise,
  PortTaken,
  run,
  type Settings,
} from '../../../src/postgres/cluster.ts';
import { clearLeftovers, processesOn, send } from '../../../src/postgres/leftovers.ts';
import { until } from './until.ts';
import type { Watcher } from './watcher.ts';

/** A PostgreSQL of the driver's own, with fsync, that can be killed and started again on the same port. */
export type Database = {
  readonly port: number;
  /** Straight to the server, past any proxy. */
  readonly connectionString: string;
  readonly isRunning: () => boolean;
  /** SIGKILL for the server and every session of it, at once. */
  readonly kill: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Starts it, on whatever the last one left behind. */
  readonly start: () => Promise<void>;
  /** The folder of the cluster, `data` lies in it; another one from the next start on. */
  readonly folder: () => string;
  readonly moveTo: (folder: string) => Promise<void>;
};

/** fsync and full_page_writes keep their defaults: on. */
const SETTINGS: Settings = {
  max_connections: '150',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_error_statement: 'panic',
};

/** Makes a cluster under `<folder>/postgres` and starts it. */
export const startDatabase = async (folder: string, watcher: Watcher): Promise<Database> => {
  const password = randomBytes(18).toString('base64url');
  let home = join(folder, 'postgres');
  let cluster: Cluster = await clusterIn(home);
  await initialise(cluster, password, true);
  const port = await freePort();
  let child: ChildProcess | undefined;

  const isRunning = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null;
  const gone = async (): Promise<void> => {
    if (child?.pid !== undefined) watcher.forget(child.pid);
    child = undefined;
  };
  const start = async (): Promise<void> => {
    await clearLeftovers(cluster.data);
    // While it was down, something else on this machine may have been given its port for a moment.
    child = await until('the port of PostgreSQL', () =>
      run(cluster, port, SETTINGS).catch((error: unknown) => {
        if (error instanceof PortTaken) return undefined;
        throw error;
      }),
    );
    if (child.pid !== undefined) watcher.watch(child.pid);
  };
  await start();
  return {
    port,
    connectionString: `postgres://${CLUSTER_USER}:${password}@127.0.0.1:${port}/postgres`,
    isRunning,
    kill: async () => {
      const pid = child?.pid ?? 0;
      // The server first: it would start its sessions anew.
      child?.kill('SIGKILL');
      for (const session of await processesOn(cluster.data, pid)) send(session, 'SIGKILL');
      await until('the end of a killed PostgreSQL', async () => (await processesOn(cluster.data, pid)).length === 0);
      await gone();
    },
    stop: async () => {
      if (child !== undefined && isRunning()) await halt(child);
      await gone();
    },
    start,
    folder: () => home,
    moveTo: async (next) => {
      home = next;
      cluster = await clusterIn(next);
    },
  };
};
