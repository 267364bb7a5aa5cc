import fc from 'fast-check';
import * as commands from '../../../src/domain/identity/agentCode.ts';
import { agentCode, claimAgentCode } from '../../../src/domain/identity/agentCode.ts';
import { model, movesIn, named } from '../../support/model.ts';

type World = { owner?: string };

/** One agent code: it names the account that had it first, and no other ever after. */
export const agentCodeModel = model({
  decider: agentCode,
  commands,
  world: (): World => ({}),
  length: 10,
  moves: {
    claim: movesIn<World>()(fc.constantFrom(...['ada', 'ben'].map(named)), (accountId, world) => ({
      command: claimAgentCode,
      input: { accountId, agentCode: 'AG01' },
      twice: 'nothing',
      expect: () => {
        if (world.owner === accountId) return [];
        if (world.owner !== undefined) return 'agent-code-taken';
        world.owner = accountId;
        return [{ type: 'AgentCodeClaimed', data: { accountId } }];
      },
    })),
  },
  seen: ({ owner }) => owner,
  expected: ({ owner }) => owner,
  refusals: ['agent-code-taken'],
});
