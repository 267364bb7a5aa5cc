import { type ChildProcess, spawn } from 'node:child_process';

/** Ends what the driver has started, however the driver itself ends. */
export type Watcher = {
  /** A process, or with a minus sign before it a process group, to be killed. */
  readonly watch: (pid: number) => void;
  readonly forget: (pid: number) => void;
  /** A mounted folder, to be unmounted. */
  readonly mounted: (folder: string) => void;
  readonly unmounted: (folder: string) => void;
  /** A folder to be removed last; undefined keeps everything for inspection. */
  readonly remove: (folder: string | undefined) => void;
};

/** Remembers the last line that it was given; once the driver is gone it kills, unmounts and removes what stands there. */
const SCRIPT = `list=
while read -r line; do list=$line; done
for one in $list; do
  case $one in
    kill:*) kill -9 -- "\${one#kill:}" 2>/dev/null ;;
    umount:*) n=0; while [ $n -lt 50 ] && ! umount "\${one#umount:}" 2>/dev/null; do n=$((n + 1)); sleep 0.1; done ;;
    rm:*) n=0; while [ $n -lt 50 ] && ! rm -rf -- "\${one#rm:}" 2>/dev/null; do n=$((n + 1)); sleep 0.1; done ;;
  esac
done`;

/** Starts the watcher, in a session of its own: a Ctrl-C at the terminal ends the driver, not what clears up after it. */
export const startWatcher = (): Watcher => {
  const child: ChildProcess = spawn('sh', ['-c', SCRIPT], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.unref();
  const pipe = child.stdin;
  if (pipe === null) throw new Error('A pipe was asked for');
  pipe.on('error', () => {});
  if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
  const duties = new Set<string>();
  let folder: string | undefined;
  const tell = (): void => {
    const kills = [...duties].sort();
    pipe.write(`${[...kills, ...(folder === undefined ? [] : [`rm:${folder}`])].join(' ')}\n`);
  };
  const change = (action: 'add' | 'delete', duty: string): void => {
    duties[action](duty);
    tell();
  };
  return {
    watch: (pid) => change('add', `kill:${pid}`),
    forget: (pid) => change('delete', `kill:${pid}`),
    mounted: (path) => change('add', `umount:${path}`),
    unmounted: (path) => change('delete', `umount:${path}`),
    remove: (path) => {
      folder = path;
      tell();
    },
  };
};
