import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { REFRESH_LIFE } from '../../../domain/identity/loginSession.ts';
import { uuid7 } from '../../../uuid.ts';
import { Problem } from '../../problem.ts';

/** A refresh token: which session it continues, and the secret that proves it. */
export type RefreshToken = { readonly sessionId: string; readonly value: string; readonly hash: string };

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A fresh refresh token for a session; 256 random bits, so that a plain hash of it can be kept. */
export const newRefreshToken = (sessionId: string = uuid7()): RefreshToken => {
  const value = `${sessionId}.${randomBytes(32).toString('base64url')}`;
  return { sessionId, value, hash: sha256(value) };
};

/** Reads a refresh token; undefined when it has not the form of one. */
export const readRefreshToken = (value: string): RefreshToken | undefined => {
  const sessionId = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[\w-]{43}$/.exec(value)?.[1];
  return sessionId === undefined ? undefined : { sessionId, value, hash: sha256(value) };
};

const REFRESH_COOKIE = 'refresh-token';
const CSRF_COOKIE = 'csrf-token';
const refreshCookie = { secure: true, sameSite: 'strict', httpOnly: true, path: '/api/v1/auth' } as const;
const csrfCookie = { secure: true, sameSite: 'strict', path: '/' } as const;

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

const same = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/**
 * The refresh token of a request: from its body, or else from the cookie. A cookie comes along by itself, so it counts
 * only with the header `X-CSRF-Token` that belongs to its session. Undefined without any; throws 403 without the header.
 */
export const refreshTokenOf = (
  request: FastifyRequest,
  inBody: string | undefined,
  csrfTokenOf: (sessionId: string) => string,
): RefreshToken | undefined => {
  if (inBody !== undefined) return readRefreshToken(inBody);
  const cookie = request.cookies[REFRESH_COOKIE];
  if (cookie === undefined) return undefined;
  const token = readRefreshToken(cookie);
  const header = request.headers['x-csrf-token'];
  if (token !== undefined && (typeof header !== 'string' || !same(header, csrfTokenOf(token.sessionId))))
    throw new Problem(
      'FORBIDDEN',
      'With the cookie the header X-CSRF-Token is needed, equal to the cookie csrf-token',
      {
        reason: 'csrf-token-missing',
      },
    );
  return token;
};
