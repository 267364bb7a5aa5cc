import { createHmac } from 'node:crypto';
import type { KeyedHash } from './binding.ts';

/** Keyed hashes under the service's own key. */
export const keyedHash =
  (key: Buffer): KeyedHash =>
  (purpose, value) =>
    createHmac('sha256', key).update(purpose).update('\0').update(value).digest('hex');
