import * as client from 'openid-client';
import { z } from 'zod';
import type { Callback, SignInSecrets } from '../../domain/identity/signIn.ts';
import type { Grant, Tokens, Wish } from '../../domain/messaging/connector.ts';
import { SignInRefused, SignInUnavailable, TIMEOUT_MS } from '../oauth/asking.ts';
import { kept } from '../oauth/openId.ts';

/** Google, and what it knows this service by. */
export type GoogleSettings = {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where it sends the browser back. */
  readonly callbackUrl: string;
  readonly timeoutMs?: number;
};

const Claims = z.object({ sub: z.string().min(1).max(200), email: z.string().max(254).optional().catch(undefined) });

const Answer = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  expires_in: z.number().positive().optional(),
});

const tokensOf = (answer: unknown): Tokens => {
  const { access_token, refresh_token, expires_in } = Answer.parse(answer);
  return { accessToken: access_token, refreshToken: refresh_token, expiresIn: expires_in };
};

/**
 * Connects accounts of Google by authorisation code with PKCE, state and nonce, for use while nobody is there: the first
 * consent brings a refresh token, further ones add to what was granted before.
 */
export const googleConnector = ({
  issuer,
  clientId,
  clientSecret,
  callbackUrl,
  timeoutMs = TIMEOUT_MS,
}: GoogleSettings) => {
  const insecure = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
  const configuration = kept(() =>
    client.discovery(new URL(issuer), clientId, {}, client.ClientSecretPost(clientSecret), {
      timeout: timeoutMs / 1000,
      execute: [client.enableNonRepudiationChecks, ...insecure],
    }),
  );

  return {
    authorizationUrl: async ({ state, nonce, codeVerifier }: SignInSecrets, { scopes, chooseAccount }: Wish) => {
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: callbackUrl,
        scope: scopes.join(' '),
        state,
        nonce,
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        access_type: 'offline',
        include_granted_scopes: 'true',
        // A refresh token comes with a consent alone.
        prompt: chooseAccount ? 'select_account consent' : 'consent',
      });
      return { url: url.href };
    },
    exchange: async ({ code, state, iss }: Callback, secrets: SignInSecrets): Promise<Grant> => {
      const url = new URL(callbackUrl);
      url.search = new URLSearchParams({ code, state, ...(iss === undefined ? {} : { iss }) }).toString();
      const answer = await client.authorizationCodeGrant(await configuration(), url, {
        expectedState: secrets.state,
        expectedNonce: secrets.nonce,
        pkceCodeVerifier: secrets.codeVerifier,
        idTokenExpected: true,
      });
      const claims = Claims.safeParse(answer.claims());
      if (!claims.success) throw new SignInRefused();
      const { sub: subject, email } = claims.data;
      return {
        ...tokensOf(answer),
        subject,
        externalAccount: email ?? 'Google',
        scopes: (answer.scope ?? '').split(' ').filter((scope) => scope !== ''),
      };
    },
    refresh: async (refreshToken: string): Promise<Tokens> => {
      try {
        return tokensOf(await client.refreshTokenGrant(await configuration(), refreshToken));
      } catch (error) {
        // Anything else, such as a client secret that was changed, is for an operator to mend, not for the person.
        if (error instanceof client.ResponseBodyError && error.error === 'invalid_grant') throw new SignInRefused();
        throw new SignInUnavailable();
      }
    },
    revoke: async (token: string): Promise<void> => {
      await client.tokenRevocation(await configuration(), token);
    },
  };
};
