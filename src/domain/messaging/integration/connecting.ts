import { z } from 'zod';
import { Provider } from '../offers.ts';
import type { IntegrationEvent } from './events.ts';
import { command } from './state.ts';

const nullableText = z.string().nullable();

/** What ConnectIntegration must know: the refresh token that is there already, which providers hand out once. */
export type ConnectFacts = { readonly refreshToken: string | null };

/**
 * Connects an outside account, or extends a connection that is there. Of what was granted counts what was asked for or
 * held before: providers also tell of grants that were given up here.
 */
export const connectIntegration = command(
  'ConnectIntegration',
  z.object({
    integrationId: z.string(),
    accountId: z.string(),
    provider: Provider,
    externalAccount: z.string(),
    scopes: z.array(z.string()).describe('Granted and asked for'),
    granted: z.array(z.string()).describe('All that the provider tells of'),
    flowId: z.string(),
    tokenKey: z.string().describe('Names the key of a new connection'),
    accessToken: z.string(),
    refreshToken: nullableText,
    expiresAt: nullableText,
  }),
  ({ granted, externalAccount, ...input }, state, { facts }: { facts: ConnectFacts }): readonly IntegrationEvent[] => {
    const { integrationId, accountId, provider, flowId, tokenKey, accessToken, expiresAt } = input;
    const of = { integrationId, accountId };
    const scopes = [...new Set([...state.scopes.filter((scope) => granted.includes(scope)), ...input.scopes])];
    if (state.status !== 'active' || state.tokenKey === undefined) {
      const tokens = { tokenKey, accessToken, refreshToken: input.refreshToken, expiresAt };
      return [{ type: 'IntegrationConnected', data: { ...of, provider, externalAccount, scopes, flowId, ...tokens } }];
    }
    const refreshToken = input.refreshToken ?? facts.refreshToken;
    const extended = scopes.length !== state.scopes.length || scopes.some((scope) => !state.scopes.includes(scope));
    return [
      ...(extended ? [{ type: 'IntegrationScopesExtended' as const, data: { ...of, scopes } }] : []),
      {
        type: 'IntegrationTokenRefreshed',
        data: { ...of, tokenKey: state.tokenKey, accessToken, refreshToken, expiresAt },
      },
    ];
  },
);
