import type { SignInProvider } from './account/events.ts';

/** Who somebody is, as a provider says. */
export type ProvenIdentity = {
  /** Names the person at the provider, for good. */
  readonly subject: string;
  readonly email?: string | undefined;
  /** Whether the provider has verified that the address is the person's. */
  readonly emailVerified: boolean;
  readonly displayName?: string | undefined;
};

/** What ties the answer of a provider to the sign-in that was begun. */
export type SignInSecrets = {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE, RFC 7636. */
  readonly codeVerifier: string;
};

/** What a provider sends the browser back with; `iss` is who it says it is, RFC 9207. */
export type Callback = { readonly code: string; readonly state: string; readonly iss?: string | undefined };

/** `refused`: the provider does not vouch for it. `unavailable`: no answer that can be used, within five seconds. */
export type NotProved = 'refused' | 'unavailable';

/** A provider that people sign in with. Its failures are answers; nothing of what it says when it fails is passed on. */
export type IdentityProvider = {
  /** Where the browser is sent. */
  readonly authorizationUrl: (secrets: SignInSecrets) => Promise<{ readonly url: string } | NotProved>;
  /** Exchanges the code, and says who it is. */
  readonly identify: (callback: Callback, secrets: SignInSecrets) => Promise<ProvenIdentity | NotProved>;
  /** Whose ID token this is, which a client got by itself; a token that holds a nonce needs the same one here. */
  readonly verifyIdToken?: (idToken: string, nonce: string | undefined) => Promise<ProvenIdentity | NotProved>;
};

/** The providers that are configured, and where browsers may come out, to the letter. */
export type SignIn = {
  readonly providers: Readonly<Partial<Record<SignInProvider, IdentityProvider>>>;
  readonly redirectUris: readonly string[];
};

/** Where nothing is configured. */
export const noSignIn: SignIn = { providers: {}, redirectUris: [] };
