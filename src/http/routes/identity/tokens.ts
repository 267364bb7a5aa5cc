import type { FastifyReply, FastifyRequest } from 'fastify';
import { type RefreshToken, readRefreshToken } from '../../../commands/identity/refreshToken.ts';
import { isSecret } from '../../../commands/keyedHash.ts';
import type { KeyedHash } from '../../../commands/reads.ts';
import { REFRESH_LIFE } from '../../../domain/identity/loginSession.ts';
import { Problem } from '../../problem.ts';

const REFRESH_COOKIE = 'refresh-token';
const CSRF_COOKIE = 'csrf-token';
const refreshCookie = { secure: true, sameSite: 'strict', httpOnly: true, path: '/api/v1/auth' } as const;
const csrfCookie = { secure: true, sameSite: 'strict', path: '/' } as const;

/** Belongs to a session; whoever knows the session's cookie alone cannot make it. */
export const csrfTokenOf = (hash: KeyedHash, sessionId: string): string => hash('csrf', sessionId);

/** Puts the refresh token where scripts cannot read it, and the CSRF token where they can. */
export const setCookies = (reply: FastifyReply, refreshToken: string, csrfToken: string): void => {
  const maxAge = REFRESH_LIFE / 1000;
  reply.setCookie(REFRESH_COOKIE, refreshToken, { ...refreshCookie, maxAge });
  reply.setCookie(CSRF_COOKIE, csrfToken, { ...csrfCookie, maxAge });
};

/** Takes both cookies back. Browsers replace a secure cookie only by a secure one, so the attributes are the same. */
export const clearCookies = (reply: FastifyReply): void => {
  reply.clearCookie(REFRESH_COOKIE, refreshCookie);
  reply.clearCookie(CSRF_COOKIE, csrfCookie);
};

/**
 * The refresh token of a request: from its body, or else from the cookie. A cookie comes along by itself, so it counts
 * only with the header `X-CSRF-Token` that belongs to its session. Undefined without any; throws 403 without the header.
 */
export const refreshTokenOf = (
  request: FastifyRequest,
  inBody: string | undefined,
  hash: KeyedHash,
): RefreshToken | undefined => {
  if (inBody !== undefined) return readRefreshToken(hash, inBody);
  const cookie = request.cookies[REFRESH_COOKIE];
  if (cookie === undefined) return undefined;
  const token = readRefreshToken(hash, cookie);
  const header = request.headers['x-csrf-token'];
  if (token !== undefined && (typeof header !== 'string' || !isSecret(header, csrfTokenOf(hash, token.sessionId))))
    throw new Problem(
      'FORBIDDEN',
      'With the cookie the header X-CSRF-Token is needed, equal to the cookie csrf-token',
      {
        reason: 'csrf-token-missing',
      },
    );
  return token;
};
