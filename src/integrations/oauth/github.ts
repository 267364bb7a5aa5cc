import * as client from 'openid-client';
import { z } from 'zod';
import type { ProvenIdentity } from '../../domain/identity/signIn.ts';
import type { Callback, FlowSecrets } from '../../domain/oauth.ts';
import { SignInRefused, SignInUnavailable, TIMEOUT_MS } from './asking.ts';
import { codeFlow } from './codeFlow.ts';

/** GitHub, and what it knows this service by. */
export type GithubSettings = {
  readonly url: string;
  readonly apiUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where it sends the browser back. */
  readonly callbackUrl: string;
  readonly timeoutMs?: number;
};

const User = z.object({ id: z.int().positive(), login: z.string(), name: z.string().nullish() });
const Emails = z.array(z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));

/**
 * Signs in with GitHub, which speaks OAuth 2 without OpenID: no ID token and no nonce, so state and PKCE alone tie the
 * answer to the browser. Who it is, is asked of its API; the address is the primary one, and counts as verified where
 * GitHub has verified it.
 */
export const githubProvider = ({
  url,
  apiUrl,
  clientId,
  clientSecret,
  callbackUrl,
  timeoutMs = TIMEOUT_MS,
}: GithubSettings) => {
  const configuration = new client.Configuration(
    {
      issuer: url,
      authorization_endpoint: `${url}/login/oauth/authorize`,
      token_endpoint: `${url}/login/oauth/access_token`,
    },
    clientId,
    {},
    client.ClientSecretPost(clientSecret),
  );
  configuration.timeout = timeoutMs / 1000;
  if (url.startsWith('http:') || apiUrl.startsWith('http:')) client.allowInsecureRequests(configuration);

  const flow = codeFlow(async () => configuration, callbackUrl, { idToken: false });

  const asked = async <Schema extends z.ZodType>(
    accessToken: string,
    path: string,
    schema: Schema,
  ): Promise<z.output<Schema>> => {
    const headers = new Headers({ accept: 'application/vnd.github+json', 'user-agent': 'Convene' });
    const response = await client.fetchProtectedResource(
      configuration,
      accessToken,
      new URL(`${apiUrl}${path}`),
      'GET',
      null,
      headers,
    );
    if (response.status >= 500 || response.status === 429) throw new SignInUnavailable();
    const parsed = response.ok ? schema.safeParse(await response.json()) : undefined;
    if (!parsed?.success) throw new SignInRefused();
    return parsed.data;
  };

  return {
    authorizationUrl: (secrets: FlowSecrets) => flow.authorizationUrl(secrets, { scope: 'read:user user:email' }),
    identify: async (callback: Callback, secrets: FlowSecrets): Promise<ProvenIdentity> => {
      const { access_token: token } = await flow.exchange(callback, secrets);
      const [user, emails] = await Promise.all([asked(token, '/user', User), asked(token, '/user/emails', Emails)]);
      const primary = emails.find((email) => email.primary);
      return {
        subject: String(user.id),
        ...(primary === undefined ? {} : { email: primary.email }),
        emailVerified: primary?.verified === true,
        displayName: user.name ?? user.login,
      };
    },
  };
};
