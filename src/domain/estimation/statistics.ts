import { z } from 'zod';
import { UNCOUNTED } from './decks.ts';

/** What a revealed round says in figures. */
export const Statistics = z.object({
  count: z.int().describe('Cards played, `?` and `coffee` included'),
  average: z.number().nullable().describe('Of the numeric cards, one decimal; null without any'),
  median: z.number().nullable().describe('Of the numeric cards, one decimal; null without any'),
  min: z.number().nullable(),
  max: z.number().nullable(),
  mode: z.array(z.string()).describe('The most frequent cards, in deck order'),
  consensus: z.boolean().describe('All counted cards are equal; `?` and `coffee` are not counted'),
});
export type Statistics = z.output<typeof Statistics>;

const DECIMALS = 7;
const SCALE = 10n ** BigInt(DECIMALS);

/** The value of a numeric card in units of 10⁻⁷, so that sums are exact. A card has at most 8 characters. */
const scaled = (card: string): bigint | undefined => {
  const parts = /^(-?)(\d{1,8})(?:\.(\d{1,7}))?$/.exec(card);
  if (parts === null) return undefined;
  const size = BigInt(parts[2] ?? '0') * SCALE + BigInt((parts[3] ?? '').padEnd(DECIMALS, '0'));
  return parts[1] === '-' ? -size : size;
};

/** The quotient as a number with one decimal, halves away from zero. */
const toOneDecimal = (dividend: bigint, divisor: bigint): number => {
  const magnitude = dividend < 0n ? -dividend : dividend;
  const tenths = (magnitude * 20n + divisor) / (divisor * 2n);
  return Number(dividend < 0n && tenths !== 0n ? -tenths : tenths) / 10;
};

const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

const medianOf = (sorted: readonly bigint[]): number | null => {
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? null : toOneDecimal(lower + upper, 2n * SCALE);
};

const numberOf = (size: bigint | undefined): number | null =>
  size === undefined ? null : Number(size) / Number(SCALE);

/** The statistics of the cards of one round. Cards outside the deck sort behind it. */
export const statisticsOf = (cards: readonly string[], deck: readonly string[]): Statistics => {
  const numbers = cards.flatMap((card) => scaled(card) ?? []).sort(ascending);
  const sum = numbers.reduce((total, size) => total + size, 0n);
  const counted = cards.filter((card) => !UNCOUNTED.includes(card));
  const frequency = new Map<string, number>();
  for (const card of cards) frequency.set(card, (frequency.get(card) ?? 0) + 1);
  const most = Math.max(0, ...frequency.values());
  return {
    count: cards.length,
    average: numbers.length === 0 ? null : toOneDecimal(sum, BigInt(numbers.length) * SCALE),
    median: medianOf(numbers),
    min: numberOf(numbers[0]),
    max: numberOf(numbers.at(-1)),
    mode: inDeckOrder([...frequency.keys()], deck).filter((card) => frequency.get(card) === most),
    consensus: counted.length > 0 && new Set(counted).size === 1,
  };
};

/** Cards in the order of the deck, so that their order tells nothing of who played them. */
export const inDeckOrder = (cards: readonly string[], deck: readonly string[]): readonly string[] => {
  const place = (card: string) => (deck.includes(card) ? deck.indexOf(card) : deck.length);
  return cards.toSorted((a, b) => place(a) - place(b) || (a < b ? -1 : a > b ? 1 : 0));
};

/** The sum of the numeric estimates, exact to seven decimals; others do not count. */
export const pointsOf = (estimates: readonly string[]): number =>
  numberOf(estimates.reduce((total, estimate) => total + (scaled(estimate) ?? 0n), 0n)) ?? 0;
