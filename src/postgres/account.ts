import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { StartupProblem } from '../startupProblem.ts';

const run = promisify(execFile);

/** As whom PostgreSQL runs. It refuses the superuser, so that root has to step down for it. */
export type Account = {
  /** Undefined when it runs as the caller. */
  readonly ids?: { readonly uid: number; readonly gid: number };
  /** What the program and its arguments are put behind, and how it is spawned. */
  readonly launch: (program: string, args: readonly string[]) => Launch;
};
export type Launch = {
  readonly file: string;
  readonly args: readonly string[];
  readonly options: { readonly uid?: number; readonly gid?: number };
};

const CAP_DAC_OVERRIDE = 1n;
const CAP_DAC_READ_SEARCH = 2n;
/** Needed to set what setpriv is asked for. */
const CAP_SETPCAP = 8n;

/**
 * The account for a cluster: the caller, unless the caller is root. Then the owner of an existing cluster, else `postgres`
 * where the system has that user, else `nobody`. Where this account cannot walk to one of `paths` (a checkout under /root, a
 * private temporary folder) it keeps the one capability that lets it pass, through `setpriv`.
 * Throws StartupProblem when root cannot step down here.
 */
export async function accountFor(cluster: string, paths: readonly string[]): Promise<Account> {
  if (process.getuid?.() !== 0) return { launch: (file, args) => ({ file, args, options: {} }) };
  const ids = (await ownerOf(cluster)) ?? (await idsOf('postgres')) ?? (await idsOf('nobody'));
  if (ids === undefined) {
    throw new StartupProblem(
      'PostgreSQL does not run as root, and there is no user "postgres" or "nobody" to run it as. Add one, start as another user, or set DATABASE_URL.',
    );
  }
  const reachable = (await Promise.all(paths.map((path) => canWalkTo(path, ids)))).every(Boolean);
  if (reachable) return { ids, launch: (file, args) => ({ file, args, options: ids }) };
  const capability = await passage();
  if (capability === undefined) {
    throw new StartupProblem(
      `PostgreSQL does not run as root, and the user it would run as (uid ${ids.uid}) cannot reach ${paths.join(' and ')}. Make the folders above passable (chmod o+x), start as another user, or set DATABASE_URL.`,
    );
  }
  return {
    ids,
    launch: (program, args) => ({
      file: 'setpriv',
      args: [
        // Without this, access(2) looks past the capability, and PostgreSQL does not find its own programs.
        '--securebits=+no_setuid_fixup',
        `--reuid=${ids.uid}`,
        `--regid=${ids.gid}`,
        '--clear-groups',
        `--inh-caps=-all,+${capability}`,
        `--ambient-caps=-all,+${capability}`,
        '--',
        program,
        ...args,
      ],
      options: {},
    }),
  };
}

async function ownerOf(cluster: string) {
  const found = await stat(cluster).catch(() => undefined);
  return found === undefined || found.uid === 0 ? undefined : { uid: found.uid, gid: found.gid };
}

async function idsOf(name: string) {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

async function canWalkTo(path: string, { uid, gid }: { uid: number; gid: number }): Promise<boolean> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = await stat(folder);
    const bit = found.uid === uid ? 0o100 : found.gid === gid ? 0o010 : 0o001;
    if ((found.mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** The narrowest capability at hand that lets a process walk through closed folders; undefined when there is no way. */
async function passage(): Promise<string | undefined> {
  const available = await run('setpriv', ['--version']).then(
    () => true,
    () => false,
  );
  if (!available) return undefined;
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const held = BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  if (((held >> CAP_SETPCAP) & 1n) === 0n) return undefined;
  if ((held >> CAP_DAC_READ_SEARCH) & 1n) return 'dac_read_search';
  if ((held >> CAP_DAC_OVERRIDE) & 1n) return 'dac_override';
  return undefined;
}
