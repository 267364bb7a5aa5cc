import { parseArgs } from 'node:util';
import { StartupProblem } from '../startupProblem.ts';
import { type Arguments, type CliCommand, CliProblem, type Context } from './command.ts';

/** The streams a run writes to. */
export type Terminal = { readonly out: (line: string) => void; readonly error: (line: string) => void };

/** Exit code of a command line that could not be understood. */
export const USAGE = 2;

/**
 * Runs the command that `argv` (without program and file) names. Answers `--help` for all and for one. The context is made
 * only for a command that really runs. Returns the exit code: 0 done, 1 could not, 2 not understood.
 */
export async function runCli(
  commands: readonly CliCommand[],
  argv: readonly string[],
  terminal: Terminal,
  contextOf: () => Promise<Context>,
): Promise<number> {
  const words = argv.filter((word) => !word.startsWith('-'));
  const command = commands
    .filter(({ name }) => `${words.join(' ')} `.startsWith(`${name} `))
    .sort((a, b) => b.name.length - a.name.length)[0];
  const helpWanted = argv.includes('--help') || argv.includes('-h');
  if (command === undefined) {
    if (!helpWanted && words.length > 0) terminal.error(`convene knows no command "${words.join(' ')}".`);
    overview(commands, words).forEach(helpWanted || words.length === 0 ? terminal.out : terminal.error);
    return helpWanted || words.length === 0 ? 0 : USAGE;
  }
  if (helpWanted) {
    usage(command).forEach(terminal.out);
    return 0;
  }
  let args: Arguments;
  try {
    args = argumentsOf(command, argv);
  } catch (error) {
    terminal.error(error instanceof Error ? error.message : String(error));
    usage(command).forEach(terminal.error);
    return USAGE;
  }
  try {
    return await command.run(args, await contextOf());
  } catch (error) {
    if (!(error instanceof CliProblem || error instanceof StartupProblem)) throw error;
    terminal.error(error.message);
    return 1;
  }
}

function argumentsOf(command: CliCommand, argv: readonly string[]): Arguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { ...command.options },
    allowPositionals: true,
  });
  const given = positionals.slice(command.name.split(' ').length);
  const names = command.positionals ?? [];
  const required = names.filter((name) => !name.endsWith('?'));
  const missing = required[given.length];
  if (missing !== undefined) throw new Error(`<${missing}> is missing.`);
  if (given.length > names.length) throw new Error(`"${given[names.length]}" is one argument too many.`);
  return {
    positionals: Object.fromEntries(given.map((value, index) => [names[index]?.replace(/\?$/, '') ?? '', value])),
    options: values,
  };
}

const signature = ({ name, positionals = [] }: CliCommand): string =>
  [name, ...positionals.map((each) => (each.endsWith('?') ? `[${each.slice(0, -1)}]` : `<${each}>`))].join(' ');

/** All commands, or those of the group that was typed. */
function overview(commands: readonly CliCommand[], words: readonly string[]): string[] {
  const group = commands.filter(({ name }) => name.split(' ')[0] === words[0]);
  const shown = group.length > 0 ? group : commands;
  const width = Math.max(...shown.map((command) => signature(command).length));
  return [
    'Usage: convene <command> [options]',
    '',
    ...shown.map((command) => `  ${signature(command).padEnd(width)}  ${command.summary}`),
    '',
    'convene <command> --help tells more. The configuration is that of the service: environment variables.',
  ];
}

function usage(command: CliCommand): string[] {
  const options = Object.entries(command.options ?? {}).map(
    ([name, { type, describe }]) => [`--${name}${type === 'string' ? ' <value>' : ''}`, describe] as const,
  );
  const width = Math.max(0, ...options.map(([flag]) => flag.length));
  return [
    `Usage: convene ${signature(command)}${options.length > 0 ? ' [options]' : ''}`,
    '',
    command.summary,
    ...(options.length > 0 ? ['', ...options.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`)] : []),
  ];
}
