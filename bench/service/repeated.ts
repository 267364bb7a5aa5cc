import { setTimeout as pause } from 'node:timers/promises';

/** The same task over and over, so many at once, until it is stopped. */
export type Repeated = {
  /** How many tasks a second come to their end in the next so many seconds. */
  readonly during: (seconds: number) => Promise<number>;
  /** Begins no further one and waits for those under way. Throws what a task has thrown. */
  readonly stop: () => Promise<void>;
};

/** Begins at once; `slot` numbers the places in which tasks run one after the other. */
export const repeated = (atOnce: number, task: (slot: number) => Promise<void>): Repeated => {
  let done = 0;
  let over = false;
  const running = Promise.all(
    Array.from({ length: atOnce }, async (_, slot) => {
      while (!over) {
        await task(slot);
        done += 1;
      }
    }),
  );
  running.catch(() => {});
  return {
    during: async (seconds) => {
      const [before, since] = [done, performance.now()];
      await Promise.race([pause(seconds * 1000), running]);
      return (done - before) / ((performance.now() - since) / 1000);
    },
    stop: async () => {
      over = true;
      await running;
    },
  };
};
