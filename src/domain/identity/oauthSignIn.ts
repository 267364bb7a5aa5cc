import { z } from 'zod';
import { commandsOf, decider, type EventOf, type Rejection, reject, secret } from '../decider.ts';
import { MINUTE_MS } from '../durations.ts';
import { line } from '../fields.ts';
import { FLOW_LIFE, Returned } from '../oauth.ts';
import { SIGN_IN_PROVIDERS, type SignInProvider } from './account/events.ts';
import { device } from './loginAttempts.ts';

const stateHash = z.string().describe('Names the sign-in: a keyed hash of the state that the provider sends back');
const provider = z.enum(SIGN_IN_PROVIDERS);

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  OAuthSignInStarted: z.object({
    stateHash,
    provider,
    redirectUri: z.string(),
    clientStateHash: secret(z.string()).describe("Keyed hash of the client's own state"),
    accountId: z.string().optional().describe('Whose account the identity is to be linked to'),
    expiresAt: z.string(),
  }),
  OAuthCallbackReceived: z
    .object({ stateHash, denied: z.boolean() })
    .describe('The provider has sent the browser back; the state counts no more'),
  OAuthSignInProved: z
    .object({ stateHash, codeHash: secret(z.string()), expiresAt: z.string() })
    .describe('The provider has said who it is; the code that was made of that lives until then'),
  OAuthSignInCompleted: z.object({ stateHash }).describe('The code was exchanged; it counts no more'),
  OAuthIdTokenUsed: z.object({ stateHash, provider }).describe('An ID token that was handed in; it counts no more'),
};
export type OAuthSignInEvent = EventOf<typeof events>;

export type OAuthSignIn =
  | { readonly status: 'none' | 'done' }
  | {
      readonly status: 'started' | 'returned' | 'proved';
      readonly provider: SignInProvider;
      readonly redirectUri: string;
      readonly clientStateHash: string;
      readonly accountId?: string | undefined;
      /** Of the state, or of the code once there is one. */
      readonly expiresAt: string;
      readonly codeHash?: string;
    };

/**
 * One way to a provider and back. Only keyed hashes of what proves it are kept: state and the code that follows are known
 * to the browser alone, nonce and PKCE verifier follow from the state by the service's key.
 */
export const oauthSignIn = decider<OAuthSignIn, OAuthSignInEvent>({
  category: 'oauthSignIn',
  events,
  initial: { status: 'none' },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'OAuthSignInStarted': {
        const { stateHash: _name, ...started } = data;
        return { status: 'started', ...started };
      }
      case 'OAuthCallbackReceived':
        return data.denied || !('provider' in state) ? { status: 'done' } : { ...state, status: 'returned' };
      case 'OAuthSignInProved': {
        const { codeHash, expiresAt } = data;
        return 'provider' in state ? { ...state, status: 'proved', codeHash, expiresAt } : state;
      }
      case 'OAuthSignInCompleted':
      case 'OAuthIdTokenUsed':
        return { status: 'done' };
    }
  },
});
const command = commandsOf(oauthSignIn);

/** Milliseconds that the code lives which the client exchanges. */
export const CODE_LIFE = MINUTE_MS;

const clientState = line(8, 200);

/** What StartOAuthSignIn must know: the keyed hashes of the service's state and of the client's. */
export type StartFacts = { readonly stateHash: string; readonly clientStateHash: string };

/** Begins a sign-in; for somebody who is logged in, the linking of an identity to the account. */
export const startOAuthSignIn = command(
  'StartOAuthSignIn',
  z.object({
    provider,
    redirect_uri: line(1, 2048).describe('Where the browser comes out; one of those that are configured'),
    state: clientState.describe("The client's own, sent back to it"),
  }),
  (
    { provider, redirect_uri: redirectUri },
    { status },
    { facts, actor, now }: { facts: StartFacts; actor: { id: string; kind: string }; now: Date },
  ) => {
    if (status !== 'none') return reject('CONFLICT', 'contended', 'This sign-in has begun already');
    const expiresAt = new Date(now.getTime() + FLOW_LIFE).toISOString();
    const linking = actor.kind === 'user' ? { accountId: actor.id } : {};
    return [{ type: 'OAuthSignInStarted', data: { ...facts, provider, redirectUri, ...linking, expiresAt } }];
  },
);

const stateInvalid = (): Rejection =>
  reject('VALIDATION_ERROR', 'state-invalid', 'This sign-in is unknown here, was used or has expired', 'state');

const isPast = (instant: string, now: Date): boolean => Date.parse(instant) <= now.getTime();

/** What ContinueOAuthSignIn must know: which sign-in it is, and whether it was this browser that began it. */
export type ContinueFacts = { readonly stateHash: string; readonly sameBrowser: boolean };

/** Takes what the provider sends the browser back with, once, and only from the browser that began. */
export const continueOAuthSignIn = command(
  'ContinueOAuthSignIn',
  Returned.safeExtend({ provider }),
  ({ provider, error }, state, { facts, now }: { facts: ContinueFacts; now: Date }) => {
    const { stateHash, sameBrowser } = facts;
    if (!sameBrowser || state.status !== 'started' || state.provider !== provider || isPast(state.expiresAt, now))
      return stateInvalid();
    return [{ type: 'OAuthCallbackReceived', data: { stateHash, denied: error !== undefined } }];
  },
);

/** Notes that the provider has said who it is, and the code that proves it to the service for a minute. */
export const proveOAuthSignIn = command(
  'ProveOAuthSignIn',
  z.object({ stateHash: line(1, 64), codeHash: line(1, 64) }),
  (data, state, { now }) => {
    if (state.status !== 'returned') return stateInvalid();
    const expiresAt = new Date(now.getTime() + CODE_LIFE).toISOString();
    return [{ type: 'OAuthSignInProved', data: { ...data, expiresAt } }];
  },
);

/** The refusal of a code or an ID token that does not count; it does not tell why. */
export const proofInvalid = () =>
  reject('UNAUTHORIZED', 'sign-in-invalid', 'The provider did not vouch for this sign-in; please begin anew');

/** What CompleteOAuthSignIn must know: which sign-in it is and, for a code, what belongs to it. */
export type CompleteFacts = {
  readonly stateHash: string;
  readonly byCode?: { readonly codeHash: string; readonly clientStateHash: string };
};

/**
 * Exchanges the code for a login, once; or an ID token of Google's, once. What began in an account is finished by its
 * holder alone.
 */
export const completeOAuthSignIn = command(
  'CompleteOAuthSignIn',
  z
    .object({
      provider,
      code: z.string().min(1).max(4_000).optional().describe('From the redirect; lives for 60 seconds'),
      state: clientState.optional().describe("The client's own, as the redirect brought it back"),
      idToken: z.string().min(1).max(8_000).optional().describe('Of Google alone'),
      nonce: line(1, 200).optional().describe('What the ID token was asked for with; needed where it holds one'),
      ...device,
    })
    .refine(({ code, idToken }) => (code === undefined) !== (idToken === undefined), {
      path: ['code'],
      message: 'Exactly one of code and idToken is needed',
    })
    .refine(({ code, state }) => code === undefined || state !== undefined, {
      path: ['state'],
      message: 'Needed with the code',
    })
    .refine(({ provider, idToken }) => idToken === undefined || provider === 'google', {
      path: ['idToken'],
      message: 'Only Google has ID tokens that are taken here',
    }),
  (
    { provider },
    state,
    { facts, actor, now }: { facts: CompleteFacts; actor: { id: string; kind: string }; now: Date },
  ) => {
    const { stateHash, byCode } = facts;
    if (byCode === undefined)
      return state.status === 'none' ? [{ type: 'OAuthIdTokenUsed', data: { stateHash, provider } }] : proofInvalid();
    if (state.status !== 'proved' || state.provider !== provider || state.codeHash !== byCode.codeHash)
      return proofInvalid();
    if (isPast(state.expiresAt, now)) return proofInvalid();
    if (state.clientStateHash !== byCode.clientStateHash) return stateInvalid();
    if (state.accountId !== undefined && (actor.kind !== 'user' || state.accountId !== actor.id))
      return reject('UNAUTHORIZED', 'holder-required', 'Log in to the account that the sign-in is to be linked to');
    return [{ type: 'OAuthSignInCompleted', data: { stateHash } }];
  },
);
