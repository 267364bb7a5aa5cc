import type { Reads } from '../commands/reads.ts';
import { DAY_MS, MINUTE_MS } from '../domain/durations.ts';
import { archiveSession, expireSession, IDLE_MS } from '../domain/estimation/session/index.ts';
import { uuid7 } from '../uuid.ts';
import { type Execute, settled } from './execute.ts';
import { type Issued, issue } from './policy.ts';

/**
 * What is due although nothing happens: looked for again and again, by the process that runs the policies. What a sweep
 * finds is a proposal; whether it holds is the business of the rule.
 */
export type Sweep = {
  readonly name: string;
  readonly everyMs: number;
  readonly find: (reads: Reads) => Promise<readonly Issued[]>;
};

/** Sessions are archived so long after their end. */
const KEPT_MS = 30 * DAY_MS;
/** Sessions of one look; the others come up the next time. */
const MOST = 500;

const ago = ({ now }: Reads, ms: number): Date => new Date(now().getTime() - ms);

/** Every sweep of the service. */
export const sweeps: readonly Sweep[] = [
  {
    name: 'estimation-expiry',
    everyMs: 5 * MINUTE_MS,
    find: async (reads) => {
      const ids = await reads.lookups.idleEstimationSessions(ago(reads, IDLE_MS), MOST);
      return ids.map((sessionId) => issue(expireSession, { sessionId }));
    },
  },
  {
    name: 'estimation-archive',
    everyMs: DAY_MS,
    find: async (reads) => {
      const ids = await reads.lookups.endedEstimationSessions(ago(reads, KEPT_MS), MOST);
      return ids.map((sessionId) => issue(archiveSession, { sessionId }));
    },
  },
];

const TICK_MS = 1_000;

type Sweeping = {
  readonly sweeps: readonly Sweep[];
  readonly leads: () => boolean;
  readonly reads: Reads;
  readonly execute: Execute;
  readonly onError: (sweep: string, error: unknown) => void;
};

/**
 * Looks, at an instant in milliseconds, for what is due by then. A sweep in which something fails is due again at once;
 * what fails for one thing keeps no other waiting.
 */
export const createSweeper = ({ sweeps, leads, reads, execute, onError }: Sweeping) => {
  const due = new Map<string, number>();
  const perform = async ({ name, find }: Sweep): Promise<readonly unknown[]> => {
    const failures: unknown[] = [];
    for (const { command, input } of await find(reads)) {
      if (!leads()) break;
      const id = uuid7();
      const cause = { policy: name, commandId: id, causationId: id, correlationId: id };
      await execute(command, input, cause)
        .then(settled)
        .catch((error: unknown) => failures.push(error));
    }
    return failures;
  };
  return async (now: number): Promise<void> => {
    for (const sweep of sweeps) {
      if (!leads() || now < (due.get(sweep.name) ?? 0)) continue;
      const failures = await perform(sweep).catch((error: unknown) => [error]);
      if (failures.length > 0) onError(sweep.name, failures[0]);
      else due.set(sweep.name, now + sweep.everyMs);
    }
  };
};

/**
 * Runs sweeps in the process that leads: each at once when it begins to, so that downtime is made up for, and from then
 * on at its own pace.
 */
export const runSweeps = (of: Sweeping): { readonly close: () => Promise<void> } => {
  let stopping = false;
  let running: Promise<void> | undefined;
  const sweeper = createSweeper({ ...of, leads: () => !stopping && of.leads() });
  const timer = setInterval(() => {
    running ??= sweeper(Date.now()).finally(() => {
      running = undefined;
    });
  }, TICK_MS);
  timer.unref();
  return {
    close: async () => {
      stopping = true;
      clearInterval(timer);
      await running;
    },
  };
};
