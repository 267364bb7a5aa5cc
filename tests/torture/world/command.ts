import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { World } from './world.ts';

const CLI = join(import.meta.dirname, '../../../src/cli/index.ts');

/** Runs `convene …` as an operator would, beside the running service; what it printed and its exit code. */
export const convene = async (
  { environment, folder, watcher }: Pick<World, 'environment' | 'folder' | 'watcher'>,
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly output: string }> => {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...environment, CONVENE_DATA_DIR: join(folder, 'files') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) watcher.watch(child.pid);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk;
    });
  const [code] = await once(child, 'close');
  if (child.pid !== undefined) watcher.forget(child.pid);
  return { code: Number(code), output };
};
