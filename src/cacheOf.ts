import { LRUCache } from 'lru-cache';

/**
 * A cache of at most so many entries, of which those used longest ago are given up first. `ttl`: milliseconds after which an
 * entry counts no more.
 */
export const cacheOf = <Key extends object | string, Value extends object | string | number | bigint | true>(
  entries: number,
  ttl?: number,
): LRUCache<Key, Value> =>
  // Not `max`, which makes room for all of them at once: megabytes and milliseconds for a cache that may never fill.
  new LRUCache({ maxSize: entries, sizeCalculation: () => 1, ...(ttl === undefined ? {} : { ttl }) });
