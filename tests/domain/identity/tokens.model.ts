import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/tokens.ts';
import { revokeAllTokens, tokens } from '../../../src/domain/identity/tokens.ts';
import { model, movesIn, person } from '../../support/model.ts';

type World = { since?: string };
const root = person('root', '*:*');

/** The tokens of everybody: those count that are younger than the latest revocation. */
export const tokensModel = model({
  decider: tokens,
  commands,
  world: (): World => ({}),
  waits: [1, 86_400_000],
  moves: {
    revoke: movesIn<World>()(fc.constant({ reason: 'A backup with sessions was lost' }), (input, world, { now }) => ({
      command: revokeAllTokens,
      input,
      actor: root,
      expect: () => {
        world.since = now.toISOString();
        return [{ type: 'AllTokensRevoked', data: { by: root.id, notBefore: world.since, ...input } }];
      },
    })),
  },
  seen: ({ notBefore }) => notBefore,
  expected: ({ since }) => since,
  refusals: [],
});
