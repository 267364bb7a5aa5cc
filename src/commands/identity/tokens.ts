import { z } from 'zod';
import { revokeAllTokens, TOKENS_ID } from '../../domain/identity/tokens.ts';
import { bind } from '../binding.ts';

/** What concerns the tokens of everybody. */
export const tokenBindings = [
  bind(revokeAllTokens, {
    path: 'POST /auth/revoke-all',
    access: '*:*',
    stream: () => TOKENS_ID,
    version: () => undefined,
    process: async ({ reads, judge }) => {
      const sessions = await reads.lookups.countLivingSessions();
      const outcome = await judge();
      return outcome.ok && !outcome.replayed
        ? { ...outcome, data: { ...(outcome.data as object), sessions } }
        : outcome;
    },
    answer: {
      schema: z.object({ notBefore: z.string(), sessions: z.int().optional().describe('How many this has ended') }),
      of: ({ state }) => ({ notBefore: state.notBefore ?? '' }),
    },
    summary: 'Ends every session of every account: the answer to a breach',
    example: { reason: 'A backup with session data was lost' },
  }),
];
