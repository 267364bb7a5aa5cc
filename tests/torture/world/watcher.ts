import { type ChildProcess, spawn } from 'node:child_process';

/** Ends what the driver has started, however the driver itself ends. */
export type Watcher = {
  /** A process, or with a minus sign before it a process group, to be killed. */
  readonly watch: (pid: number) => void;
  readonly forget: (pid: number) => void;
  /** A mounted folder, to be unmounted. */
  readonly mounted: (folder: string) => void;
  readonly unmounted: (folder: string) => void;
  /** The folder is not to be removed at the end: it is wanted for inspection. */
  readonly keep: () => void;
};

/**
 * Remembers the last line that it was given; once the driver is gone it kills, unmounts and removes what stands there. A
 * process that was just being started is not in the list yet: it is found by its working folder, where there is /proc.
 */
const SCRIPT = `list=
while read -r line; do list=$line; done
for one in $list; do
  case $one in
    in:*) for p in /proc/[0-9]*; do
        case $(readlink "$p/cwd" 2>/dev/null) in "\${one#in:}"*) kill -9 "\${p#/proc/}" 2>/dev/null ;; esac
      done ;;
    kill:*) kill -9 -- "\${one#kill:}" 2>/dev/null ;;
    umount:*) n=0; while [ $n -lt 50 ] && ! umount "\${one#umount:}" 2>/dev/null; do n=$((n + 1)); sleep 0.1; done ;;
    rm:*) n=0; while [ $n -lt 50 ] && ! rm -rf -- "\${one#rm:}" 2>/dev/null; do n=$((n + 1)); sleep 0.1; done ;;
  esac
done`;

/** Starts the watcher of everything that has this working folder or one below it, in a session of its own: a Ctrl-C at the terminal ends the driver, not what clears up after it. */
export const startWatcher = (workplace: string): Watcher => {
  const child: ChildProcess = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  const pipe = child.stdin;
  if (pipe === null) throw new Error('A pipe was asked for');
  pipe.on('error', () => {});
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
  const duties = new Set<string>();
  let folder: string | undefined = workplace;
  const tell = (): void => {
    const kills = [...duties].sort();
    pipe.write(`in:${workplace} ${[...kills, ...(folder === undefined ? [] : [`rm:${folder}`])].join(' ')}\n`);
  };
  const change = (action: 'add' | 'delete', duty: string): void => {
    duties[action](duty);
    tell();
  };
  tell();
  return {
    watch: (pid) => change('add', `kill:${pid}`),
    forget: (pid) => change('delete', `kill:${pid}`),
    mounted: (path) => change('add', `umount:${path}`),
    unmounted: (path) => change('delete', `umount:${path}`),
    keep: () => {
      folder = undefined;
      tell();
    },
  };
};
