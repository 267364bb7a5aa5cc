import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Outcomes } from './checks/acknowledged.ts';
import { bookingViolations, reservationsLeft } from './checks/booking.ts';
import { examine } from './checks/index.ts';
import { shown, type Violation } from './checks/violation.ts';
import { type Cast, createCast } from './clients/cast.ts';
import type { Memory } from './clients/load.ts';
import type { Fault } from './faults/fault.ts';
import { faultOf, faultsFor } from './faults/index.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { inQuiet } from './quiet.ts';
import { calmStage, playRound, type RoundResult } from './round.ts';
import { convene } from './world/command.ts';
import { Stuck, until } from './world/until.ts';
import { startWatcher } from './world/watcher.ts';
import { createWorld, type World } from './world/world.ts';

export type TortureOptions = {
  readonly rounds: number;
  readonly seed: number;
  /** Names of the faults to draw from; all of the store when empty. */
  readonly faults: readonly string[];
  readonly store: 'postgres' | 'eventstoredb';
  /** Starts a real server; `{data}` and `{port}` in it are replaced. Undefined: the stand-in. */
  readonly eventStoreCommand: string | undefined;
  readonly clients: number;
  /** Commands of each client in a round. */
  readonly commands: number;
  readonly freezeMs: number;
  /** Also settles what crashes left half done, which takes a minute, and runs `convene projections verify` at the end. */
  readonly thorough: boolean;
  readonly print: (line: string) => void;
};

/** A world that nobody attacks any more, for those who want to look closer before it ends. */
export type Aftermath = { readonly world: World; readonly ledger: Ledger; readonly cast: Cast };

export type TortureResult = {
  readonly rounds: number;
  readonly violations: readonly Violation[];
  readonly outcomes: Outcomes | undefined;
  readonly events: number;
  /** Kept where something was found. */
  readonly folder: string;
};

/** The faults named, or all; throws RangeError for a name that there is not. */
export const chosenFaults = (store: TortureOptions['store'], names: readonly string[]): readonly Fault[] => {
  const all = faultsFor(store);
  const unknown = names.filter((name) => !all.some((fault) => fault.name === name));
  if (unknown.length > 0)
    throw new RangeError(`No such fault: ${unknown.join(', ')}. There are: ${all.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
};

const report = (result: RoundResult): string => {
  const { events, rows, outcomes, failedRequests, audit, seconds } = result;
  const { commands, acknowledged, refused, unknown, unknownStored, toldOnRepeat } = outcomes;
  return [
    `  so far ${commands} commands: ${acknowledged} acknowledged, ${refused} refused, ${unknown} without an answer (${unknownStored} of them stored);`,
    `  ${toldOnRepeat} stored although their caller heard of a failure, told so on repeat; ${failedRequests} requests failed in this round;`,
    `  ${events} events, ${rows} rows equal to a rebuild, ${audit}; ${seconds.toFixed(1)} s`,
  ].join('\n');
};

/** Violations that are printed. */
const SHOWN = 20;

/** Claims and reservations older than this many seconds belong to nobody, unless an appointment stands behind them. */
const SETTLED_SECONDS = 75;

/** Waits until what crashes left half done is settled: those reservations that are old enough for it. */
const settled = (world: World, ledger: Ledger): Promise<boolean> =>
  until('the settlement of abandoned reservations', async () => {
    const { events } = await world.log();
    const { appointments } = bookingViolations(events, ledger.planted);
    const due = reservationsLeft(events, appointments, ledger.planted).filter(
      ({ recordedAt }) => Date.now() - Date.parse(recordedAt) > SETTLED_SECONDS * 1000,
    );
    return due.length === 0;
  });

/** Attacks a service of its own, round by round, until all are through or one finds something. */
export const torture = async (
  options: TortureOptions,
  afterwards: (aftermath: Aftermath) => Promise<void> = async () => {},
): Promise<TortureResult> => {
  const { rounds, seed, store, clients, commands, freezeMs, print } = options;
  const from = chosenFaults(store, options.faults);
  const folder = await mkdtemp(join(tmpdir(), 'convene-torture-'));
  await chmod(folder, 0o711);
  const watcher = startWatcher(folder);
  const ledger = createLedger();
  const memory: Memory = new Map();
  const violations: Violation[] = [];
  let outcomes: Outcomes | undefined;
  let events = 0;
  let round = 0;
  let world: World | undefined;
  const fail = (found: readonly Violation[], about: string): void => {
    violations.push(...found);
    print(`FAILED: seed ${seed}, round ${round}, ${about}`);
    for (const violation of found.slice(0, SHOWN)) print(shown(violation));
    if (found.length > SHOWN) print(`  … and ${found.length - SHOWN} more`);
    print(`  Everything is kept in ${folder}. Replay: npm run torture -- --seed ${seed} --rounds ${rounds}`);
    watcher.keep();
  };
  try {
    world = await createWorld({ folder, watcher, store, eventStoreCommand: options.eventStoreCommand, note: print });
    await world.arrange('one');
    const cast = await createCast(calmStage(world, ledger, 0, violations), clients);
    print(`${clients} clients, ${cast.slots.length} slots, ${cast.circle.length} administrators`);
    for (round = 1; round <= rounds && violations.length === 0; round += 1) {
      const fault = faultOf(seed, round, from);
      print(`Round ${round} of ${rounds}: ${fault.name}`);
      const result = await playRound({
        world,
        cast,
        ledger,
        memory,
        seed,
        round,
        fault,
        commands,
        freezeMs,
        say: (line) => print(`  ${line}`),
      });
      print(report(result));
      ({ outcomes, events } = result);
      if (result.violations.length > 0) {
        fail(result.violations, fault.name);
        return { rounds: round, violations, outcomes, events, folder };
      }
    }
    round = rounds;
    if (options.thorough) {
      await settled(world, ledger);
      const last = await inQuiet(world, (world) => examine(world, ledger));
      if (last.violations.length > 0) fail(last.violations, 'after the last round');
      const verified = await convene(world, 'projections', 'verify');
      if (verified.code !== 0)
        fail([{ check: 'convene projections verify', what: verified.output, events: [] }], 'after the last round');
    }
    if (violations.length === 0) await afterwards({ world, ledger, cast });
    return { rounds, violations, outcomes, events, folder };
  } catch (error) {
    if (!(error instanceof Stuck)) {
      watcher.keep();
      throw error;
    }
    fail([{ check: 'stuck', what: error.message, events: [] }], 'waiting');
    return { rounds: round, violations, outcomes, events, folder };
  } finally {
    await world?.close().catch(() => {});
    if (violations.length === 0) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
};
