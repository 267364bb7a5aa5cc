import { examine, type Findings } from './checks/index.ts';
import type { Violation } from './checks/violation.ts';
import type { Cast } from './clients/cast.ts';
import { type Load, type Memory, startLoad } from './clients/load.ts';
import type { Stage } from './clients/play.ts';
import { counter } from './counters.ts';
import type { Fault } from './faults/fault.ts';
import type { Ledger } from './ledger.ts';
import { inQuiet } from './quiet.ts';
import { seeded } from './random.ts';
import { until } from './world/until.ts';
import type { World } from './world/world.ts';

export type RoundOptions = {
  readonly world: World;
  readonly cast: Cast;
  readonly ledger: Ledger;
  readonly memory: Memory;
  readonly seed: number;
  readonly round: number;
  readonly fault: Fault;
  /** Commands of each client. */
  readonly commands: number;
  readonly freezeMs: number;
  readonly say: (line: string) => void;
};

export type RoundResult = Omit<Findings, 'violations'> & {
  readonly violations: readonly Violation[];
  readonly failedRequests: number;
  readonly seconds: number;
};

/** A stage on which nothing is attacked. */
export const calmStage = (world: World, ledger: Ledger, round: number, violations: Violation[]): Stage => ({
  world,
  ledger,
  round,
  violations,
  acknowledged: () => {},
  failed: () => {},
  rest: () => world.usable(),
  left: () => {},
  parked: false,
});

/** One round: load, one fault in the middle of it, recovery, and every check. */
export const playRound = async (options: RoundOptions): Promise<RoundResult> => {
  const { world, cast, ledger, memory, seed, round, fault, commands, freezeMs, say } = options;
  const began = performance.now();
  const random = seeded(seed, round, 'fault');
  const violations: Violation[] = [];
  const complain = (what: string): void => {
    violations.push({ check: fault.name, what, events: [] });
  };

  await world.arrange(random.pick(fault.topologies));
  await world.usable();
  let players = new Set([...cast.clients, ...cast.circle]).size;
  let resting = 0;
  const acknowledged = counter();
  const failed = counter(() => resting >= players);
  const stage: Stage = {
    ...calmStage(world, ledger, round, violations),
    acknowledged: acknowledged.add,
    failed: failed.add,
    rest: async () => {
      resting += 1;
      failed.look();
      await world.usable();
      resting -= 1;
    },
    left: () => {
      players -= 1;
      failed.look();
    },
  };
  const load: Load = { cast, seed, commands };
  const running = await startLoad(stage, load, memory);
  const finished = running.done.finally(() => {
    acknowledged.end();
    failed.end();
  });
  const after = Math.floor(cast.clients.length * commands * (0.05 + random.next() * 0.25));
  const struck = acknowledged.reach(after).then(() =>
    fault.strike({
      world,
      cast,
      stage,
      random,
      freezeMs,
      failures: failed.reach,
      acknowledgements: acknowledged.reach,
      say,
      complain,
    }),
  );
  await Promise.all([finished, struck]);

  for (const node of world.wanted())
    if (!node.isAlive()) {
      complain(`${node.name} ended by itself: ${node.fell()}`);
      await node.start(node.roles());
    }
  await until('every process ready', async () =>
    (await Promise.all(world.wanted().map((node) => !node.roles().includes('api') || node.isReady()))).every(Boolean),
  );
  await running.askAgain();
  const findings = await inQuiet(world, (world) => examine(world, ledger));
  return {
    ...findings,
    violations: [...violations, ...findings.violations],
    failedRequests: failed.total(),
    seconds: (performance.now() - began) / 1000,
  };
};
