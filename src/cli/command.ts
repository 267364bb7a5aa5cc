import type { ParseArgsOptionDescriptor } from 'node:util';
import type { Config } from '../config.ts';

/** Options of a command, as node:util's parseArgs takes them, each with the line that `--help` prints. */
export type Options = Readonly<Record<string, ParseArgsOptionDescriptor & { readonly describe: string }>>;

/** What was typed after the command's name. */
export type Arguments = {
  /** By the names in `positionals`; a missing optional one is absent. */
  readonly positionals: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
};

/** Where a command finds the world. */
export type Context = {
  readonly config: Config;
  /** The service's PostgreSQL: the configured one, the running service's own, or started for this command alone. Ended after it. */
  readonly connectionString: () => Promise<string>;
  /** Writes a line to standard output. */
  readonly print: (line: string) => void;
  /** Shows how far long work has come, on a terminal as a bar, else as a line now and then. Ends by itself at `total`. */
  readonly progress: (label: string, done: number, total: number) => void;
};

/** One command of `convene`. */
export type CliCommand = {
  /** Its words, such as `projections rebuild`. */
  readonly name: string;
  readonly summary: string;
  /** Names of the arguments in order; an optional one ends with `?`. */
  readonly positionals?: readonly string[];
  readonly options?: Options;
  /** Does it; the number is the exit code. Throws CliProblem for what the person who typed it can put right. */
  readonly run: (args: Arguments, context: Context) => Promise<number>;
};

/** A mistake or circumstance that the person at the terminal can put right: printed as one line, exit code 1. */
export class CliProblem extends Error {
  override readonly name = 'CliProblem';
}
