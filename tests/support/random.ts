import fc from 'fast-check';

const numberOf = (name: string): number | undefined => {
  const text = process.env[name];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`${name} must be a whole number`);
  return value;
};

/** Whether the caller asked for fewer cases than usual: then nothing can be said about what they came across. */
export const fewer = (usual: number): boolean => (numberOf('CONVENE_FC_RUNS') ?? usual) < usual;

/** What CI says of a commit must not hang on chance: there every run tries the same cases. Elsewhere each tries others. */
const someSeed = (): number => (process.env.CI === undefined ? Math.floor(Math.random() * 0x7fffffff) : 20_261);

/**
 * How many cases a property tries, and from which seed. `CONVENE_FC_RUNS` asks for another number, for long runs;
 * `CONVENE_FC_SEED` repeats a run that failed.
 */
export const runs = (usual: number): { readonly numRuns: number; readonly seed: number } => ({
  numRuns: numberOf('CONVENE_FC_RUNS') ?? usual,
  seed: numberOf('CONVENE_FC_SEED') ?? someSeed(),
});

/** What a person needs to see a failure of {@link runs} again. */
export const repeatWith = ({ seed, numRuns }: { readonly seed: number; readonly numRuns: number }): string =>
  `Repeat with CONVENE_FC_SEED=${seed} CONVENE_FC_RUNS=${numRuns}`;

/** A list of up to `max` values, as a rule a long one. */
export const listOf = <T>(arbitrary: fc.Arbitrary<T>, max: number): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { maxLength: max, size: 'max' });
