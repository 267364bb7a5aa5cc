import { z } from 'zod';
import { type Actor, can, commandsOf, decider, type EventOf, type Rejection, reject } from '../decider.ts';
import { line } from '../fields.ts';
import { FLOW_LIFE, Returned } from '../oauth.ts';
import { Capability, offers, Provider, scopesFor, scopesOf } from './offers.ts';

const flowId = z.string().describe('A keyed hash of the state that the provider sends back');

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  OAuthFlowStarted: z.object({
    flowId,
    accountId: z.string(),
    provider: Provider,
    scopes: z.array(z.string()).describe('What the account wants to grant, identity scopes left out'),
    redirectUri: z.string(),
    expiresAt: z.string(),
  }),
  OAuthFlowReturned: z
    .object({ flowId, accountId: z.string(), denied: z.boolean() })
    .describe('The provider has sent the browser back; the state counts no more'),
};
export type OAuthFlowEvent = EventOf<typeof events>;

export type OAuthFlow =
  | { readonly status: 'none' | 'done' }
  | {
      readonly status: 'started';
      readonly accountId: string;
      readonly provider: Provider;
      readonly scopes: readonly string[];
      readonly redirectUri: string;
      readonly expiresAt: string;
    };

/**
 * One way to a provider and back, to connect it to an account. Its id is a keyed hash of the state; nonce, PKCE verifier
 * and the value of the browser's cookie follow from the state by the service's key, so that none of them is kept.
 */
export const oauthFlow = decider<OAuthFlow, OAuthFlowEvent>({
  category: 'oauthFlow',
  events,
  initial: { status: 'none' },
  evolve: (_state, { type, data }) => {
    switch (type) {
      case 'OAuthFlowStarted': {
        const { flowId: _name, ...started } = data;
        return { status: 'started', ...started };
      }
      case 'OAuthFlowReturned':
        return { status: 'done' };
    }
  },
});
const command = commandsOf(oauthFlow);

/** What somebody may ask for: capabilities, or the scopes themselves. */
const Wanted = {
  capabilities: z.array(Capability).min(1).max(5).optional(),
  scopes: z.array(line(1, 200)).min(1).max(20).optional(),
};

/** The scopes that an input asks for, each once. */
export const wantedScopes = ({
  provider,
  capabilities = [],
  scopes = [],
}: {
  readonly provider: Provider;
  readonly capabilities?: readonly Capability[] | undefined;
  readonly scopes?: readonly string[] | undefined;
}): readonly string[] => [
  ...new Set([...capabilities.flatMap((capability) => scopesFor(provider, capability)), ...scopes]),
];

/** The refusal of providers that the account's plan does not include. */
export const outsidePlan = (provider: Provider, actor: Pick<Actor, 'permissions'>): Rejection | undefined => {
  const { permission, name } = offers[provider];
  return permission === undefined || can(actor, permission)
    ? undefined
    : reject('FORBIDDEN', 'plan-required', `Connecting ${name} needs the permission ${permission}`);
};

/** What InitiateIntegration must know: the flow's id, whether the provider is configured, whether the browser may come out there. */
export type InitiateFacts = { readonly flowId: string; readonly configured: boolean; readonly allowed: boolean };

/** Begins to connect an account to a provider, or to extend what it is connected for. */
export const initiateIntegration = command(
  'InitiateIntegration',
  z
    .object({
      provider: Provider,
      ...Wanted,
      redirectUri: line(1, 2048).describe('Where the browser comes out; its origin must be allowed'),
    })
    .refine(({ capabilities, scopes }) => (capabilities === undefined) !== (scopes === undefined), {
      path: ['capabilities'],
      message: 'Exactly one of capabilities and scopes is needed',
    })
    .check(({ value, issues }) => {
      const { provider, capabilities = [], scopes = [] } = value;
      const refuse = (field: string, message: string) =>
        issues.push({ code: 'custom', input: value, path: field.split('.'), message });
      capabilities.forEach((capability, at) => {
        if (scopesFor(provider, capability).length === 0) refuse(`capabilities.${at}`, 'Not offered by this provider');
      });
      scopes.forEach((scope, at) => {
        if (!scopesOf(provider).includes(scope)) refuse(`scopes.${at}`, 'Not a scope that is known here');
      });
    }),
  (input, { status }, { facts, actor, now }: { facts: InitiateFacts; actor: Actor; now: Date }) => {
    const { provider, redirectUri } = input;
    const refusal = outsidePlan(provider, actor);
    if (refusal !== undefined) return refusal;
    if (!facts.allowed)
      return reject(
        'VALIDATION_ERROR',
        'redirect-not-allowed',
        'Not an address that browsers may come out at',
        'redirectUri',
      );
    if (!facts.configured)
      return reject('SERVICE_UNAVAILABLE', 'provider-not-configured', 'This provider is not configured');
    if (status !== 'none') return reject('CONFLICT', 'contended', 'This has begun already');
    const expiresAt = new Date(now.getTime() + FLOW_LIFE).toISOString();
    const data = { flowId: facts.flowId, accountId: actor.id, provider, scopes: [...wantedScopes(input)], redirectUri };
    return [{ type: 'OAuthFlowStarted', data: { ...data, expiresAt } }];
  },
);

/** What CompleteIntegration must know: which flow it is, and whether the browser or its login proves whose it is. */
export type CompleteFacts = { readonly flowId: string; readonly sameBrowser: boolean };

/** Takes what the provider sends the browser back with, once, from whoever began. */
export const completeIntegration = command(
  'CompleteIntegration',
  Returned,
  ({ error }, state, { facts, actor, now }: { facts: CompleteFacts; actor: Actor; now: Date }) => {
    const { flowId, sameBrowser } = facts;
    const mine = state.status === 'started' && (sameBrowser || (actor.kind === 'user' && actor.id === state.accountId));
    if (!mine || Date.parse(state.expiresAt) <= now.getTime())
      return reject('UNAUTHORIZED', 'state-invalid', 'This connection was not begun here, was finished or has expired');
    return [{ type: 'OAuthFlowReturned', data: { flowId, accountId: state.accountId, denied: error !== undefined } }];
  },
);
