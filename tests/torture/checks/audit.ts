import { cliCommands } from '../../../src/cli/index.ts';
import { runCli } from '../../../src/cli/run.ts';
import { parseConfig } from '../../../src/config.ts';
import type { Violation } from './violation.ts';

type Run = (...args: readonly string[]) => Promise<{ readonly code: number; readonly output: string }>;

const NAME = 'audit verify';

/** Has `convene audit verify` follow the chain of hashes; says so where this version has no such command. */
export const auditViolations = async (
  run: Run,
  commands: readonly { readonly name: string }[] = cliCommands,
): Promise<{ readonly violations: readonly Violation[]; readonly told: string }> => {
  if (!commands.some(({ name }) => name === NAME))
    return { violations: [], told: 'audit chain NOT CHECKED: this version has no convene audit verify' };
  const { code, output } = await run(...NAME.split(' '));
  if (code === 0) return { violations: [], told: 'audit chain unbroken' };
  return { violations: [{ check: 'audit', what: output.trim(), events: [] }], told: 'audit chain BROKEN' };
};

/** Runs a command of `convene` in this process, on the database itself; its exit code and what it printed. */
export const inProcess =
  (environment: Readonly<Record<string, string>>): Run =>
  async (...args) => {
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(line);
    const config = parseConfig(environment);
    const code = await runCli(cliCommands, args, { out: print, error: print }, async () => ({
      config,
      connectionString: async () => config.databaseUrl ?? '',
      print,
      progress: () => {},
    }));
    return { code, output: lines.join('\n') };
  };
