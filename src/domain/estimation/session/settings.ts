import { z } from 'zod';
import { line } from '../../fields.ts';
import { DECKS } from '../decks.ts';

const DeckName = z.enum(['fibonacci', 'modified_fibonacci', 't_shirt', 'powers_of_two', 'custom']);

/** How a session is played, as stored. */
export const Settings = z.object({
  deck: DeckName,
  customDeck: z.array(z.string()).optional().describe('The cards, for the deck `custom` alone'),
  autoReveal: z.boolean().describe('Reveal as soon as everybody awaited has voted'),
  allowObservers: z.boolean(),
  roundTimerSeconds: z.int().describe('0: no timer'),
  anonymousVotes: z.boolean().describe('For rounds opened from now on: cards are shown without names'),
  whoCanAddStories: z.enum(['facilitator', 'everyone']),
});
export type Settings = z.output<typeof Settings>;

/** What a session starts with. */
export const DEFAULTS: Settings = {
  deck: 'fibonacci',
  autoReveal: false,
  allowObservers: true,
  roundTimerSeconds: 0,
  anonymousVotes: false,
  whoCanAddStories: 'facilitator',
};

/** Settings as they are asked for: each may be left out. */
export const SettingsInput = z.object({
  deck: DeckName.optional(),
  customDeck: z
    .array(line(1, 8))
    .min(2, 'At least 2 cards')
    .max(20, 'At most 20 cards')
    .refine((cards) => new Set(cards).size === cards.length, 'The cards must be distinct')
    .optional(),
  autoReveal: z.boolean().optional(),
  allowObservers: z.boolean().optional(),
  roundTimerSeconds: z
    .int()
    .min(0)
    .max(900, 'At most 900 seconds')
    .refine((seconds) => seconds === 0 || seconds >= 15, 'Must be 0 or at least 15 seconds')
    .optional(),
  anonymousVotes: z.boolean().optional(),
  whoCanAddStories: z.enum(['facilitator', 'everyone']).optional(),
});
export type SettingsInput = z.output<typeof SettingsInput>;

/** What keeps a choice of deck and own cards from being one. */
export type DeckProblem = { readonly field: string; readonly message: string };

/** The settings after a change, or what is wrong with its deck. Own cards are kept only while the deck is `custom`. */
export const withChange = (before: Settings, change: SettingsInput): Settings | DeckProblem => {
  const deck = change.deck ?? before.deck;
  const customDeck = deck === 'custom' ? (change.customDeck ?? before.customDeck) : undefined;
  if (deck === 'custom' && customDeck === undefined)
    return { field: 'settings.customDeck', message: 'The deck custom needs its cards' };
  if (deck !== 'custom' && change.customDeck !== undefined)
    return { field: 'settings.customDeck', message: 'Only the deck custom has cards of its own' };
  return {
    deck,
    ...(customDeck === undefined ? {} : { customDeck }),
    autoReveal: change.autoReveal ?? before.autoReveal,
    allowObservers: change.allowObservers ?? before.allowObservers,
    roundTimerSeconds: change.roundTimerSeconds ?? before.roundTimerSeconds,
    anonymousVotes: change.anonymousVotes ?? before.anonymousVotes,
    whoCanAddStories: change.whoCanAddStories ?? before.whoCanAddStories,
  };
};

/** The cards that may be played, in order. */
export const cardsOf = ({ deck, customDeck }: Settings): readonly string[] =>
  deck === 'custom' ? (customDeck ?? []) : DECKS[deck];
