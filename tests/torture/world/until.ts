import { setTimeout as pause } from 'node:timers/promises';

/** The driver cannot go on: something did not come about that has to. A violation like any other, with its own name. */
export class Stuck extends Error {
  override readonly name = 'Stuck';
}

const POLL_MS = 50;

/** Asks until the answer is neither undefined nor false. Throws Stuck, naming what was waited for, after `limitMs`. */
export const until = async <T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  limitMs = 90_000,
): Promise<T> => {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Stuck(`${what} did not come about within ${limitMs / 1000} s`);
    await pause(POLL_MS);
  }
};
