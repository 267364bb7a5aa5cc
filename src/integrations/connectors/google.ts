import * as client from 'openid-client';
import { z } from 'zod';
import type { Grant, Tokens, Wish } from '../../domain/messaging/connector.ts';
import type { Callback, FlowSecrets } from '../../domain/oauth.ts';
import { SignInRefused, SignInUnavailable, TIMEOUT_MS } from '../oauth/asking.ts';
import { codeFlow, discovered, type OpenIdClient } from '../oauth/codeFlow.ts';

/** Google, and what it knows this service by. */
export type GoogleSettings = OpenIdClient & {
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
export const googleConnector = ({ callbackUrl, timeoutMs = TIMEOUT_MS, ...known }: GoogleSettings) => {
  const configuration = discovered(known, timeoutMs);
  const flow = codeFlow(configuration, callbackUrl, { idToken: true });

  return {
    authorizationUrl: (secrets: FlowSecrets, { scopes, chooseAccount }: Wish) =>
      flow.authorizationUrl(secrets, {
        scope: scopes.join(' '),
        access_type: 'offline',
        include_granted_scopes: 'true',
        // A refresh token comes with a consent alone.
        prompt: chooseAccount ? 'select_account consent' : 'consent',
      }),
    exchange: async (callback: Callback, secrets: FlowSecrets): Promise<Grant> => {
      const answer = await flow.exchange(callback, secrets);
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
