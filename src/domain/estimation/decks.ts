/** The cards of the decks that every session can choose, in playing order. */
export const DECKS = {
  fibonacci: ['0', '1', '2', '3', '5', '8', '13', '21', '34', '55', '89', '?', 'coffee'],
  modified_fibonacci: ['0', '0.5', '1', '2', '3', '5', '8', '13', '20', '40', '100', '?', 'coffee'],
  t_shirt: ['XS', 'S', 'M', 'L', 'XL', 'XXL', '?'],
  powers_of_two: ['0', '1', '2', '4', '8', '16', '32', '64', '?'],
} as const satisfies Record<string, readonly string[]>;

/** Cards that say no estimate: they are shown but not counted. */
export const UNCOUNTED: readonly string[] = ['?', 'coffee'];
