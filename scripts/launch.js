// Plain JavaScript for whatever Node 20 or newer is installed, without dependencies: it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The young part of the heap stays small, in megabytes: garbage of what is idle by now would fill it for hours. The image says it too. */
const flags = ['--max-semi-space-size=16'];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const pinned = join(modules, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');

/**
 * Runs a file of this checkout on the pinned Node, after installing what is missing (also in the named folders with a
 * lock file of their own), and ends as it ends. Signals are passed on. A service whose launcher was killed notices by
 * the closed channel, and drains.
 */
export function launch(file, args, folders = []) {
  for (const folder of ['', ...folders]) install(join(root, folder));
  const env = {
    // Compiled modules are kept, which halves the time to start.
    NODE_COMPILE_CACHE: join(modules, '.cache', 'compiled'),
    ...process.env,
    PATH: `${join(modules, '.bin')}${delimiter}${process.env.PATH ?? ''}`,
  };
  const child = spawn(nodeToUse(), [...flags, join(root, file), ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`Node could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

/** Installs a folder's locked dependencies unless they are all there. An install that was interrupted is done again. */
function install(folder) {
  const stamp = join(folder, 'node_modules', '.installed');
  const lock = readFileSync(join(folder, 'package-lock.json'));
  const wanted = createHash('sha256').update(lock).update(`${process.platform}-${process.arch}`).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  if (!isComplete(folder, JSON.parse(lock))) {
    console.error('Installing what is missing. This is done once and takes a minute or two.');
    const npm = process.env.npm_execpath;
    const options = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm, ...options]] : ['npm', options];
    const { status, error } = spawnSync(command, args, {
      cwd: folder,
      stdio: ['ignore', 2, 2],
      shell: command === 'npm' && process.platform === 'win32',
    });
    if (status !== 0) {
      console.error(`The dependencies could not be installed${error ? `: ${error.message}` : ' (see above)'}.`);
      process.exit(1);
    }
  }
  writeFileSync(stamp, wanted);
}

/** Whether npm finished an install of exactly these versions: it writes its own lock file last. */
function isComplete(folder, lock) {
  const written = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(written)) return false;
  const present = JSON.parse(readFileSync(written, 'utf8')).packages;
  return Object.entries(lock.packages).every(
    ([path, { version, optional, devOptional }]) =>
      path === '' || optional || devOptional || (present[path]?.version === version && existsSync(join(folder, path))),
  );
}

/** The pinned Node; the running one where install scripts were forbidden and it is new enough itself. */
function nodeToUse() {
  if (existsSync(pinned)) return pinned;
  const { version } = JSON.parse(readFileSync(join(modules, 'node', 'package.json'), 'utf8'));
  const [major, needed] = [process.versions.node, version].map((each) => Number(each.split('.')[0]));
  if (major >= needed) return process.execPath;
  console.error(
    `Node ${needed} is missing: its install script did not run. Try "npm rebuild node", or install Node ${needed}.`,
  );
  process.exit(1);
}
