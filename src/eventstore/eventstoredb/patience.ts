import { setTimeout as pause } from 'node:timers/promises';
import { StoreUnavailable } from '../port.ts';

/** An answer did not come in time. */
export class Late extends Error {
  override readonly name = 'Late';
}

/** A point in time that work has to keep to. */
export type Deadline = {
  /** Milliseconds that are left; 0 when it has passed. */
  readonly left: () => number;
};

export const deadlineIn = (ms: number): Deadline => {
  const end = performance.now() + ms;
  return { left: () => Math.max(0, end - performance.now()) };
};

/** What the promise gives, or Late after so many milliseconds; it is then left to itself. */
export const within = async <T>(ms: number, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Late(`No answer within ${Math.round(ms)} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
};

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/** Waits before the next try: doubling from 50 ms to 5 s, with jitter, so that clients of a returning server spread out. Cut short by the signal. */
export const backOff = async (tries: number, signal: AbortSignal, atMost: number = LONGEST_PAUSE_MS): Promise<void> => {
  const full = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10));
  await pause(Math.min(atMost, full * (0.5 + Math.random() / 2)), undefined, { signal }).catch(() => {});
};

/**
 * Tries again until it succeeds, the deadline passes or the signal fires; then throws StoreUnavailable with the last
 * cause. At once with errors that `final` names.
 */
export const insist = async <T>(
  attempt: () => Promise<T>,
  options: { readonly deadline: Deadline; readonly signal: AbortSignal; readonly final?: (error: unknown) => boolean },
): Promise<T> => {
  const { deadline, signal, final } = options;
  for (let tries = 0; ; tries += 1) {
    try {
      return await within(deadline.left(), attempt());
    } catch (error) {
      if (final?.(error)) throw new StoreUnavailable('EventStoreDB refuses to answer', { cause: error });
      if (signal.aborted) throw new StoreUnavailable('The event store was closed', { cause: error });
      if (deadline.left() === 0) throw new StoreUnavailable('EventStoreDB did not answer in time', { cause: error });
      await backOff(tries, signal, deadline.left());
    }
  }
};
