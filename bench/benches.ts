import { append } from './append.ts';
import type { Bench } from './bench.ts';
import { contended } from './contended.ts';

/** Every bench, in the order in which they run. Peers are imported when a bench runs: the list needs nothing installed. */
export const benches: readonly Bench[] = [append, contended];
