import type { Findings, Goal, Row } from './bench.ts';

/** What `--json` keeps of a bench. */
export type Kept = Pick<Findings, 'rows' | 'ratios'> & { readonly name: string };

/** Drops the digits that no timing has. */
export const rounded = (value: number): number =>
  Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));

/** The findings of a bench as text: absolute figures, then ratios beside their goals. */
export const printed = ({ rows, ratios, goals }: Findings): string => {
  const figures = table(
    rows.map(({ who, metric, value, unit }: Row) => [who, metric, rounded(value).toLocaleString('en'), unit]),
    [2],
  );
  const aimed = new Map(goals.map((goal) => [goal.name, goal]));
  const others = goals.filter(({ name }) => !(name in ratios));
  const compared = table(
    [
      ...Object.entries(ratios).map(([name, value]) => [name, String(value), '', verdict(aimed.get(name))]),
      ...others.map((goal) => [goal.name, String(rounded(goal.value)), goal.unit ?? '', verdict(goal)]),
    ],
    [1],
  );
  return compared === '' ? figures : `${figures}\n\n${compared}`;
};

/** `met`, or by how much not. */
const verdict = (goal: Goal | undefined): string => {
  if (goal === undefined) return '';
  const { value } = goal;
  const [words, met, limit] =
    'atLeast' in goal
      ? [`at least ${goal.atLeast}`, value >= goal.atLeast, goal.atLeast]
      : [`at most ${goal.atMost}`, value <= goal.atMost, goal.atMost];
  if (met) return `goal ${words}: met`;
  const percent = Math.abs((value / limit - 1) * 100);
  return `goal ${words}: missed by ${percent.toFixed(percent < 10 ? 1 : 0)} %`;
};

/** Columns padded to their widest cell, those at `right` towards the right. */
const table = (lines: readonly (readonly string[])[], right: readonly number[]): string => {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `  ${line}`)
    .join('\n');
};
