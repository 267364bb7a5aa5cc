import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { StartupProblem } from '../startupProblem.ts';
import { type Account, accountFor } from './account.ts';
import { type Binaries, binaries } from './binaries.ts';

/** The superuser of the cluster. */
export const CLUSTER_USER = 'convene';

/** A folder that holds one PostgreSQL cluster (`data`) with its log (`postgres.log`), and what it takes to run it. */
export type Cluster = {
  readonly data: string;
  readonly log: string;
  readonly programs: Binaries;
  readonly account: Account;
};

/** Names the cluster that lies, or will lie, under `folder`, and makes the folder. */
export async function clusterIn(folder: string): Promise<Cluster> {
  const programs = await binaries();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const real = await realpath(folder);
  const data = join(real, 'data');
  const account = await accountFor(data, [real, programs.postgres]);
  if (account.ids !== undefined) await chown(real, account.ids.uid, account.ids.gid);
  return { data, log: join(real, 'postgres.log'), programs, account };
}

/** Whether the cluster was ever completed. */
export const isInitialised = (cluster: Cluster): Promise<boolean> =>
  stat(join(cluster.data, 'PG_VERSION')).then(
    () => true,
    () => false,
  );

/**
 * Makes the cluster, beside its place and then moved there, so that one interrupted half way is never taken for whole.
 * `durable: false` leaves out the wait for the disk: for tests only.
 */
export async function initialise(cluster: Cluster, password: string, durable: boolean): Promise<void> {
  const { account, programs, data } = cluster;
  const unfinished = `${data}.new`;
  const passwordFile = `${data}.password`;
  await Promise.all([unfinished, passwordFile].map((path) => rm(path, { recursive: true, force: true })));
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account.ids !== undefined) {
    const { uid, gid } = account.ids;
    await Promise.all([unfinished, passwordFile].map((path) => chown(path, uid, gid)));
  }
  try {
    await runInitdb(cluster, unfinished, [
      `--username=${CLUSTER_USER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--no-instructions',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--locale=C',
      ...(durable ? [] : ['--no-sync']),
    ]);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, data);
  if (durable) {
    const folder = await open(dirname(data));
    await folder.sync().finally(() => folder.close());
  }
  async function runInitdb({ log }: Cluster, target: string, args: readonly string[]) {
    await executable(programs);
    const output = await open(log, 'a', 0o600);
    const { file, args: all, options } = account.launch(programs.initdb, [`--pgdata=${target}`, ...args]);
    const child = spawn(file, all, { ...options, env: environment(), stdio: ['ignore', output.fd, output.fd] });
    const [code] = await once(child, 'exit').finally(() => output.close());
    if (code !== 0) throw await failure(cluster, 'PostgreSQL could not set up its data folder');
  }
}

/** Settings as PostgreSQL names them. */
export type Settings = Readonly<Record<string, string>>;

/**
 * Starts the server on a loopback port and waits until it takes connections. It runs in a session of its own: an interrupt
 * typed at the terminal must not stop it under the service that is still draining.
 * Throws PortTaken, StartupProblem.
 */
export async function run(cluster: Cluster, port: number, settings: Settings): Promise<ChildProcess> {
  const { account, programs, data, log } = cluster;
  await executable(programs);
  if ((await sizeOf(log)) > 1_000_000) await rename(log, `${log}.1`);
  const start = await sizeOf(log);
  const fixed = { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '' };
  const flags = Object.entries({ ...settings, ...fixed }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const { file, args, options } = account.launch(programs.postgres, ['-D', data, ...flags]);
  const output = await open(log, 'a', 0o600);
  const child = spawn(file, args, {
    ...options,
    detached: true,
    env: environment(),
    stdio: ['ignore', output.fd, output.fd],
  });
  let ended = false;
  child.once('exit', () => {
    ended = true;
  });
  child.once('error', () => {
    ended = true;
  });
  await output.close();
  while (!(await isReady(data, child.pid))) {
    if (ended) {
      const said = (await readFile(log, 'utf8')).slice(start);
      if (/could not bind|Address already in use/.test(said)) throw new PortTaken(`port ${port} is taken`);
      throw await failure(cluster, 'PostgreSQL did not start');
    }
    await delay(15);
  }
  return child;
}

/** Another program listens on the port meant for PostgreSQL. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
}

/** Stops a server: sessions are ended and everything is written; after `patience` ms it is cut off and recovers at its next start. */
export async function halt(child: ChildProcess, patience = 7_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGQUIT'), patience);
  await exit.finally(() => clearTimeout(timer));
}

/** A port of the loopback address that is free now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address with a port');
  return address.port;
}

/** The state PostgreSQL itself writes into the eighth line of its lock file. */
async function isReady(data: string, pid: number | undefined): Promise<boolean> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

/** Nothing of the service's own environment (its secrets) reaches PostgreSQL, nor does PGDATA and the like. */
const environment = (): NodeJS.ProcessEnv => ({
  ...(process.env.PATH === undefined ? {} : { PATH: process.env.PATH }),
  LC_ALL: 'C',
  TZ: 'UTC',
});

/** npm does not always keep the mode of what it unpacks. */
async function executable({ postgres, initdb }: Binaries): Promise<void> {
  for (const program of [postgres, initdb]) {
    const { mode } = await stat(program);
    if ((mode & 0o111) !== 0o111) await chmod(program, mode | 0o111);
  }
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

async function failure({ log }: Cluster, what: string): Promise<StartupProblem> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n');
  const cause = lines.findLast((line) => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1) ?? '';
  return new StartupProblem(`${what}: ${cause.replace(/^.*?(FATAL|PANIC|error):\s*/, '')} (see ${log})`);
}
