/** How many tests passed and failed. */
export type Tally = { readonly passed: number; readonly failed: number };

type Open = { readonly indent: number; children: number; failures: number };

/** What is told of one file once all its lines are there. */
export type FileReport = Tally & {
  readonly file: string;
  /** Milliseconds. */
  readonly time: number;
  /** The failures with their diagnosis and whatever the file printed; empty when it passed. */
  readonly failures: readonly string[];
};

/**
 * Reads TAP version 14 line by line and counts its tests: each subtest that holds no other. One that failed although all in
 * it passed (it ended too soon, or threw outside them) is a failure of its own, and so is a stream that was cut off.
 */
export function tapReader(onFile: (report: FileReport) => void): {
  readonly line: (line: string) => void;
  readonly end: () => Tally;
} {
  const total = { passed: 0, failed: 0 };
  let here = { passed: 0, failed: 0 };
  let lines: string[] = [];
  let planned = false;
  const open: Open[] = [];
  return {
    line: (line) => {
      if (/^1\.\.\d+/.test(line)) planned = true;
      if (open.length > 0) lines.push(line);
      const begun = /^( *)# Subtest/.exec(line);
      if (begun !== null) {
        const parent = open.at(-1);
        if (parent !== undefined) parent.children++;
        open.push({ indent: begun[1]?.length ?? 0, children: 0, failures: 0 });
        return;
      }
      const point = /^( *)(not )?ok\b(?: \d+)?(?: - (.*?))?(?: # time=([\d.]+)(m?s))?$/.exec(line);
      const indent = point?.[1]?.length ?? 0;
      // What a file had begun when it was stopped has no result of its own.
      while (point !== null && (open.at(-1)?.indent ?? 0) > indent) {
        if (open.pop()?.failures === 0) here.failed++;
        const parent = open.at(-1);
        if (parent !== undefined) parent.failures++;
      }
      const last = open.at(-1);
      if (point === null || indent !== last?.indent) return;
      open.pop();
      const bad = point[2] !== undefined;
      if (bad && last.failures === 0) here.failed++;
      if (!bad && last.children === 0) here.passed++;
      const parent = open.at(-1);
      if (bad && parent !== undefined) parent.failures++;
      if (parent !== undefined) return;
      total.passed += here.passed;
      total.failed += here.failed;
      const time = Number(point[4] ?? 0) * (point[5] === 's' ? 1000 : 1);
      onFile({ ...here, file: point[3] ?? '', time, failures: bad ? failuresIn(lines) : [] });
      here = { passed: 0, failed: 0 };
      lines = [];
    },
    end: () => {
      const whole = planned && open.length === 0;
      if (lines.length > 0) onFile({ ...here, file: 'a file that did not end', time: 0, failures: lines });
      return { passed: total.passed, failed: total.failed + (whole ? 0 : 1) };
    },
  };
}

/** The tests that failed, each with the diagnosis below it, and lines that are no TAP. */
function failuresIn(lines: readonly string[]): string[] {
  let diagnosing = false;
  return lines.filter((line) => {
    if (/^ *(?:not )?ok\b/.test(line)) diagnosing = line.trimStart().startsWith('not');
    else if (/^ *(?:# |1\.\.\d+|$)/.test(line)) return false;
    return diagnosing || !/^ *ok\b/.test(line);
  });
}
