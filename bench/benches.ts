import type { Bench } from './bench.ts';

/** Every bench, in the order in which they run. Loaded when run: telling the list needs nothing installed. */
export const benches: readonly Bench[] = [];
