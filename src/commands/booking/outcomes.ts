import type { Outcome } from '../binding.ts';

/** The first outcome, made to wait for the last of all positions: who reads after it sees what every step did. */
export const latest = (first: Outcome, ...steps: readonly Outcome[]): Outcome => {
  if (!first.ok) return first;
  const position = steps.reduce(
    (last, outcome) => (outcome.ok && outcome.position > last ? outcome.position : last),
    first.position,
  );
  return { ...first, position };
};
