import * as client from 'openid-client';
import { DAY_MS } from '../../domain/durations.ts';
import type { Callback, FlowSecrets } from '../../domain/oauth.ts';

/** A provider that speaks OpenID Connect, and what it knows this service by. */
export type OpenIdClient = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
};

/** Kept as long as it can be had: asked for again after a failure, and once a day. */
export const kept = <Value>(load: () => Promise<Value>, maxAgeMs = DAY_MS): (() => Promise<Value>) => {
  let known: { readonly value: Promise<Value>; readonly until: number } | undefined;
  return () => {
    if (known !== undefined && known.until > performance.now()) return known.value;
    const value = load();
    const mine = { value, until: performance.now() + maxAgeMs };
    known = mine;
    value.catch(() => {
      if (known === mine) known = undefined;
    });
    return value;
  };
};

/** What a provider says of itself. The signature of every ID token is checked, although it comes from the provider itself. */
export const discovered = ({ issuer, clientId, clientSecret }: OpenIdClient, timeoutMs: number) => {
  const insecure = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
  return kept(() =>
    client.discovery(new URL(issuer), clientId, {}, client.ClientSecretPost(clientSecret), {
      timeout: timeoutMs / 1000,
      execute: [client.enableNonRepudiationChecks, ...insecure],
    }),
  );
};

/**
 * The authorisation code grant with state and PKCE, and with a nonce where the provider gives ID tokens. The issuer that
 * sends the browser back must be the one that was asked (RFC 9207).
 */
export const codeFlow = (
  configuration: () => Promise<client.Configuration>,
  callbackUrl: string,
  { idToken }: { readonly idToken: boolean },
) => ({
  /** Where the browser is sent, with these parameters besides. */
  authorizationUrl: async (
    { state, nonce, codeVerifier }: FlowSecrets,
    parameters: Readonly<Record<string, string>>,
  ): Promise<{ readonly url: string }> => {
    const { href } = client.buildAuthorizationUrl(await configuration(), {
      ...parameters,
      redirect_uri: callbackUrl,
      state,
      ...(idToken ? { nonce } : {}),
      code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    });
    return { url: href };
  },
  exchange: async ({ code, state, iss }: Callback, secrets: FlowSecrets) => {
    const url = new URL(callbackUrl);
    url.search = new URLSearchParams({ code, state, ...(iss === undefined ? {} : { iss }) }).toString();
    return client.authorizationCodeGrant(await configuration(), url, {
      expectedState: secrets.state,
      pkceCodeVerifier: secrets.codeVerifier,
      ...(idToken ? { expectedNonce: secrets.nonce, idTokenExpected: true } : {}),
    });
  },
});
