import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyedHash } from './reads.ts';

/** Keyed hashes under the service's own key. */
export const keyedHash =
  (key: Buffer): KeyedHash =>
  (purpose, value) =>
    createHmac('sha256', key).update(purpose).update('\0').update(value).digest('hex');

/** Whether somebody has given the secret text, whatever else it was: how long the answer takes tells nothing but lengths. */
export const isSecret = (given: string, secret: string): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b);
};
