import { z } from 'zod';
import {
  CALENDAR_NOT_CONNECTED,
  confirmRevocation,
  connectIntegration,
  disconnectCalendar,
  failRefresh,
  refreshIntegration,
  requireReconnect,
  revokeIntegration,
  storeTokens,
} from '../../domain/messaging/integration/index.ts';
import { completeIntegration, initiateIntegration } from '../../domain/messaging/oauthFlow.ts';
import { bind, internal } from '../binding.ts';
import { IntegrationAnswer } from './answers.ts';
import { Completed, complete, initiate, newFlowId } from './connecting.ts';
import { disconnect, revoke } from './ending.ts';
import { refresh } from './refreshing.ts';
import { flowIdOf } from './secrets.ts';

export { Completed, FAILURES, Initiated } from './connecting.ts';
export { flowIdOf } from './secrets.ts';
export { tokensOf } from './tokens.ts';

const EXAMPLE = '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01';
const own = 'manage:own-integrations';

const ofIntegration = ({ integrationId }: { readonly integrationId: string }): string => integrationId;

/** Every command on connections to outside accounts: what it runs, where it is called, who may, which stream it judges. */
export const integrationBindings = [
  bind(initiateIntegration, {
    path: 'POST /oauth/initiate',
    access: own,
    stream: (_input, of) => newFlowId(of),
    version: () => undefined,
    process: initiate,
    answer: {
      schema: z.object({
        authorizationUrl: z.string().describe('Where the browser is to be sent'),
        state: z.string(),
        expiresAt: z.string(),
      }),
    },
    summary: 'Begins to connect an outside account, or to extend what it is connected for',
    example: { provider: 'google', capabilities: ['calendar'], redirectUri: 'https://app.example.org/integrations' },
  }),
  bind(completeIntegration, {
    access: 'anyone',
    unverified: true,
    stream: ({ state }, { hash }) => flowIdOf(hash, state),
    version: () => undefined,
    process: complete,
    answer: { schema: Completed },
    summary: 'Takes what a provider sends the browser back with',
    example: { state: '0'.repeat(64), code: 'of the provider', browser: 'of the cookie' },
  }),
  internal(connectIntegration, ofIntegration),
  bind(refreshIntegration, {
    path: 'POST /oauth/integrations/:integrationId/refresh',
    access: own,
    stream: ofIntegration,
    version: () => undefined,
    process: refresh,
    answer: { schema: IntegrationAnswer },
    summary: 'Asks the provider for fresh tokens',
    example: { integrationId: EXAMPLE },
  }),
  internal(storeTokens, ofIntegration),
  internal(failRefresh, ofIntegration),
  internal(requireReconnect, ofIntegration),
  bind(revokeIntegration, {
    path: 'DELETE /oauth/integrations/:integrationId',
    access: own,
    stream: ofIntegration,
    version: () => undefined,
    process: revoke,
    summary: 'Disconnects an outside account: its tokens are destroyed here, and the provider is told',
    example: { integrationId: EXAMPLE },
  }),
  internal(confirmRevocation, ofIntegration),
  bind(disconnectCalendar, {
    path: 'DELETE /calendar/google',
    access: 'loggedIn',
    resolve: async (input, { lookups }, actor) => {
      const known = await lookups.integrationsOf(actor.id);
      // One that has none any more says so itself, and recognises a command that is repeated.
      const chosen = known.find(({ capabilities }) => capabilities.includes('calendar')) ?? known.at(-1);
      return chosen === undefined ? CALENDAR_NOT_CONNECTED : { ...input, integrationId: chosen.integrationId };
    },
    stream: ({ integrationId }) => integrationId ?? '',
    version: () => undefined,
    process: disconnect,
    summary: 'Disconnects your calendar; events that were written stay unless they are to be removed',
    example: { removeEvents: false },
  }),
];
