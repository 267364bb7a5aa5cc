import { seeded } from '../random.ts';
import { connectionFaults } from './connections.ts';
import { diskFull } from './diskFull.ts';
import { eventStoreFaults } from './eventStore.ts';
import type { Fault } from './fault.ts';
import { poisonFaults } from './poison.ts';
import { processFaults } from './processes.ts';

/** Everything that can go wrong. */
export const faults: readonly Fault[] = [
  ...processFaults,
  ...connectionFaults,
  diskFull,
  ...poisonFaults,
  ...eventStoreFaults,
];

/** The faults that exist for a store. */
export const faultsFor = (store: 'postgres' | 'eventstoredb'): readonly Fault[] =>
  faults.filter((fault) => fault.store === undefined || fault.store === store);

/** The fault of each round: every one once, in an order that the seed decides, before any comes again. */
export const faultOf = (seed: number, round: number, from: readonly Fault[]): Fault => {
  const turn = Math.floor((round - 1) / from.length);
  const order = seeded(seed, 'faults', turn).shuffled(from);
  const fault = order[(round - 1) % from.length];
  if (fault === undefined) throw new RangeError('There is no fault to draw from');
  return fault;
};
