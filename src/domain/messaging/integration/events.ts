import { z } from 'zod';
import { type EventOf, pii, secret } from '../../decider.ts';
import { Provider } from '../offers.ts';

const Of = { integrationId: z.string(), accountId: z.string() };

/** Tokens lie under a key of the connection, not of the person, so that they are gone for good when it ends. */
const Tokens = {
  tokenKey: z.string().describe('Names the key that the tokens lie under'),
  accessToken: secret(pii('tokenKey', z.string())),
  refreshToken: secret(pii('tokenKey', z.string().nullable())),
  expiresAt: z.string().nullable().describe('When the access token ends; null: with the connection'),
};

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  IntegrationConnected: z.object({
    ...Of,
    provider: Provider,
    externalAccount: pii('accountId', z.string()).describe('What its holder calls the outside account'),
    scopes: z.array(z.string()).describe('Granted, identity scopes left out'),
    flowId: z.string(),
    ...Tokens,
  }),
  IntegrationScopesExtended: z.object({ ...Of, scopes: z.array(z.string()).describe('All that are granted now') }),
  IntegrationTokenRefreshed: z.object({ ...Of, ...Tokens }),
  IntegrationRefreshStarted: z
    .object({ ...Of, claimId: z.string(), until: z.string() })
    .describe('Nobody else asks the provider for fresh tokens until then'),
  IntegrationRefreshFailed: z.object({ ...Of, claimId: z.string() }).describe('The provider gave no answer'),
  IntegrationNeedsReconnect: z
    .object({ ...Of, reason: z.enum(['refresh-refused', 'access-refused', 'no-refresh-token']) })
    .describe('The provider no longer stands by what was granted'),
  CalendarDisconnected: z.object({
    ...Of,
    provider: Provider,
    scopes: z.array(z.string()).describe('What is left'),
    removeEvents: z.boolean().describe('Whether the events written there are to go too'),
  }),
  IntegrationRevoked: z.object({ ...Of, by: z.enum(['owner', 'closing', 'erasure', 'system']) }),
  IntegrationRevokedAtProvider: z.object(Of).describe('The provider has confirmed the end'),
};
export type IntegrationEvent = EventOf<typeof events>;
