import { createHash, randomBytes } from 'node:crypto';
import { uuid7 } from '../../uuid.ts';

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
