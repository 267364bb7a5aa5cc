import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { cacheOf } from '../cacheOf.ts';
import { API_KEY, apiKeyHash } from '../commands/identity/apiKeys.ts';
import type { KeyedHash } from '../commands/reads.ts';
import type { Fact } from '../eventstore/feed.ts';
import { apiKeyOf } from '../projections/identity/apiKeys.ts';
import type { ReadModels } from '../projections/index.ts';
import type { ApiKey, ApiKeys } from './deps.ts';

/** Milliseconds that a key counts without another look; one that was revoked never counts again. */
const TTL = 1_000;
/** Milliseconds between two notes of the use of one key. */
const NOTED_EVERY = 60_000;
const KEYS = 20_000;

/** API keys with a way to tell them of new events. */
export type CachedApiKeys = ApiKeys & {
  /** To be called with every event of the log, here appended or read: a revoked key counts no more from then on. */
  readonly observe: (event: Pick<Fact, 'type' | 'data'>) => void;
};

/** When keys were used last, by their ids; about to the minute. */
export const lastUses = async (
  pool: Pick<Pool, 'query'>,
  keyIds: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  if (keyIds.length === 0) return new Map();
  const { rows } = await pool.query<{ key_id: string; last_used_at: string }>(
    'select key_id, last_used_at from convene.api_key_uses where key_id = any($1::uuid[])',
    [keyIds],
  );
  return new Map(rows.map(({ key_id, last_used_at }) => [key_id, last_used_at]));
};

/** API keys by their clear value, from their read model. When it cannot be reached it throws: no key counts then. */
export const createApiKeys = ({
  db,
  pool,
  hash,
  log,
  now = () => new Date(),
}: {
  readonly db: Kysely<ReadModels>;
  readonly pool: Pick<Pool, 'query'>;
  readonly hash: KeyedHash;
  readonly log: Pick<Logger, 'warn'>;
  readonly now?: () => Date;
}): CachedApiKeys => {
  const known = cacheOf<string, { readonly key: ApiKey; readonly until: number }>(KEYS);
  const revoked = cacheOf<string, true>(KEYS);
  const noted = cacheOf<string, number>(KEYS);

  const note = (keyId: string, at: Date): void => {
    if ((noted.get(keyId) ?? 0) > at.getTime() - NOTED_EVERY) return;
    noted.set(keyId, at.getTime());
    pool
      .query(
        `insert into convene.api_key_uses as u (key_id, last_used_at) values ($1, $2)
         on conflict (key_id) do update set last_used_at = excluded.last_used_at
         where u.last_used_at <= excluded.last_used_at - interval '1 minute'`,
        [keyId, at.toISOString()],
      )
      .catch((err: unknown) => {
        noted.delete(keyId);
        log.warn({ err }, 'the use of an API key cannot be noted');
      });
  };

  const find = async (keyHash: string, at: number): Promise<ApiKey | undefined> => {
    const cached = known.get(keyHash);
    if (cached !== undefined && cached.until > at) return cached.key;
    const row = await apiKeyOf(db, keyHash);
    const end = row === undefined || row.expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(row.expires_at);
    if (row === undefined || row.revoked_at !== null || end <= at) return undefined;
    const key: ApiKey = { keyId: row.key_id, accountId: row.account_id, permissions: row.permissions };
    known.set(keyHash, { key, until: Math.min(at + TTL, end) });
    return key;
  };

  return {
    of: async (value) => {
      if (!API_KEY.test(value)) return undefined;
      const at = now();
      const key = await find(apiKeyHash(hash, value), at.getTime());
      if (key === undefined || revoked.has(key.keyId)) return undefined;
      note(key.keyId, at);
      return key;
    },
    observe: ({ type, data }) => {
      if (type !== 'ApiKeyRevoked' || typeof data !== 'object' || data === null) return;
      if ('keyId' in data && typeof data.keyId === 'string') revoked.set(data.keyId, true);
    },
  };
};
