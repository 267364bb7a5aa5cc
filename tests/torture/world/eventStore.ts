import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../../../src/postgres/cluster.ts';
import { standIn } from '../../eventstore/standIn/index.ts';
import { Stuck, until } from './until.ts';
import type { Watcher } from './watcher.ts';

/** An EventStoreDB under attack: the stand-in of the tests, or a real server. */
export type EventStoreServer = {
  /** What the service connects to. */
  readonly connectionString: string;
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** Breaks every connection; only where a link lies between. */
  readonly cut?: () => void;
  /** Appends are stored and never answered, until `cut`; only where a link lies between. */
  readonly muffle?: () => void;
  readonly close: () => Promise<void>;
};

/** The stand-in, in this process: what it was told is kept while it is away. */
export const startStandIn = async (): Promise<EventStoreServer> => {
  const server = await standIn();
  return {
    connectionString: server.connectionString,
    kill: server.kill,
    start: () => server.start(),
    freeze: server.freeze,
    thaw: server.thaw,
    cut: server.cut,
    muffle: server.muffle,
    close: async () => server.close(),
  };
};

/**
 * A real server, started by a command in which `{data}` stands for its folder and `{port}` for its port. It runs in a
 * process group of its own, which is killed and frozen as a whole.
 */
export const startRealServer = async (command: string, folder: string, watcher: Watcher): Promise<EventStoreServer> => {
  const data = join(folder, 'eventstore');
  await mkdir(data, { recursive: true });
  const port = await freePort();
  const line = command.replaceAll('{data}', data).replaceAll('{port}', String(port));
  let child: ChildProcess | undefined;

  const signal = (name: NodeJS.Signals): void => {
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, name);
  };
  const isLive = async (): Promise<boolean> => {
    if (child?.exitCode !== null) throw new Stuck(`The event store ended: ${line}`);
    const answer = await fetch(`http://127.0.0.1:${port}/health/live`, { signal: AbortSignal.timeout(2_000) }).catch(
      () => undefined,
    );
    await answer?.arrayBuffer();
    return answer?.ok ?? false;
  };
  const start = async (): Promise<void> => {
    child = spawn('sh', ['-c', `exec ${line}`], { detached: true, stdio: 'ignore' });
    if (child.pid !== undefined) watcher.watch(-child.pid);
    await until('the start of the event store', isLive);
  };
  const kill = async (): Promise<void> => {
    const current = child;
    if (current?.pid === undefined || current.exitCode !== null || current.signalCode !== null) return;
    const ended = once(current, 'exit');
    signal('SIGKILL');
    await ended;
    watcher.forget(-current.pid);
  };
  await start();
  return {
    connectionString: `esdb://127.0.0.1:${port}?tls=false`,
    kill,
    start,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    close: kill,
  };
};
