import t from 'tap';
import { type CliCommand, CliProblem, type Context } from '../../src/cli/command.ts';
import { cliCommands } from '../../src/cli/index.ts';
import { progressOn } from '../../src/cli/progress.ts';
import { runCli } from '../../src/cli/run.ts';
import { parseConfig } from '../../src/config.ts';

const context: Context = {
  config: parseConfig({}),
  connectionString: async () => 'postgres://nowhere',
  print: () => undefined,
  progress: () => undefined,
};

const run = async (argv: readonly string[], behaviour: CliCommand['run'] = async () => 0) => {
  const calls: unknown[] = [];
  const out: string[] = [];
  const error: string[] = [];
  const commands: CliCommand[] = [
    {
      name: 'boxes',
      summary: 'Lists boxes.',
      run: async () => 0,
    },
    {
      name: 'boxes open',
      summary: 'Opens a box.',
      positionals: ['box', 'key?'],
      options: { force: { type: 'boolean', describe: 'Breaks the lock.' } },
      run: async (args, context) => {
        calls.push(args);
        return behaviour(args, context);
      },
    },
  ];
  const terminal = { out: (line: string) => out.push(line), error: (line: string) => error.push(line) };
  const code = await runCli(commands, argv, terminal, async () => context);
  return { code, calls, out: out.join('\n'), error: error.join('\n') };
};

t.test('the command line', async (t) => {
  t.test('runs the command with the longest name, with its arguments', async (t) => {
    const { code, calls } = await run(['boxes', 'open', 'red', '--force']);
    t.equal(code, 0);
    t.match(calls, [{ positionals: { box: 'red' }, options: { force: true } }]);
  });
  t.test('passes the exit code on', async (t) => t.equal((await run(['boxes', 'open', 'red'], async () => 3)).code, 3));
  t.test('lists its commands on --help and without any', async (t) => {
    for (const argv of [['--help'], []])
      t.match(await run(argv), { code: 0, out: /boxes open <box> \[key\] +Opens a box\./ });
  });
  t.test('explains one command on --help', async (t) =>
    t.match(await run(['boxes', 'open', '--help']), { code: 0, out: /--force +Breaks the lock\./, calls: [] }),
  );
  t.test('says what it did not understand', async (t) => {
    t.match(await run(['crates']), { code: 2, error: /no command "crates"/ });
    t.match(await run(['boxes', 'open']), { code: 2, error: /<box> is missing/ });
    t.match(await run(['boxes', 'open', 'a', 'b', 'c']), { code: 2, error: /"c"/ });
    t.match(await run(['boxes', 'open', 'a', '--loud']), { code: 2, error: /--loud/ });
  });
  t.test('tells a problem in one line and lets a fault through', async (t) => {
    const failing = (error: Error) => run(['boxes', 'open', 'a'], () => Promise.reject(error));
    t.match(await failing(new CliProblem('There is no such box.')), { code: 1, error: 'There is no such box.' });
    await t.rejects(failing(new TypeError('a fault')), TypeError);
  });
  t.test('has a summary for every command of Convene and no name twice', async (t) => {
    t.equal(new Set(cliCommands.map(({ name }) => name)).size, cliCommands.length);
    for (const { name, summary } of cliCommands) t.match(summary, /\.$/, name);
  });
});

t.test('progress', async (t) => {
  const shown = (isTTY: boolean, steps: readonly number[]) => {
    const written: string[] = [];
    const progress = progressOn({ write: (text) => written.push(text), isTTY, columns: 80 });
    for (const step of steps) progress('rebuild', step, 1000);
    return written;
  };
  t.test('is a bar on a terminal that ends its line', async (t) => {
    const written = shown(true, [0, 500, 1000]);
    t.match(written[1], /^\rrebuild █+░+ 50% 500\/1,000$/);
    t.match(written[2], /\n$/);
  });
  t.test('is a few lines elsewhere', async (t) => {
    const written = shown(
      false,
      Array.from({ length: 1001 }, (_, index) => index),
    );
    t.equal(written.length, 11);
    t.equal(written.at(-1), 'rebuild 100% 1,000/1,000\n');
  });
  t.test('of nothing is done at once', async (t) => {
    const written: string[] = [];
    progressOn({ write: (text) => written.push(text) })('verify', 0, 0);
    t.same(written, ['verify 100% 0/0\n']);
  });
});
