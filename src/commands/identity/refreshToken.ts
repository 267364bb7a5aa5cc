import { createHash, randomBytes } from 'node:crypto';
import { uuid7 } from '../../uuid.ts';
import { isSecret } from '../keyedHash.ts';
import type { KeyedHash } from '../reads.ts';

/** A refresh token: which session it continues, how many exchanges came before it, and the secret that proves it. */
export type RefreshToken = {
  readonly sessionId: string;
  readonly generation: number;
  readonly value: string;
  /** What the log keeps of it. */
  readonly hash: string;
};

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

const sealed = (hash: KeyedHash, text: string): string => `${text}.${hash('refresh-token', text)}`;

/**
 * A fresh refresh token for a session; 256 random bits, so that a plain hash of it can be kept. Its generation is sealed
 * with the service's key: an older one is proof that it was handed out before, though nobody remembers it.
 */
export const newRefreshToken = (
  hash: KeyedHash,
  { sessionId = uuid7(), generation = 0 }: Partial<Pick<RefreshToken, 'sessionId' | 'generation'>> = {},
): RefreshToken => {
  const value = sealed(hash, `${sessionId}.${generation}.${randomBytes(32).toString('base64url')}`);
  return { sessionId, generation, value, hash: sha256(value) };
};

const FORM = /^(([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,9})\.[\w-]{43})\.[0-9a-f]{64}$/;

/** Reads a refresh token; undefined for any text that this service has not made. */
export const readRefreshToken = (hash: KeyedHash, value: string): RefreshToken | undefined => {
  const [, text, sessionId, generation] = FORM.exec(value) ?? [];
  if (text === undefined || sessionId === undefined) return undefined;
  if (!isSecret(value, sealed(hash, text))) return undefined;
  return { sessionId, generation: Number(generation), value, hash: sha256(value) };
};
