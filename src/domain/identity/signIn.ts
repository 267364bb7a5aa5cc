import type { Callback, FlowSecrets, NotProved } from '../oauth.ts';
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

/** A provider that people sign in with. Its failures are answers; nothing of what it says when it fails is passed on. */
export type IdentityProvider = {
  /** Where the browser is sent. */
  readonly authorizationUrl: (secrets: FlowSecrets) => Promise<{ readonly url: string } | NotProved>;
  /** Exchanges the code, and says who it is. */
  readonly identify: (callback: Callback, secrets: FlowSecrets) => Promise<ProvenIdentity | NotProved>;
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
