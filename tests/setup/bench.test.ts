import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { printed, rounded } from '../../bench/report.ts';
import { interleaved, latencies, median } from '../../bench/rounds.ts';

const main = join(import.meta.dirname, '../../bench/main.ts');

/** The command, without the launcher that installs what it measures against. */
async function bench(args: readonly string[], npm: Record<string, string> = {}) {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const compiled = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };
  const child = spawn(process.execPath, [main, ...args], { env: { PATH, ...compiled, ...npm } });
  const [out, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return { code, out };
}

t.test('the benchmarks', async (t) => {
  t.test('take turns, each round beginning with another one, and keep medians', async (t) => {
    const turns: string[] = [];
    const figures = { a: [5, 1, 3], b: [8, 9, 7] };
    const contender = (who: 'a' | 'b') => async () => {
      turns.push(who);
      return { rate: figures[who].shift() ?? Number.NaN };
    };
    const found = await interleaved(3, { a: contender('a'), b: contender('b') });
    t.equal(turns.join(''), 'abbaab');
    t.strictSame(found, { a: { rate: 3 }, b: { rate: 8 } });
  });

  t.test('know medians and percentiles', async (t) => {
    t.equal(median([4, 1, 3]), 3);
    t.equal(median([4, 1, 3, 2]), 2.5);
    t.strictSame(latencies(Array.from({ length: 200 }, (_, index) => 200 - index)), { p50: 100, p99: 198 });
    t.strictSame([12_345.678, 12.345678, 0.0123456].map(rounded), [12_346, 12.3, 0.0123]);
  });

  t.test('tell a goal that is met from one that is missed, and by how much', async (t) => {
    const said = printed({
      rows: [{ who: 'Convene', metric: 'appends', value: 1234.5, unit: 'events/s' }],
      ratios: { fast: 9, slow: 4, free: 1 },
      goals: [
        { name: 'fast', value: 9, atLeast: 8 },
        { name: 'slow', value: 4, atLeast: 8 },
        { name: 'lag', value: 60, unit: 'ms', atMost: 50 },
      ],
    });
    const lines = said.split('\n').map((line) => line.trim().replace(/ {2,}/g, ' | '));
    t.strictSame(lines, [
      'Convene | appends | 1,235 | events/s',
      '',
      'fast | 9 | goal at least 8: met',
      'slow | 4 | goal at least 8: missed by 50 %',
      'free | 1',
      'lag | 60 | ms | goal at most 50: missed by 20 %',
    ]);
  });

  t.test('are listed by the command, each under a name of its own', async (t) => {
    const { code, out } = await bench(['--help']);
    t.equal(code, 0);
    const names = [...out.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name]) => name);
    t.ok(names.length >= 5, `${names.length} benches`);
    t.equal(new Set(names).size, names.length);
  });

  t.test('are refused when there is no such', async (t) => {
    t.match(await bench(['nonsense']), { code: 2, out: /There is no bench nonsense/ });
    // npm takes --json for one of its own flags, and leaves the name of the file behind.
    const { out } = await bench(['nonsense', 'figures.json'], { npm_config_json: 'true' });
    t.match(out, /There is no bench nonsense\./);
  });
});
