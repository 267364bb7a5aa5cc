import type { Callback, FlowSecrets, NotProved } from '../oauth.ts';
import type { Provider } from './offers.ts';

/** Tokens as a provider hands them out. */
export type Tokens = {
  readonly accessToken: string;
  /** Undefined: the one given before goes on. */
  readonly refreshToken?: string | undefined;
  /** Seconds that the access token lives; undefined: until it is revoked. */
  readonly expiresIn?: number | undefined;
};

/** What somebody granted at a provider. */
export type Grant = Tokens & {
  /** Names the outside account at the provider, for good. */
  readonly subject: string;
  /** What its holder calls it: an address or a name. */
  readonly externalAccount: string;
  /** What was really granted, identity scopes included. */
  readonly scopes: readonly string[];
};

/** What is asked of a provider, and whether its person chooses the account anew. */
export type Wish = { readonly scopes: readonly string[]; readonly chooseAccount: boolean };

/** A provider that accounts are connected to. Its failures are answers; nothing of what it says when it fails is passed on. */
export type Connector = {
  /** Where the browser is sent. */
  readonly authorizationUrl: (secrets: FlowSecrets, wish: Wish) => Promise<{ readonly url: string } | NotProved>;
  /** Exchanges the code of the browser that came back. */
  readonly exchange: (callback: Callback, secrets: FlowSecrets) => Promise<Grant | NotProved>;
  /** Fresh tokens. `refused` is the provider's last word on this grant; all other failures are `unavailable`. */
  readonly refresh: (refreshToken: string) => Promise<Tokens | NotProved>;
  /** Ends the grant at the provider; whether it did. */
  readonly revoke: (token: string) => Promise<boolean>;
};

/** The providers that are configured, and whether browsers may come out at an address of an origin. */
export type Connectors = {
  readonly providers: Readonly<Partial<Record<Provider, Connector>>>;
  readonly mayReturnTo: (origin: string) => boolean;
};

/** Where nothing is configured. */
export const noConnectors: Connectors = { providers: {}, mayReturnTo: () => false };
