import { z } from 'zod';
import { commandsOf, decider, type EventOf } from '../decider.ts';
import { lines } from '../fields.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  AllTokensRevoked: z
    .object({ by: z.string(), reason: z.string(), notBefore: z.string() })
    .describe('Every token and session of every account that is older counts no more'),
};
export type TokensEvent = EventOf<typeof events>;

/** Since when tokens count; undefined: all do. */
export type Tokens = { readonly notBefore?: string };

/** The one stream of all tokens. */
export const TOKENS_ID = 'all';

/** What is known of the tokens of everybody: the answer to a breach. */
export const tokens = decider<Tokens, TokensEvent>({
  category: 'tokens',
  events,
  initial: {},
  evolve: (_state, { data }) => ({ notBefore: data.notBefore }),
});
const command = commandsOf(tokens);

const later = (a: string, b: string): string => (a > b ? a : b);

/** Ends every session of every account: the answer to a breach. What was ended once stays so, however clocks differ. */
export const revokeAllTokens = command(
  'RevokeAllTokens',
  z.object({ reason: lines(10, 500) }),
  ({ reason }, { notBefore = '' }, { actor, now }) => [
    { type: 'AllTokensRevoked', data: { by: actor.id, reason, notBefore: later(notBefore, now.toISOString()) } },
  ],
);
