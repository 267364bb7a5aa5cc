/**
 * One thread that does nothing but bcrypt, one password after the other. On Linux it asks for little: whatever else wants
 * the processor comes first.
 */
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { compareSync, hashSync } from '@node-rs/bcrypt';
import type { HashTask } from './passwordThreads.ts';

/** Linux knows priorities of single threads, by the number that the thread itself finds here. */
const yieldToOthers = (): void => {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (thread !== process.pid) setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Elsewhere priorities are those of whole processes: it works on like any other thread.
  }
};

yieldToOthers();
parentPort?.on('message', ({ clear, ...task }: HashTask) => {
  parentPort?.postMessage('cost' in task ? hashSync(clear, { cost: task.cost }) : compareSync(clear, task.against));
});
