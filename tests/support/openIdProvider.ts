import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import Provider from 'oidc-provider';

/** Somebody who has an account at the provider. */
export type Resident = {
  readonly sub: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
  readonly xms_edov?: boolean;
};

/** What the provider does to the ID tokens that it hands out. */
export type Tampering = (claims: JWTPayload) => string | Promise<string>;

const decoded = (token: string): JWTPayload =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

const CLIENT = { id: 'convene', secret: 'between-us-and-the-provider' };

/**
 * A real OpenID provider on the loopback address, closed with the test. It logs in whomever `?as=` names on its page of
 * interaction, or answers `access_denied` for `?deny`. What it says can be tampered with.
 */
export const openIdProvider = async (
  t: { after: (callback: () => Promise<void>) => unknown },
  redirectUris: readonly string[],
) => {
  const { publicKey: _public, privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'one' };
  const residents = new Map<string, Resident>();
  const control: { tamper?: Tampering | undefined; silent: boolean; broken: boolean } = {
    silent: false,
    broken: false,
  };

  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const claimNames = ['email', 'email_verified', 'xms_edov'];
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: CLIENT.id,
        client_secret: CLIENT.secret,
        redirect_uris: [...redirectUris],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    jwks: { keys: [jwk] },
    cookies: { keys: ['of the test'] },
    claims: { openid: ['sub'], email: claimNames, profile: ['name'] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: async () => ({ ...residents.get(sub), sub }) }),
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client?.clientId ?? '',
        accountId: oidc.session?.accountId ?? '',
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  provider.use(async (ctx, next) => {
    await next();
    const body = ctx.body as { id_token?: string } | undefined;
    if (ctx.path === '/token' && control.tamper !== undefined && body?.id_token !== undefined)
      ctx.body = { ...body, id_token: await control.tamper(decoded(body.id_token)) };
  });
  const handle = provider.callback();
  server.on('request', (request, response) => {
    const url = new URL(request.url ?? '/', issuer);
    if (control.silent) return;
    if (control.broken) return void response.writeHead(503).end();
    if (!url.pathname.startsWith('/interaction/')) return void handle(request, response);
    const result = url.searchParams.has('deny')
      ? { error: 'access_denied', error_description: 'Nobody said yes' }
      : { login: { accountId: url.searchParams.get('as') ?? '' } };
    void provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  });
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });

  /** An ID token with the provider's own key, for the service, as of now; claims given take the place of those. */
  const idToken = async (claims: Readonly<Record<string, unknown>>, key: CryptoKey = privateKey): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: issuer, aud: CLIENT.id, iat: now, exp: now + 600, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(key);
  };
  return {
    issuer,
    client: CLIENT,
    control,
    idToken,
    /** Lets somebody have an account there. */
    settle: (resident: Resident): Resident => {
      residents.set(resident.sub, resident);
      return resident;
    },
  };
};

/** A token that nobody has signed. */
export const unsigned = (claims: JWTPayload): string =>
  `${[{ alg: 'none', typ: 'JWT' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;

/** A key that no provider has. */
export const strangeKey = async (): Promise<CryptoKey> => (await generateKeyPair('RS256')).privateKey;
