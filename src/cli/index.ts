import { parseConfig } from '../config.ts';
import { type EmbeddedPostgres, reachEmbeddedPostgres } from '../embeddedPostgres.ts';
import { auditCommands } from './audit.ts';
import type { CliCommand, Context } from './command.ts';
import { keyCommands } from './keys.ts';
import { progressOn } from './progress.ts';
import { projectionCommands } from './projections.ts';
import { runCli } from './run.ts';

/** Every command of `convene`. */
export const cliCommands: readonly CliCommand[] = [...projectionCommands, ...auditCommands, ...keyCommands];

/** Runs `convene` with what was typed and returns the exit code. */
async function convene(argv: readonly string[]): Promise<number> {
  let database: Promise<EmbeddedPostgres> | undefined;
  const contextOf = async (): Promise<Context> => {
    const config = parseConfig(process.env);
    return {
      config,
      connectionString: async () => {
        if (config.databaseUrl !== undefined) return config.databaseUrl;
        database ??= reachEmbeddedPostgres(config.dataDir);
        return (await database).connectionString;
      },
      print: (line) => console.log(line),
      progress: progressOn(process.stderr),
    };
  };
  const terminal = { out: (line: string) => console.log(line), error: (line: string) => console.error(line) };
  try {
    return await runCli(cliCommands, argv, terminal, contextOf);
  } finally {
    await (await database)?.stop();
  }
}

if (import.meta.main) process.exitCode = await convene(process.argv.slice(2));
