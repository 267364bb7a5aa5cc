/** Latencies of one kind of call, in milliseconds. */
type Latencies = Map<string, number[]>;

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;

/** Tells people what happened, and remembers what was not as it should be. */
export type Report = {
  readonly step: (title: string) => void;
  readonly say: (text: string) => void;
  /** One fact that must hold. */
  readonly check: (what: string, holds: boolean, detail?: string) => void;
  readonly took: (what: string, milliseconds: number) => void;
  /** Prints the latencies and the verdict; the number of checks that failed. */
  readonly finish: () => number;
};

export const createReport = (print: (line: string) => void = console.log): Report => {
  const latencies: Latencies = new Map();
  const failed: string[] = [];
  let checks = 0;
  let steps = 0;
  return {
    step: (title) => {
      steps += 1;
      print(`\n${steps}. ${title}`);
    },
    say: (text) => print(`   ${text}`),
    check: (what, holds, detail) => {
      checks += 1;
      if (!holds) failed.push(what);
      print(`   ${holds ? '✓' : '✗'} ${what}${detail === undefined ? '' : ` (${detail})`}`);
    },
    took: (what, milliseconds) => {
      const all = latencies.get(what);
      if (all === undefined) latencies.set(what, [milliseconds]);
      else all.push(milliseconds);
    },
    finish: () => {
      print('\nLatencies in milliseconds');
      print(`   ${'call'.padEnd(44)} ${'count'.padStart(6)} ${'p50'.padStart(8)} ${'p99'.padStart(8)}`);
      for (const [what, all] of [...latencies].sort(([a], [b]) => a.localeCompare(b))) {
        const sorted = all.toSorted((a, b) => a - b);
        const [p50, p99] = [0.5, 0.99].map((share) => percentile(sorted, share).toFixed(1).padStart(8));
        print(`   ${what.padEnd(44)} ${String(all.length).padStart(6)} ${p50} ${p99}`);
      }
      print(
        failed.length === 0
          ? `\nAll ${checks} checks hold.`
          : `\n${failed.length} of ${checks} checks do NOT hold:\n${failed.map((what) => `   ✗ ${what}`).join('\n')}`,
      );
      return failed.length;
    },
  };
};
