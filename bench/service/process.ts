import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { JWT_SECRET, MASTER_KEY } from './secrets.ts';

/** A program under load, in a process of its own. */
export type Running = {
  readonly url: string;
  readonly stop: () => Promise<void>;
};

const STARTS_WITHIN_MS = 120_000;

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (typeof address !== 'object' || address === null) throw new Error('No free port');
  return address.port;
};

/**
 * Starts a program of the repository and waits until it answers. What it logs goes nowhere, what it says of its failure
 * to the standard error. `ready` is an address that answers 200 from then on.
 */
export const run = async (
  program: string,
  variables: Readonly<Record<string, string>>,
  ready: string,
): Promise<Running> => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [...flags(), join(import.meta.dirname, '../..', program)], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: String(port), ...variables },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  };
  const killed = (): void => void child.kill('SIGKILL');
  process.once('exit', killed);
  exited.finally(() => process.off('exit', killed));
  try {
    await answers(`${url}${ready}`, child);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

/** Such as `--cpu-prof --cpu-prof-dir=…`, to look into the program. */
const flags = (): readonly string[] => [
  // As `npm start` has it.
  '--max-semi-space-size=16',
  ...(process.env.BENCH_NODE_FLAGS?.split(' ') ?? []),
];

const answers = async (url: string, child: ChildProcess): Promise<void> => {
  for (const end = performance.now() + STARTS_WITHIN_MS; performance.now() < end; await pause(50)) {
    if (child.exitCode !== null) throw new Error(`The program ended with ${child.exitCode} before it answered`);
    const response = await fetch(url).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.status === 200) return;
  }
  throw new Error('The program did not answer in time');
};

/**
 * The service as `npm start` runs it, all roles in one process, in production's settings: logs, limits and all. Only the
 * rate limits are so wide that they count but refuse nobody.
 */
export const runService = (databaseUrl: string, folder: string): Promise<Running> =>
  run(
    'src/main.ts',
    {
      NODE_ENV: 'production',
      DATABASE_URL: databaseUrl,
      CONVENE_DATA_DIR: folder,
      JWT_SECRET,
      CONVENE_MASTER_KEY: MASTER_KEY,
      CONVENE_ADMIN_EMAIL: 'admin@example.org',
      CONVENE_ADMIN_PASSWORD: 'Admin-horse-7',
      RATE_LIMIT_SCALE: '1000000',
      TRUST_PROXY: '127.0.0.1',
    },
    '/health/ready',
  );

/** Waits until projections and policies have come to the end of the log, and the tables have their indexes. */
export const settled = async (databaseUrl: string): Promise<void> => {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  for (;;) {
    const { rows } = await client.query<{ behind: string }>(
      `select count(*) as behind from convene.checkpoints c, log.head h where c.position < h.position or (c.kind = 'projection' and not c.indexed)`,
    );
    if (rows[0]?.behind === '0') break;
    await pause(100);
  }
  await client.end();
};
