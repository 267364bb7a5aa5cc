/**
 * `npm run fuzz [-- --requests N] [--seed S]`: sends requests by chance to every route of a service of its own, as
 * callers of every standing, and looks at each answer. Exits with 1 when anything is off; the same seed tries the same.
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { fuzz } from '../tests/http/fuzz/fuzz.ts';
import { startTestServer } from '../tests/support/postgres.ts';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } },
});
const { requests, seed } = z
  .object({ requests: z.coerce.number().int().min(1), seed: z.coerce.number().int() })
  .parse(values);

const started = performance.now();
const seconds = (): string => ((performance.now() - started) / 1000).toFixed(1);
const { failures, unreached, ...seen } = await fuzz({
  requests,
  seed,
  connectionString: await startTestServer(),
  progress: (done) => console.log(`${done} requests, ${seconds()} s`),
});
console.log(JSON.stringify({ seed, ...seen }, undefined, 2));
for (const { what, index, reproduce } of failures) console.log(`\n✗ case ${index}: ${what}\n  ${reproduce}`);
if (unreached.length > 0) console.log(`\n✗ never succeeded: ${unreached.join(', ')}`);
const faults = failures.length + unreached.length;
console.log(`\n${faults === 0 ? 'nothing found' : `${faults} failures`} with seed ${seed} in ${seconds()} s`);
process.exitCode = faults === 0 ? 0 : 1;
