import { createHash } from 'node:crypto';

/** Choices that follow from a seed alone: the same parts give the same choices in the same order. */
export type Random = {
  /** From 0 to below 1. */
  readonly next: () => number;
  /** A whole number from 0 to below `limit`. */
  readonly below: (limit: number) => number;
  readonly chance: (probability: number) => boolean;
  /** One of a list that is not empty. */
  readonly pick: <T>(list: readonly T[]) => T;
  /** The list in another order. */
  readonly shuffled: <T>(list: readonly T[]) => T[];
};

const SIX_BYTES = 2 ** 48;

/** A generator of its own for each purpose, so that what one client does never shifts the choices of another. */
export const seeded = (...parts: readonly (string | number)[]): Random => {
  const name = parts.join('/');
  let drawn = 0;
  const next = (): number => {
    drawn += 1;
    return createHash('sha256').update(`${name}#${drawn}`).digest().readUIntBE(0, 6) / SIX_BYTES;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick: (list) => {
      if (list.length === 0) throw new RangeError('There is nothing to choose from');
      return list[below(list.length)] as (typeof list)[number];
    },
    shuffled: (list) => {
      const left = [...list];
      const order: typeof left = [];
      while (left.length > 0) order.push(...left.splice(below(left.length), 1));
      return order;
    },
  };
};
