import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** A password to hash, or to compare with a hash. */
export type HashTask =
  | { readonly clear: string; readonly cost: number }
  | { readonly clear: string; readonly against: string };

/** More passwords wait than can be looked at in a decent time, or the service is stopping. `retryAfter` in seconds. */
export class HashingBusy extends Error {
  readonly retryAfter: number;
  constructor(retryAfter: number) {
    super('Too many passwords are being looked at');
    this.name = 'HashingBusy';
    this.retryAfter = retryAfter;
  }
}

/** Threads of their own for bcrypt: the pool that everything else of the process shares stays free of it. */
export type PasswordThreads = {
  /** In the order of coming. Throws {@link HashingBusy} when too many wait already. */
  readonly run: (task: HashTask) => Promise<string | boolean>;
  /** Whether a task would have to wait. */
  readonly busy: () => boolean;
  /** From now on keeps no more in line than can be looked at within seconds: a stop has no time for a long one. */
  readonly hurry: () => void;
  /** Gives up what waits, and takes nothing more; what is under way finishes. */
  readonly close: () => Promise<void>;
};

/** As many as may wait: 64 people at once are served, a flood is not piled up. */
const MOST_WAITING = 128;
/** Milliseconds that the line may take once there is a hurry. */
const HURRY_MS = 2_000;
/** Milliseconds that one hash is taken to need until some were measured. */
const GUESS_MS = 300;

type Waiting = {
  readonly task: HashTask;
  readonly resolve: (value: string | boolean) => void;
  readonly fail: (error: Error) => void;
};

/** `threads` begin with the first passwords that need them; one processor is left to everything else, where there are several. */
export const passwordThreads = ({
  threads = Math.max(1, availableParallelism() - 1),
  mostWaiting = MOST_WAITING,
}: {
  readonly threads?: number;
  readonly mostWaiting?: number;
} = {}): PasswordThreads => {
  const idle: Worker[] = [];
  const running = new Set<Promise<void>>();
  const waiting: Waiting[] = [];
  let closed = false;
  let most = mostWaiting;
  let usual = GUESS_MS;

  const begin = (): Worker => {
    const worker = new Worker(new URL('./passwordThread.ts', import.meta.url));
    worker.unref();
    // One that ends is replaced by the next that is needed; whoever it works for is told below.
    worker.on('error', () => {});
    worker.once('exit', () => {
      const at = idle.indexOf(worker);
      if (at >= 0) idle.splice(at, 1);
    });
    return worker;
  };

  const secondsToWait = (): number => Math.max(1, Math.ceil((waiting.length * usual) / threads / 1000));

  const work = async (worker: Worker, { task, resolve, fail }: Waiting): Promise<void> => {
    const since = performance.now();
    const { promise, resolve: done, reject: broken } = Promise.withResolvers<string | boolean>();
    const ended = (code: number): void => broken(new Error(`The thread for passwords ended with ${code}`));
    worker.once('message', done).once('error', broken).once('exit', ended);
    worker.ref();
    worker.postMessage(task);
    try {
      resolve(await promise);
      usual += (performance.now() - since - usual) / 8;
      worker.off('error', broken).off('exit', ended).unref();
      idle.push(worker);
    } catch (error) {
      fail(error instanceof Error ? error : new Error('The thread for passwords failed'));
    }
  };

  const next = (): void => {
    if (running.size >= threads) return;
    const first = waiting.shift();
    if (first === undefined) return;
    const job = work(idle.pop() ?? begin(), first).finally(() => {
      running.delete(job);
      next();
    });
    running.add(job);
  };

  return {
    run: (task) =>
      new Promise((resolve, fail) => {
        if (closed || waiting.length >= most) return fail(new HashingBusy(secondsToWait()));
        waiting.push({ task, resolve, fail });
        next();
      }),
    busy: () => running.size >= threads,
    hurry: () => {
      most = Math.min(most, Math.ceil((HURRY_MS * threads) / usual));
      for (const { fail } of waiting.splice(most)) fail(new HashingBusy(1));
    },
    close: async () => {
      closed = true;
      for (const { fail } of waiting.splice(0)) fail(new HashingBusy(1));
      await Promise.all(running);
      await Promise.all(idle.splice(0).map((worker) => worker.terminate()));
    },
  };
};
