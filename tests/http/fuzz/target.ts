import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the service is told and must never tell anyone. */
export const secrets = {
  jwt: 'canary-jwt-secret-3f1b8c0d9e7a4562',
  master: 'canary-master-key-7d20c4f1a98b3e65',
} as const;

export const administrator = { email: 'root@operators.example', password: 'Canary-Admin-7-horse' } as const;

/** A service in a process of its own. */
export type Target = {
  readonly url: string;
  /** What it has written to its log so far. */
  readonly log: () => string;
  /** What the runtime had to say: warnings, unhandled rejections, the reason of an end. */
  readonly complaints: () => string;
  readonly running: () => boolean;
  /** Runs `convene` on the same database; its exit code and output. */
  readonly cli: (...args: readonly string[]) => Promise<{ readonly code: number; readonly output: string }>;
  /** Lets it drain; gives the exit code. */
  readonly stop: () => Promise<number>;
};

const source = (path: string): string => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url));

/** Starts the service on a database, as its operators do, with its log at its most talkative. `variables` are added. */
export const startTarget = async (
  connectionString: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Target> => {
  const folder = await mkdtemp(join(tmpdir(), 'convene-fuzz-'));
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  const env = {
    PATH,
    ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }),
    NODE_ENV: 'test',
    DATABASE_URL: connectionString,
    CONVENE_DATA_DIR: folder,
    PORT: '0',
    CONVENE_ADMIN_EMAIL: administrator.email,
    CONVENE_ADMIN_PASSWORD: administrator.password,
    JWT_SECRET: secrets.jwt,
    CONVENE_MASTER_KEY: secrets.master,
    CORS_ORIGINS: 'https://app.example.org',
    RATE_LIMIT_SCALE: '1000000',
    PASSWORD_COST: '4',
    LOG_LEVEL: 'debug',
    ...variables,
  };
  const child = spawn(process.execPath, [source('main.ts')], { stdio: ['ignore', 'pipe', 'pipe'], env });
  const out: string[] = [];
  const complaints: string[] = [];
  const exited = once(child, 'exit').then(([code]) => Number(code ?? -1));
  const listening = new Promise<string>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out.push(text);
      const url = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0];
      if (url !== undefined) resolve(url);
    });
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text));
  const failed = exited.then((code) => {
    throw new Error(`The service ended with ${code}:\n${out.join('')}${complaints.join('')}`);
  });
  failed.catch(() => {});
  const url = await Promise.race([listening, failed]);

  return {
    url,
    log: () => out.join(''),
    complaints: () => complaints.join(''),
    running: () => child.exitCode === null,
    cli: async (...args) => {
      const convene = spawn(process.execPath, [source('cli/index.ts'), ...args], { env });
      const output: string[] = [];
      for (const stream of [convene.stdout, convene.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => output.push(text));
      const [code] = await once(convene, 'close');
      return { code: Number(code), output: output.join('') };
    },
    stop: async () => {
      if (child.exitCode === null) child.kill('SIGTERM');
      const code = await exited;
      await rm(folder, { recursive: true, force: true });
      return code;
    },
  };
};
