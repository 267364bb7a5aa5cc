import { cliCommands } from '../../../src/cli/index.ts';
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
