import { latencies } from './rounds.ts';

/** What writers got done: writes a second, and how many ms half and 99 of 100 took at most. */
export type Writing = { readonly rate: number; readonly p50: number; readonly p99: number };

/** Lets so many writers write for `ms` milliseconds, each its next when the one before is acknowledged. */
export async function writing(writers: number, ms: number, write: () => Promise<unknown>): Promise<Writing> {
  const taken: number[] = [];
  const began = performance.now();
  const end = began + ms;
  const writer = async (): Promise<void> => {
    for (let since = performance.now(); since < end; since = performance.now()) {
      await write();
      taken.push(performance.now() - since);
    }
  };
  await Promise.all(Array.from({ length: writers }, writer));
  return { rate: (taken.length / (performance.now() - began)) * 1000, ...latencies(taken) };
}
