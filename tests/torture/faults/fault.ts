import type { Cast } from '../clients/cast.ts';
import type { Stage } from '../clients/play.ts';
import type { Random } from '../random.ts';
import type { Topology, World } from '../world/world.ts';

/** What a fault works with. */
export type Strike = {
  readonly world: World;
  readonly cast: Cast;
  readonly stage: Stage;
  readonly random: Random;
  /** How long a frozen process or server stays frozen, in milliseconds. */
  readonly freezeMs: number;
  /** Waits until so many more requests have failed, every client waits, or the load is over. Ask before you strike. */
  readonly failures: (count: number) => Promise<void>;
  /** Waits until so many more commands were acknowledged or the load is over. */
  readonly acknowledgements: (count: number) => Promise<void>;
  /** A line in the report of the round. */
  readonly say: (line: string) => void;
  readonly complain: (what: string) => void;
};

/** Something that goes wrong under load. */
export type Fault = {
  readonly name: string;
  /** Which processes run in its round. */
  readonly topologies: readonly Topology[];
  /** The stores that it exists for; all when left out. */
  readonly store?: 'postgres' | 'eventstoredb';
  /** Strikes, and brings back what it took away. */
  readonly strike: (strike: Strike) => Promise<void>;
};
