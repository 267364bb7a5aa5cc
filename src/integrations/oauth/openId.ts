import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { z } from 'zod';
import { DAY_MS } from '../../domain/durations.ts';
import type { Callback, ProvenIdentity, SignInSecrets } from '../../domain/identity/signIn.ts';
import { SignInRefused, TIMEOUT_MS } from './asking.ts';

/** A provider that speaks OpenID Connect, and what it knows this service by. */
export type OpenIdSettings = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where it sends the browser back. */
  readonly callbackUrl: string;
  /** Whether its claims say that the address is the person's. */
  readonly isVerified: (claims: Claims) => boolean;
  readonly timeoutMs?: number;
};

const flag = z.union([z.boolean(), z.string(), z.number()]).optional();
const Claims = z.object({
  sub: z.string().min(1).max(200),
  /** Microsoft: the tenant, within which alone a subject means somebody. */
  tid: z.string().max(50).optional(),
  email: z.string().optional().catch(undefined),
  email_verified: flag,
  xms_edov: flag,
  name: z.string().optional().catch(undefined),
});
export type Claims = z.output<typeof Claims>;

/** Whether a claim says yes, in one of the spellings that providers have for it. */
export const saysYes = (claim: z.output<typeof flag>): boolean => [true, 'true', 1, '1'].some((yes) => yes === claim);

const optional = <Name extends string>(name: Name, value: string | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { readonly [K in Name]?: string };

/** Signatures that are believed: none that is made with a shared secret, or not at all. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

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

/**
 * Signs in by authorisation code with PKCE, state and nonce. The signature of every ID token is checked, although it
 * comes from the provider itself, and so is the issuer that sends the browser back (RFC 9207).
 */
export const openIdProvider = ({
  issuer,
  clientId,
  clientSecret,
  callbackUrl,
  isVerified,
  timeoutMs = TIMEOUT_MS,
}: OpenIdSettings) => {
  const insecure = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
  const configuration = kept(() =>
    client.discovery(new URL(issuer), clientId, {}, client.ClientSecretPost(clientSecret), {
      timeout: timeoutMs / 1000,
      execute: [client.enableNonRepudiationChecks, ...insecure],
    }),
  );
  const keys = kept(async () => {
    const { jwks_uri } = (await configuration()).serverMetadata();
    if (jwks_uri === undefined) throw new SignInRefused();
    return createRemoteJWKSet(new URL(jwks_uri), { timeoutDuration: timeoutMs });
  });

  const identityOf = (given: unknown): ProvenIdentity => {
    const parsed = Claims.safeParse(given);
    if (!parsed.success) throw new SignInRefused();
    const { sub, tid, email, name } = parsed.data;
    return {
      subject: tid === undefined ? sub : `${tid}/${sub}`,
      ...optional('email', email),
      emailVerified: email !== undefined && isVerified(parsed.data),
      ...optional('displayName', name),
    };
  };

  return {
    authorizationUrl: async ({ state, nonce, codeVerifier }: SignInSecrets) => {
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: callbackUrl,
        scope: 'openid email profile',
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href };
    },
    identify: async ({ code, state, iss }: Callback, secrets: SignInSecrets): Promise<ProvenIdentity> => {
      const url = new URL(callbackUrl);
      url.search = new URLSearchParams({ code, state, ...optional('iss', iss) }).toString();
      const tokens = await client.authorizationCodeGrant(await configuration(), url, {
        expectedState: secrets.state,
        expectedNonce: secrets.nonce,
        pkceCodeVerifier: secrets.codeVerifier,
        idTokenExpected: true,
      });
      return identityOf(tokens.claims());
    },
    verifyIdToken: async (idToken: string, nonce: string | undefined): Promise<ProvenIdentity> => {
      const server = (await configuration()).serverMetadata();
      const { payload } = await jwtVerify(idToken, await keys(), {
        issuer: server.issuer,
        audience: clientId,
        algorithms: ALGORITHMS,
        requiredClaims: ['sub', 'iat', 'exp'],
      });
      // A token for several audiences tells by whom it was asked for.
      const { aud, azp } = payload;
      if ((Array.isArray(aud) && aud.length > 1 && azp === undefined) || (azp !== undefined && azp !== clientId))
        throw new SignInRefused();
      if (payload.nonce !== nonce) throw new SignInRefused();
      return identityOf(payload);
    },
  };
};
