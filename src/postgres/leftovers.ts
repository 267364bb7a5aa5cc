import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, rm } from 'node:fs/promises';
import { platform } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Clears what a killed service left on a cluster: stops a server that is still running on it (writing everything it holds,
 * cut off only when it does not answer) and removes its lock file. The caller holds the lock of the data folder, so whatever
 * runs there belongs to nobody. The lock file's process number alone proves nothing: it may long belong to another program,
 * and a server that lost its parent may have sessions that are still ending.
 */
export async function clearLeftovers(data: string): Promise<void> {
  const lockFile = join(data, 'postmaster.pid');
  const written = await readFile(lockFile, 'utf8').catch(() => undefined);
  const parent = Number(written?.split('\n')[0] ?? 0);
  for (const [signal, patience] of [
    ['SIGINT', 10_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    const running = await processesOn(data, parent);
    if (running.length === 0) break;
    for (const pid of running.includes(parent) && signal !== 'SIGKILL' ? [parent] : running) send(pid, signal);
    for (let waited = 0; waited < patience && (await processesOn(data, parent)).length > 0; waited += 20)
      await delay(20);
  }
  await rm(lockFile, { force: true });
}

/** Process numbers of the servers and sessions whose working folder is the cluster. */
export async function processesOn(data: string, parent: number): Promise<number[]> {
  if (platform() === 'linux') {
    const numbers = (await readdir('/proc')).map(Number).filter(Number.isInteger);
    const folders = await Promise.all(numbers.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => undefined)));
    return numbers.filter((_, index) => folders[index] === data);
  }
  if (parent <= 0) return [];
  const command = await run('ps', ['-o', 'command=', '-p', String(parent)]).catch(() => ({ stdout: '' }));
  return command.stdout.includes(data) ? [parent] : [];
}

/** Sends a signal to a process, if there still is one. */
export function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself meanwhile.
  }
}
