/**
 * `npm run bench [name…] [-- --json FILE]`: measures Convene beside its peers, on one freshly started PostgreSQL, and
 * prints absolute figures, ratios and goals. Exits with 1 when a bench fails; a missed goal is told, not failed.
 */
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Context } from './bench.ts';
import { benches } from './benches.ts';
import { machine } from './machine.ts';
import { type Kept, printed, rounded } from './report.ts';
import { startServer } from './server.ts';

const HELP = `Usage: npm run bench [name…] [-- options]

Measures Convene beside its peers on one freshly started PostgreSQL, with fsync, and prints figures, ratios and goals.
Without a name: everything. Only ratios within one run compare; run it on a quiet machine.

${benches.map(({ name, title }) => `  ${name.padEnd(10)} ${title}`).join('\n')}

Options
  --json FILE    also write {"name", "rows", "ratios"} there, an array of them when several benches run
  --scale N      sizes and durations times N, to try something out (1); figures below 1 are not to be quoted
  --rounds N     how often contenders take turns (3); medians count
  --folder DIR   where the database of the run lies (bench/.data); not in memory
  --help         this

With EVENTSTORE_TEST_URL (such as esdb://127.0.0.1:2113?tls=false) EventStoreDB is measured too.`;

const Options = z.object({
  json: z.string().optional(),
  scale: z.coerce.number().positive().max(10).default(1),
  rounds: z.coerce.number().int().min(1).max(100).default(3),
  folder: z.string().default(join(import.meta.dirname, '.data')),
  help: z.boolean().default(false),
});

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    scale: { type: 'string' },
    rounds: { type: 'string' },
    folder: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
const { json: named, scale, rounds, folder, help } = Options.parse(values);
// Without `--` npm takes the flag for one of its own, and leaves the file among the names.
const taken = process.env.npm_config_json === 'true' && named === undefined;
const json = taken ? names.at(-1) : named;
const positionals = taken ? names.slice(0, -1) : names;
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name));
if (help || unknown.length > 0) {
  console.log(unknown.length > 0 ? `There is no bench ${unknown.join(', ')}.\n\n${HELP}` : HELP);
  process.exit(help ? 0 : 2);
}

const started = performance.now();
const says = (line: string) =>
  console.error(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${line}`);

const server = await startServer(resolve(folder));
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    server.stop().finally(() => process.exit(130));
  });

const context: Context = {
  rounds,
  sized: (count) => Math.max(1, Math.round(count * scale)),
  database: server.database,
  eventStoreDb: process.env.EVENTSTORE_TEST_URL,
  folder: server.folder,
  says,
};

const kept: Kept[] = [];
let failed = false;
try {
  console.log((await machine(server.connectionString, server.folder)).join('\n'));
  console.log(`${rounds} rounds, medians${scale === 1 ? '' : `; SCALED by ${scale}: not to be quoted`}`);
  for (const { name, title, run } of benches.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  )) {
    says(`${name}: ${title}`);
    try {
      const findings = await run(context);
      console.log(`\n${name}: ${title}\n${printed(findings)}`);
      const rows = findings.rows.map(({ who, metric, value, unit }) => ({ who, metric, value: rounded(value), unit }));
      kept.push({ name, rows, ratios: findings.ratios });
    } catch (error) {
      if (interrupted) break;
      failed = true;
      console.error(`${name} failed`, error);
    }
  }
  if (json !== undefined) await writeFile(json, `${JSON.stringify(kept.length === 1 ? kept[0] : kept, null, 2)}\n`);
} finally {
  if (!interrupted) await server.stop();
}
process.exit(failed ? 1 : 0);
