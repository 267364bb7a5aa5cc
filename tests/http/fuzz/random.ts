/** Chance from a seed: the same seed makes the same choices. */
export type Random = {
  /** A fraction from 0 to 1, 1 excluded. */
  readonly fraction: () => number;
  /** A whole number, both ends included. */
  readonly int: (min: number, max: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <Of>(list: readonly Of[]) => Of;
};

/** The generator mulberry32: 32 bits of state, good enough to choose test cases. */
export const randomOf = (seed: number): Random => {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (min: number, max: number): number => min + Math.floor(fraction() * (max - min + 1));
  return {
    fraction,
    int,
    chance: (probability) => fraction() < probability,
    pick: (list) => {
      const [first] = list;
      if (first === undefined) throw new RangeError('Nothing to pick from');
      return list[int(0, list.length - 1)] ?? first;
    },
  };
};

/** The seed of one case of a run, so that every case can be made anew by itself. */
export const seedOf = (seed: number, index: number): number => (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + index) >>> 0;
