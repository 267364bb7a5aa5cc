import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/**
 * Runs a file of this folder in a process of its own: `input` comes to it as JSON on its standard input, what it writes as
 * JSON to its standard output comes back, to be parsed by the caller. It gets this process's own flags, a profiler's above
 * all. Throws when it fails.
 */
export async function ownProcess(file: string, input: unknown): Promise<unknown> {
  const child = spawn(process.execPath, [...process.execArgv, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(JSON.stringify(input));
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  if (code !== 0) throw new Error(`${file} ended with ${code}`);
  return JSON.parse(said);
}
