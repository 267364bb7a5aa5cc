/** Takes one measurement; the same figures each time. */
export type Contender<Figure extends string> = () => Promise<Readonly<Record<Figure, number>>>;

/**
 * Lets contenders take turns, `rounds` times, each round beginning with another one, and gives the median of each figure:
 * whatever slows the machine down for a while slows all of them.
 */
export async function interleaved<Who extends string, Figure extends string>(
  rounds: number,
  contenders: Readonly<Record<Who, Contender<Figure>>>,
): Promise<Record<Who, Record<Figure, number>>> {
  const names = Object.keys(contenders) as Who[];
  const seen = new Map<Who, Readonly<Record<Figure, number>>[]>(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const turn = names.map((_, index) => names[(index + round) % names.length] as Who);
    for (const who of turn) seen.get(who)?.push(await contenders[who]());
  }
  return Object.fromEntries(names.map((who) => [who, mediansOf(seen.get(who) ?? [])])) as Record<
    Who,
    Record<Figure, number>
  >;
}

const mediansOf = <Figure extends string>(taken: readonly Readonly<Record<Figure, number>>[]) =>
  Object.fromEntries(
    Object.keys(taken[0] ?? {}).map((figure) => [figure, median(taken.map((each) => each[figure as Figure]))]),
  ) as Record<Figure, number>;

/** The middle one; of an even number the mean of the two in the middle. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
};

/** Of many latencies in ms: what half, and what 99 of 100, stayed within. */
export const latencies = (values: readonly number[]): { readonly p50: number; readonly p99: number } => {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
};
