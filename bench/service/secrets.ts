import { createHmac, randomBytes } from 'node:crypto';

/** What the services of one run share, so that the benchmark can write their log and sign their tokens. */
export const JWT_SECRET = randomBytes(32).toString('base64url');
export const MASTER_KEY = randomBytes(32).toString('base64url');

/** Somebody who is logged in. */
export type Login = { readonly accountId: string; readonly sessionId: string };

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An access token as the service itself would sign it, good for an hour. */
export const tokenOf = ({ accountId, sessionId }: Login): string => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { email: `${accountId}@example.org`, role: 'free', roles: ['free'], permissions: [] };
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: accountId, sid: sessionId, ...claims, iat: now, exp: now + 3_600 })}`;
  return `${text}.${createHmac('sha256', JWT_SECRET).update(text).digest('base64url')}`;
};
