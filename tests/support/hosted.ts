import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { Start } from './here.ts';

/** Addresses of the hosts that `npm test` started for all test files, one for each job. */
const SHARED = 'CONVENE_TEST_HOSTS';

let own: Promise<string> | undefined;

/** The host of this test file: of the job that runs it, or one of its own. */
const hostUrl = (): Promise<string> => {
  const shared = process.env[SHARED]?.split(',') ?? [];
  const url = shared[Number(process.env.TAP_JOB_ID ?? 0) % shared.length];
  if (url !== undefined) return Promise.resolve(url);
  own ??= startHost();
  return own;
};

/** Starts a host and tells its address. It ends with this process, and does not keep it from ending. */
export async function startHost(): Promise<string> {
  const host = spawn(process.execPath, [join(import.meta.dirname, 'host.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // The test runner puts its loaders into every child; they are not for the service.
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const url = await firstLine(host);
  host.stdout.resume();
  // The pipes are sockets in truth, which would keep this process.
  for (const each of [host, host.stdin, host.stdout] as readonly { readonly unref?: () => void }[]) each.unref?.();
  return url;
}

const firstLine = async ({ stdout }: { readonly stdout: NodeJS.ReadableStream }): Promise<string> => {
  const lines = createInterface({ input: stdout });
  for await (const line of lines) return line;
  throw new Error('The host of services ended before it began');
};

const Opened = z.object({ id: z.uuid(), url: z.url() });

/** Starts a service in the host. */
export const startHosted: Start = async (variables, ahead) => {
  const base = `${await hostUrl()}/services`;
  const ask = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(base + path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`The host of services: ${await response.text()}`);
    return response.json();
  };
  const { id, url } = Opened.parse(await ask('POST', '', { variables, ahead }));
  return {
    url,
    setAhead: async (ms) => {
      await ask('PUT', `/${id}/ahead`, { ms });
    },
    stop: async () => {
      await ask('DELETE', `/${id}`);
    },
  };
};
