import type { Reads } from '../commands/binding.ts';
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

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
/** Sessions are archived so long after their end. */
const KEPT_MS = 30 * DAY;
/** Sessions of one look; the others come up the next time. */
const MOST = 500;

const ago = ({ now }: Reads, ms: number): Date => new Date(now().getTime() - ms);

/** Every sweep of the service. */
export const sweeps: readonly Sweep[] = [
  {
    name: 'estimation-expiry',
    everyMs: 5 * MINUTE,
    find: async (reads) => {
      const ids = await reads.lookups.idleEstimationSessions(ago(reads, IDLE_MS), MOST);
      return ids.map((sessionId) => issue(expireSession, { sessionId }));
    },
  },
  {
    name: 'estimation-archive',
    everyMs: DAY,
    find: async (reads) => {
      const ids = await reads.lookups.endedEstimationSessions(ago(reads, KEPT_MS), MOST);
      return ids.map((sessionId) => issue(archiveSession, { sessionId }));
    },
  },
];

const TICK_MS = 1_000;

/**
 * Runs sweeps in the process that leads: each at once when it begins to, so that downtime is made up for, and from then
 * on at its own pace. One that fails is tried again with the next tick.
 */
export const runSweeps = (of: {
  readonly sweeps: readonly Sweep[];
  readonly leads: () => boolean;
  readonly reads: Reads;
  readonly execute: Execute;
  readonly onError: (sweep: string, error: unknown) => void;
}): { readonly close: () => Promise<void> } => {
  const due = new Map<string, number>();
  let stopping = false;
  let running: Promise<void> | undefined;

  const sweep = async ({ name, find }: Sweep): Promise<void> => {
    for (const { command, input } of await find(of.reads)) {
      if (stopping) return;
      const id = uuid7();
      settled(await of.execute(command, input, { policy: name, commandId: id, causationId: id, correlationId: id }));
    }
  };
  const tick = async (): Promise<void> => {
    for (const one of of.sweeps) {
      const now = Date.now();
      if (stopping || !of.leads() || now < (due.get(one.name) ?? 0)) continue;
      try {
        await sweep(one);
        due.set(one.name, now + one.everyMs);
      } catch (error) {
        of.onError(one.name, error);
      }
    }
    running = undefined;
  };
  const timer = setInterval(() => {
    running ??= tick();
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
