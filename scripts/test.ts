import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startHost } from '../tests/support/hosted.ts';
import { startTestServer, TEMPLATES, template } from '../tests/support/postgres.ts';
import { preparePeople, prepareStarted } from '../tests/support/service.ts';
import { type Tally, tapReader } from './tap.ts';

/**
 * `npm test`: every check of this checkout and all tests, on one PostgreSQL for the whole run. With file names: those tests
 * alone. With `--checks`: the checks alone. The last line counts both; the exit code is 0 only when nothing failed.
 */
const root = join(import.meta.dirname, '..');
const args = process.argv.slice(2);
const files = args.filter((arg) => !arg.startsWith('--'));
const started = performance.now();
/** So many parts of the tests run at once: more than the two cores they are measured on, since some of them wait. */
const JOBS = 3;

const bin = (name: string) => join(root, 'node_modules', '.bin', name);

type Step = { readonly title: string; readonly command: string; readonly args: readonly string[] };

const checks: readonly Step[] = [
  // Checkers share little of what they find out: with one the other checks have the second core.
  { title: 'types', command: bin('tsc'), args: ['--noEmit', '--checkers', '1'] },
  // What the benchmarks measure against is installed by their first run only; without it their types say nothing.
  ...(existsSync(join(root, 'bench', 'node_modules', '.installed'))
    ? [
        {
          title: 'types of the benchmarks',
          command: bin('tsc'),
          args: ['--noEmit', '--checkers', '1', '--project', 'bench'],
        },
      ]
    : []),
  { title: 'format and lint', command: bin('biome'), args: ['check', '--error-on-warnings', '.'] },
  { title: 'unused code and dependencies', command: bin('knip'), args: ['--no-progress'] },
  ...(existsSync(join(root, 'scripts', 'generate.ts'))
    ? [{ title: 'generated files are fresh', command: process.execPath, args: ['scripts/generate.ts', '--check'] }]
    : []),
];

const results = await Promise.all([
  ...(files.length === 0 ? checks : []).map(passes),
  ...(args.includes('--checks') ? [] : [tests()]),
]);
const [passed, failed] = [sum(({ passed }) => passed), sum(({ failed }) => failed)];
console.log(`\n${((performance.now() - started) / 1000).toFixed(0)} s`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

function sum(of: (tally: Tally) => number): number {
  return results.reduce((total, tally) => total + of(tally), 0);
}

/** Runs a check and shows what it says only when it fails. */
async function passes({ title, command, args }: Step): Promise<Tally> {
  const since = performance.now();
  const { code, output } = await run(command, args);
  const seconds = ((performance.now() - since) / 1000).toFixed(1);
  console.log(`${code === 0 ? '✓' : '✗'} ${title} (${seconds} s)`);
  if (code !== 0) console.log(output);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function tests(): Promise<Tally> {
  const [built, environment] = await Promise.all([buildTap(), surroundings()]);
  if (!built) return { passed: 0, failed: 1 };
  const reader = tapReader(({ file, time, passed, failures }) => {
    const tally = `${passed} ${passed === 1 ? 'test' : 'tests'}, ${(time / 1000).toFixed(1)} s`;
    console.log(failures.length === 0 ? `✓ ${file} (${tally})` : `✗ ${file}\n${failures.join('\n')}`);
  });
  const tap = spawn(bin('tap'), ['run', '--reporter=tap', `--jobs=${JOBS}`, ...files], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const ended = once(tap, 'close');
  for await (const line of createInterface({ input: tap.stdout })) reader.line(line);
  const [code] = await ended;
  const tally = reader.end();
  return code === 0 || tally.failed > 0 ? tally : { ...tally, failed: 1 };
}

/** What all test files share: a PostgreSQL, a process for each job that runs services, and databases for these to copy. */
async function surroundings(): Promise<Record<string, string>> {
  const [server, ...hosts] = await Promise.all([startTestServer(), ...Array.from({ length: JOBS }, startHost)]);
  process.env.CONVENE_TEST_HOSTS = hosts.join();
  await template(server, TEMPLATES.started, prepareStarted);
  await template(server, TEMPLATES.peopled, preparePeople, TEMPLATES.started);
  return { NODE_ENV: 'test', CONVENE_TEST_PG: server, CONVENE_TEST_PREPARED: 'yes' };
}

/** tap puts its runner together once per install; without that its first run fails. */
async function buildTap(): Promise<boolean> {
  const mark = join(root, 'node_modules', '.tap-built');
  const wanted = await readFile(join(root, '.taprc'), 'utf8');
  const installed = await readFile(join(root, 'node_modules', '.installed'), 'utf8').catch(() => '');
  if ((await readFile(mark, 'utf8').catch(() => '')) === wanted + installed) return true;
  const built = await passes({ title: 'test runner put together', command: bin('tap'), args: ['build'] });
  if (built.failed === 0) await writeFile(mark, wanted + installed);
  return built.failed === 0;
}

async function run(command: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = await once(child, 'close');
  return { code, output: Buffer.concat(chunks).toString() };
}
