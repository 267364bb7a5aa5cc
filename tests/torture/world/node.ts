import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../src/postgres/cluster.ts';
import { Stuck, until } from './until.ts';
import type { Watcher } from './watcher.ts';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');
const CLOCK = join(import.meta.dirname, 'clock.ts');

/** How a process ended. */
export type Ended = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

/** One process of the service. It keeps its port through every restart, unless somebody else has taken it meanwhile. */
export type Node = {
  readonly name: string;
  readonly url: () => string;
  readonly isAlive: () => boolean;
  readonly roles: () => readonly string[];
  /** Starts it and waits until it says that it is ready (or, without HTTP, that it runs). */
  readonly start: (roles: readonly string[]) => Promise<void>;
  readonly signal: (signal: NodeJS.Signals) => void;
  /** How the running process ends, or how the last one did. */
  readonly ended: () => Promise<Ended>;
  /** Shifts its clock; settles when it has taken that over. */
  readonly setClock: (offsetMs: number) => Promise<void>;
  readonly isReady: () => Promise<boolean>;
  /** What it printed last, when it ended without being told to. */
  readonly fell: () => string | undefined;
};

const READY_MS = 3_000;
/** A process that ends while it starts is started again so often. */
const STARTS = 3;

/** Whether an address says that it is ready. */
const ready = async (url: string): Promise<boolean> => {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(READY_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
};

/** A place for one process of the service, not started yet. What it prints goes to `<folder>/<name>.log`. */
export const createNode = async (options: {
  readonly name: string;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly watcher: Watcher;
  /** Told of starts that failed. */
  readonly note: (line: string) => void;
}): Promise<Node> => {
  const { name, folder, environment, watcher, note } = options;
  let port = await freePort();
  const url = (): string => `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let end: Promise<Ended> = Promise.resolve({ code: null, signal: null });
  let running: readonly string[] = [];
  let told = '';
  let sentAway = true;

  const isAlive = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null;

  const startOnce = async (roles: readonly string[]): Promise<void> => {
    running = roles;
    told = '';
    sentAway = false;
    const fresh = spawn(process.execPath, ['--import', CLOCK, MAIN], {
      cwd: folder,
      // The channel carries the clock; a service whose driver is gone notices by it, and ends.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        PATH: process.env.PATH ?? '',
        ...(process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
        ...environment,
        PORT: String(port),
        CONVENE_DATA_DIR: join(folder, 'files'),
        CONVENE_ROLES: roles.join(','),
      },
    });
    child = fresh;
    if (fresh.pid !== undefined) watcher.watch(fresh.pid);
    for (const stream of [fresh.stdout, fresh.stderr])
      stream?.on('data', (chunk: Buffer) => {
        told = `${told}${chunk}`.slice(-4_000);
        appendFileSync(join(folder, `${name}.log`), chunk);
      });
    end = once(fresh, 'close').then(([code, signal]) => {
      if (fresh.pid !== undefined) watcher.forget(fresh.pid);
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
    const isUp = async (): Promise<boolean> => {
      if (!isAlive()) throw new Stuck(`${name} did not start: ${told}`);
      return roles.includes('api') ? ready(url()) : told.includes('no HTTP');
    };
    await until(`the start of ${name} (${roles.join(', ')})`, isUp);
  };

  const start = async (roles: readonly string[]): Promise<void> => {
    for (let tries = 1; ; tries += 1)
      try {
        return await startOnce(roles);
      } catch (error) {
        if (tries === STARTS || isAlive()) throw error;
        if (told.includes(`Port ${port} of`)) port = await freePort();
        note(`  ${name} could not start and is started again, as by whoever supervises it: ${told.slice(-400)}`);
      }
  };

  return {
    name,
    url,
    isAlive,
    roles: () => running,
    start,
    signal: (signal) => {
      sentAway ||= signal === 'SIGKILL' || signal === 'SIGTERM';
      child?.kill(signal);
    },
    ended: () => end,
    setClock: async (clockOffsetMs) => {
      const current = child;
      if (current === undefined || !isAlive()) return;
      const taken = once(current, 'message');
      current.send({ clockOffsetMs });
      await Promise.race([taken, end]);
    },
    isReady: () => ready(url()),
    fell: () => (sentAway || isAlive() ? undefined : told.slice(-1_500)),
  };
};
