import { randomBytes, randomInt } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { StartupProblem } from './startupProblem.ts';

/** What the service cannot run without. Never logged. */
export type Secrets = {
  readonly jwtSecret: string;
  readonly masterKey: string;
  /** Of the first administrator, while the account does not exist. */
  readonly adminPassword: string;
};

/** Where the generated password of the first administrator lies when none was configured. */
export const adminPasswordFile = (dataDir: string): string => join(dataDir, 'secrets', 'admin-password');

/**
 * The secrets as configured; outside production each one missing is generated once into `secrets` of the data folder (mode
 * 0600) and read from there ever after. Processes that start at once on one folder agree on what the first of them wrote.
 */
export async function secretsOf(config: Config): Promise<Secrets> {
  const kept = async (name: string, configured: string | undefined, generate: () => string) => {
    if (configured !== undefined) return configured;
    if (config.production) throw new StartupProblem(`A secret is missing in production: ${name}`);
    return keptIn(join(config.dataDir, 'secrets'), name, generate);
  };
  return {
    jwtSecret: await kept('jwt-secret', config.jwtSecret, randomSecret),
    masterKey: await kept('master-key', config.masterKey, randomSecret),
    adminPassword: await kept('admin-password', config.adminPassword, randomPassword),
  };
}

const randomSecret = () => randomBytes(32).toString('base64url');

const ALPHABET = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** Five groups of four characters that are not mistaken for one another, of every kind that the password rule asks for. */
function randomPassword(): string {
  const characters = Array.from({ length: 20 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  const complete = [/[a-z]/, /[A-Z]/, /[0-9]/].every((kind) => kind.test(characters));
  return complete ? characters.replace(/(.{4})(?=.)/g, '$1-') : randomPassword();
}

/** Reads `folder/name`, or writes it first: whole or not at all, and never over another process's. */
async function keptIn(folder: string, name: string, generate: () => string): Promise<string> {
  const path = join(folder, name);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const found = await readFile(path, 'utf8').catch(ifMissing);
    if (found !== undefined) {
      await chmod(path, 0o600);
      return found.trim();
    }
    const draft = `${path}.${randomBytes(6).toString('hex')}`;
    const file = await open(draft, 'wx', 0o600);
    await file.writeFile(`${generate()}\n`);
    await file.sync().finally(() => file.close());
    await link(draft, path)
      .catch(ifPresent)
      .finally(() => rm(draft));
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw new StartupProblem(`The data folder cannot be used: ${path} (${codeOf(error) ?? 'unknown error'})`);
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;

const ifMissing = (error: unknown): undefined => {
  if (codeOf(error) !== 'ENOENT') throw error;
};

const ifPresent = (error: unknown): undefined => {
  if (codeOf(error) !== 'EEXIST') throw error;
};
