import { z } from 'zod';
import { type Actor, type Rejection, reject } from '../../decider.ts';
import { uuid } from '../../fields.ts';
import { outsidePlan } from '../oauthFlow.ts';
import type { IntegrationEvent } from './events.ts';
import { command, INTEGRATION_UNKNOWN, isOwn, REVOKED } from './state.ts';

/** Milliseconds after which a refresh that was begun counts as lost: longer than a provider is waited for. */
export const CLAIM_LIFE = 20_000;

/** Somebody else is asking the provider already. */
export const UNDER_WAY = 'refresh-under-way';

const integrationId = uuid;

/**
 * Claims the refresh of the tokens: one at a time asks the provider. Nothing follows where tokens newer than those `seen`
 * are there already.
 */
export const refreshIntegration = command(
  'RefreshIntegration',
  z.object({
    integrationId,
    seen: z.int().optional().describe('Where the tokens lie that are no longer good enough; the newest when omitted'),
  }),
  (
    { integrationId, seen },
    state,
    { actor, now, newId }: { actor: Actor; now: Date; newId: (label: string) => string },
  ): readonly IntegrationEvent[] | Rejection => {
    const { accountId, provider, status, claim } = state;
    if (!isOwn(state, actor) || accountId === undefined || provider === undefined) return INTEGRATION_UNKNOWN;
    if (status === 'revoked') return REVOKED;
    const refusal = outsidePlan(provider, actor);
    if (refusal !== undefined) return refusal;
    if (status === 'needs_reconnect')
      return reject('CONFLICT', 'needs-reconnect', 'The provider no longer accepts this connection; connect it anew');
    if (!state.refreshable)
      return reject('CONFLICT', 'not-refreshable', 'The provider gave nothing to refresh this connection with');
    if (seen !== undefined && state.tokensAt > seen) return [];
    const claimId = newId('refresh');
    if (claim !== undefined && claim.id !== claimId && Date.parse(claim.until) > now.getTime())
      return reject('CONFLICT', UNDER_WAY, 'The connection is being refreshed');
    const until = new Date(now.getTime() + CLAIM_LIFE).toISOString();
    return [{ type: 'IntegrationRefreshStarted', data: { integrationId, accountId, claimId, until } }];
  },
);

/** Keeps fresh tokens; those of a connection that has ended meanwhile are dropped. */
export const storeTokens = command(
  'StoreIntegrationTokens',
  z.object({
    integrationId,
    accessToken: z.string(),
    refreshToken: z.string().nullable(),
    expiresAt: z.string().nullable(),
  }),
  ({ integrationId, ...tokens }, { status, accountId, tokenKey }) => {
    if (accountId === undefined || tokenKey === undefined || (status !== 'active' && status !== 'ending')) return [];
    return [{ type: 'IntegrationTokenRefreshed', data: { integrationId, accountId, tokenKey, ...tokens } }];
  },
);

/** Notes that fresh tokens were not to be had for the moment, and lets others try. */
export const failRefresh = command(
  'FailIntegrationRefresh',
  z.object({ integrationId, claimId: z.string() }),
  ({ integrationId, claimId }, { accountId, claim }) =>
    accountId === undefined || claim?.id !== claimId
      ? []
      : [{ type: 'IntegrationRefreshFailed', data: { integrationId, accountId, claimId } }],
);

/** Notes that the provider no longer stands by the grant: nothing is tried any more until its holder connects anew. */
export const requireReconnect = command(
  'RequireIntegrationReconnect',
  z.object({
    integrationId,
    reason: z.enum(['refresh-refused', 'access-refused', 'no-refresh-token']),
    seen: z.int().optional().describe('Where the tokens lie that were refused; newer ones are not blamed'),
  }),
  ({ integrationId, reason, seen }, { accountId, status, tokensAt }) =>
    accountId === undefined || status !== 'active' || (seen !== undefined && tokensAt > seen)
      ? []
      : [{ type: 'IntegrationNeedsReconnect', data: { integrationId, accountId, reason } }],
);
