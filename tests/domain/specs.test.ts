import { globSync } from 'node:fs';
import { join } from 'node:path';

/** The specs of all deciders in one process: each takes a moment, and a process for each would take most of the time. */
for (const file of globSync('*/**/*.test.ts', { cwd: import.meta.dirname }).sort())
  await import(join(import.meta.dirname, file));
