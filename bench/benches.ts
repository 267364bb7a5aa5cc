import { append } from './append.ts';
import type { Bench } from './bench.ts';
import { command } from './command.ts';
import { connections } from './connections.ts';
import { contended } from './contended.ts';
import { hot } from './hot.ts';
import { live } from './live.ts';
import { login } from './login.ts';
import { project } from './project.ts';
import { query } from './query.ts';
import { reads } from './reads.ts';

/** Every bench, in the order in which they run. Peers are imported when a bench runs: the list needs nothing installed. */
export const benches: readonly Bench[] = [
  append,
  contended,
  reads,
  project,
  command,
  login,
  hot,
  query,
  live,
  connections,
];
