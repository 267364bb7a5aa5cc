import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { account } from '../../domain/identity/account/index.ts';
import type { Grant } from '../../domain/messaging/connector.ts';
import { connectIntegration, integration } from '../../domain/messaging/integration/index.ts';
import {
  type CompleteFacts,
  type completeIntegration,
  type InitiateFacts,
  type initiateIntegration,
  oauthFlow,
  wantedScopes,
} from '../../domain/messaging/oauthFlow.ts';
import { offers, type Provider } from '../../domain/messaging/offers.ts';
import type { Outcome, Run } from '../binding.ts';
import { PROVIDER_UNAVAILABLE, redirectTo } from '../oauthFlows.ts';
import { latest, uncontended } from '../outcomes.ts';
import type { Reads } from '../reads.ts';
import { browserProof, flowIdOf, integrationIdOf, isProved, secretsOf, stateOf } from './secrets.ts';
import { expiryOf, tokensOf } from './tokens.ts';

/** What a begun connection hands to the edge, which makes a cookie of the proof. */
export const Initiated = z.object({
  authorizationUrl: z.string(),
  state: z.string(),
  expiresAt: z.string(),
  flowId: z.string(),
  browser: z.string(),
});

/** Why nothing was connected. */
export const FAILURES = ['denied', 'exchange-failed', 'unavailable', 'account-inactive'] as const;

/** What became of a connection, and where the browser comes out with that. */
export const Completed = z.object({
  redirect: z.string().describe('Where the browser comes out'),
  accountId: z.string().describe('Whose connection it is'),
  status: z.enum(['connected', 'error']),
  reason: z.enum(FAILURES).optional(),
  integrationId: z.string().optional(),
  missing: z.array(z.string()).optional().describe('Scopes that were asked for and not granted'),
});

const originOf = (address: string): string | undefined => {
  const url = URL.parse(address);
  return url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' ? undefined : url.origin;
};

/** What is still to be granted: everything anew where nothing is missing or the provider no longer stands by it. */
const wishOf = async (reads: Reads, accountId: string, provider: Provider, wanted: readonly string[]) => {
  const own = (await reads.lookups.integrationsOf(accountId)).filter((one) => one.provider === provider);
  const active = own.find(({ status }) => status === 'active');
  const missing = wanted.filter((scope) => active?.scopes.includes(scope) !== true);
  const anew = active === undefined || missing.length === 0;
  return {
    scopes: [...offers[provider].identity, ...(anew ? wanted : missing)],
    chooseAccount: own.length > 0 && anew,
  };
};

/** The id of the flow that a command begins. */
export const newFlowId = ({
  hash,
  newId,
}: {
  readonly hash: Reads['hash'];
  readonly newId: (label: string) => string;
}): string => flowIdOf(hash, stateOf(hash, newId('oauth-flow')));

/** Begins the way to a provider. */
export const initiate = async (
  run: Run<z.output<typeof initiateIntegration.input>, InitiateFacts>,
): Promise<Outcome> => {
  const { input, actor, reads, newId, judge } = run;
  const { hash, connectors } = reads;
  const { provider, redirectUri } = input;
  const connector = connectors.providers[provider];
  const state = stateOf(hash, newId('oauth-flow'));
  const flowId = flowIdOf(hash, state);
  const origin = originOf(redirectUri);
  const allowed = origin !== undefined && connectors.mayReturnTo(origin);
  // Asked before anything is stored: what cannot be begun leaves no trace.
  const wish = await wishOf(reads, actor.id, provider, wantedScopes(input));
  const built = await connector?.authorizationUrl(secretsOf(hash, state), wish);
  const outcome = await judge(input, { flowId, configured: connector !== undefined, allowed });
  if (!outcome.ok) return outcome;
  if (built === undefined || typeof built === 'string') return PROVIDER_UNAVAILABLE;
  const begun = (await reads.load(oauthFlow, flowId)).state;
  const expiresAt = 'expiresAt' in begun ? begun.expiresAt : '';
  const browser = browserProof(hash, state);
  const data: z.output<typeof Initiated> = { authorizationUrl: built.url, state, expiresAt, flowId, browser };
  return { ...outcome, data };
};

/** Keeps what was granted, in the one integration of this account and outside account. */
const connect = async (
  { reads, step, destroyKey }: Pick<Run<unknown>, 'reads' | 'step' | 'destroyKey'>,
  flow: {
    readonly flowId: string;
    readonly accountId: string;
    readonly provider: Provider;
    readonly scopes: readonly string[];
  },
  grant: Grant,
): Promise<{ readonly integrationId: string; readonly outcome: Outcome }> => {
  const { flowId, accountId, provider } = flow;
  const integrationId = integrationIdOf(reads.hash, accountId, provider, grant.subject);
  const outcome = await uncontended(async () => {
    const before = (await reads.load(integration, integrationId)).state;
    const held = before.status === 'active' ? await tokensOf(reads, integrationId, before) : undefined;
    const connected = await step(
      connectIntegration,
      integrationId,
      {
        integrationId,
        accountId,
        provider,
        flowId,
        externalAccount: grant.externalAccount,
        scopes: flow.scopes.filter((scope) => grant.scopes.includes(scope)),
        granted: [...grant.scopes],
        tokenKey: `integration:${randomUUID()}`,
        accessToken: grant.accessToken,
        refreshToken: grant.refreshToken ?? null,
        expiresAt: expiryOf(grant, reads.now()),
      },
      { refreshToken: held?.refreshToken ?? null },
    );
    const { tokenKey } = (await reads.load(integration, integrationId)).state;
    if (connected.ok && before.tokenKey !== undefined && before.tokenKey !== tokenKey)
      await destroyKey(before.tokenKey);
    return connected;
  });
  return { integrationId, outcome };
};

/** Finishes the way: the state is used up before the code is exchanged, and what was really granted counts. */
export const complete = async (
  run: Run<z.output<typeof completeIntegration.input>, CompleteFacts>,
): Promise<Outcome> => {
  const { input, reads, judge } = run;
  const { hash } = reads;
  const { state, browser, code = '', error, iss } = input;
  const flowId = flowIdOf(hash, state);
  const begun = (await reads.load(oauthFlow, flowId)).state;
  const admitted = await judge(input, { flowId, sameBrowser: isProved(hash, state, browser) });
  if (!admitted.ok || begun.status !== 'started') return admitted;
  const { accountId, provider, redirectUri, scopes } = begun;
  const out = (
    result: Omit<z.output<typeof Completed>, 'redirect' | 'accountId'>,
    ...steps: readonly Outcome[]
  ): Outcome => {
    const { status, reason, missing } = result;
    const redirect = redirectTo(redirectUri, {
      status,
      ...(reason === undefined ? {} : { reason }),
      ...(missing === undefined || missing.length === 0 ? {} : { missing: missing.join(' ') }),
    });
    return latest(
      { ...admitted, data: { redirect, accountId, ...result } satisfies z.output<typeof Completed> },
      ...steps,
    );
  };
  const failed = (reason: (typeof FAILURES)[number]): Outcome => out({ status: 'error', reason });

  if (error !== undefined) return failed(error === 'access_denied' ? 'denied' : 'exchange-failed');
  if ((await reads.load(account, accountId)).state.status !== 'active') return failed('account-inactive');
  const connector = reads.connectors.providers[provider];
  if (connector === undefined) return failed('unavailable');
  const grant = await connector.exchange({ code, state, iss }, secretsOf(hash, state));
  if (grant === 'unavailable') return failed('unavailable');
  if (grant === 'refused') return failed('exchange-failed');
  const { integrationId, outcome } = await connect(run, { flowId, accountId, provider, scopes }, grant);
  if (!outcome.ok) return failed('unavailable');
  const missing = scopes.filter((scope) => !grant.scopes.includes(scope));
  return out({ status: 'connected', integrationId, missing }, outcome);
};
