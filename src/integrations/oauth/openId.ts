import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';
import type { ProvenIdentity } from '../../domain/identity/signIn.ts';
import type { Callback, FlowSecrets } from '../../domain/oauth.ts';
import { SignInRefused, TIMEOUT_MS } from './asking.ts';
import { codeFlow, discovered, kept, type OpenIdClient } from './codeFlow.ts';

/** A provider that people sign in with. */
export type OpenIdSettings = OpenIdClient & {
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

/** Signs in with a provider that speaks OpenID Connect. */
export const openIdProvider = ({ callbackUrl, isVerified, timeoutMs = TIMEOUT_MS, ...known }: OpenIdSettings) => {
  const { clientId } = known;
  const configuration = discovered(known, timeoutMs);
  const flow = codeFlow(configuration, callbackUrl, { idToken: true });
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
    authorizationUrl: (secrets: FlowSecrets) => flow.authorizationUrl(secrets, { scope: 'openid email profile' }),
    identify: async (callback: Callback, secrets: FlowSecrets): Promise<ProvenIdentity> =>
      identityOf((await flow.exchange(callback, secrets)).claims()),
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
