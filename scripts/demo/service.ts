import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DemoFailed } from './client.ts';

/** A service to demonstrate with, and how its administrator logs in. */
export type Service = {
  readonly base: string;
  readonly email: string;
  readonly password: string;
  /** Nobody else uses it. */
  readonly own: boolean;
  readonly stop: () => Promise<void>;
};

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
};

const isReady = async (base: string): Promise<boolean> => {
  try {
    return (await fetch(`${base}/health/ready`)).ok;
  } catch {
    return false;
  }
};

/**
 * Starts a service of its own in a temporary folder. Hundreds of registrations from one address are what rate limits are
 * there to stop, and what a password hash makes slow: both are eased for it.
 */
export const startService = async (): Promise<Service> => {
  const folder = await mkdtemp(join(tmpdir(), 'convene-demo-'));
  const port = await freePort();
  const email = 'admin@example.org';
  const password = `Aa1-${randomBytes(12).toString('base64url')}`;
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      PORT: String(port),
      HOST: '127.0.0.1',
      CONVENE_DATA_DIR: folder,
      CONVENE_ADMIN_EMAIL: email,
      CONVENE_ADMIN_PASSWORD: password,
      RATE_LIMIT_SCALE: '1000',
      PASSWORD_COST: '4',
      LOG_LEVEL: 'warning',
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => (output = `${output}${text}`.slice(-4_000)));
  const exited = once(child, 'exit');
  const base = `http://127.0.0.1:${port}`;
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 60_000;
  while (!(await isReady(base))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new DemoFailed(`The service did not start:\n${output}`);
    }
    await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 100))]);
  }
  return { base, email, password, own: true, stop };
};
