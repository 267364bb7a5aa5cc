import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { reject } from '../../domain/decider.ts';
import {
  CLAIM_LIFE,
  failRefresh,
  integration,
  type refreshIntegration,
  requireReconnect,
  storeTokens,
  UNDER_WAY,
} from '../../domain/messaging/integration/index.ts';
import type { Outcome, Run } from '../binding.ts';
import { PROVIDER_UNAVAILABLE } from '../oauthFlows.ts';
import { latest, refused } from '../outcomes.ts';
import { newest, type Reads } from '../reads.ts';
import { expiryOf, tokensOf } from './tokens.ts';

/** Milliseconds between two looks at a refresh that somebody else has begun. */
const LOOK_MS = 100;

/** The refusal of what needs a provider that is not configured. */
export const NOT_CONFIGURED = refused(
  reject('SERVICE_UNAVAILABLE', 'provider-not-configured', 'This provider is not configured'),
);

/** Waits while somebody else asks the provider: until that has ended or counts as lost. */
const settledElsewhere = async (reads: Reads, integrationId: string, claimId: string | undefined): Promise<void> => {
  const giveUp = performance.now() + CLAIM_LIFE;
  while (performance.now() < giveUp) {
    const { claim } = await newest(reads, integration, integrationId);
    if (claim === undefined || claim.id !== claimId || Date.parse(claim.until) <= reads.now().getTime()) return;
    await pause(LOOK_MS);
  }
};

/**
 * Refreshes the tokens of an integration: one at a time asks the provider, the others wait for what comes of it. What a
 * provider refuses is not tried again; what it leaves unanswered changes nothing.
 */
export const refresh = async (run: Run<z.output<typeof refreshIntegration.input>>): Promise<Outcome> => {
  const { input, reads, step, judge, newId } = run;
  const { integrationId } = input;
  const claimId = newId('refresh');
  const before = (await reads.load(integration, integrationId)).state;
  const wanted = { ...input, seen: input.seen ?? before.tokensAt };
  let claimed = await judge(wanted);
  while (!claimed.ok && claimed.reason === UNDER_WAY) {
    const { claim } = (await reads.load(integration, integrationId)).state;
    await settledElsewhere(reads, integrationId, claim?.id);
    claimed = await judge(wanted);
  }
  if (!claimed.ok) return claimed;
  const { state } = await reads.load(integration, integrationId);
  // Somebody else was faster, or this is the repeat of a command that is done.
  if (state.claim?.id !== claimId || state.provider === undefined) return claimed;
  const release = async (): Promise<void> => {
    await step(failRefresh, integrationId, { integrationId, claimId });
  };
  const connector = reads.connectors.providers[state.provider];
  if (connector === undefined) {
    await release();
    return NOT_CONFIGURED;
  }
  const tokens = await tokensOf(reads, integrationId, state);
  if (tokens?.refreshToken == null) {
    await release();
    return refused(reject('CONFLICT', 'not-refreshable', 'There is nothing to refresh this connection with'));
  }
  const fresh = await connector.refresh(tokens.refreshToken);
  if (fresh === 'unavailable') {
    await release();
    return PROVIDER_UNAVAILABLE;
  }
  if (fresh === 'refused') {
    await step(requireReconnect, integrationId, { integrationId, reason: 'refresh-refused' });
    return refused(
      reject('CONFLICT', 'needs-reconnect', 'The provider no longer accepts this connection; connect it anew'),
    );
  }
  const stored = await step(storeTokens, integrationId, {
    integrationId,
    accessToken: fresh.accessToken,
    refreshToken: fresh.refreshToken ?? tokens.refreshToken,
    expiresAt: expiryOf(fresh, reads.now()),
  });
  return stored.ok ? latest(claimed, stored) : stored;
};
