import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';
import { agentCode as code, uuid } from '../fields.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  AgentCodeClaimed: z.object({ accountId: z.string() }),
};
export type AgentCodeEvent = EventOf<typeof events>;

export type AgentCode = { readonly owner?: string };

/** The reservation of one agent code, named by a keyed hash: it belongs to one account, and to no other ever after. */
export const agentCode = decider<AgentCode, AgentCodeEvent>({
  category: 'agentCode',
  events,
  initial: {},
  evolve: (_state, { data }) => ({ owner: data.accountId }),
});
const command = commandsOf(agentCode);

/** Gives an account its agent code. Claiming the own one again changes nothing. */
export const claimAgentCode = command(
  'ClaimAgentCode',
  z.object({ accountId: uuid, agentCode: code }),
  ({ accountId }, { owner }) => {
    if (owner === accountId) return [];
    if (owner !== undefined) return reject('CONFLICT', 'agent-code-taken', 'This agent code belongs to somebody else');
    return [{ type: 'AgentCodeClaimed', data: { accountId } }];
  },
);
