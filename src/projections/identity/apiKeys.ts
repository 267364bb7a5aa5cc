import type { Kysely } from 'kysely';
import { ERASED } from '../../domain/decider.ts';
import { instant, json, nullable, projection, type RowOf, text, uuid } from '../projection.ts';

const columns = {
  key_id: uuid,
  account_id: uuid,
  name: text,
  key_hash: text,
  prefix: text,
  permissions: json<readonly string[]>(),
  created_at: instant,
  expires_at: nullable(instant),
  revoked_at: nullable(instant),
};
export type ApiKeyRow = RowOf<typeof columns>;

/** Every API key that was ever made, those that count no more included. */
export const apiKeys = projection({
  name: 'api_keys',
  version: 1,
  columns,
  key: { column: 'key_id', of: ({ data }) => data.keyId },
  erasure: { column: 'account_id', row: (row) => ({ ...row, name: ERASED }) },
  indexes: [['account_id', 'created_at desc'], ['key_hash']],
  fold: {
    ApiKeyCreated: (_row, { data }): ApiKeyRow => ({
      key_id: data.keyId,
      account_id: data.accountId,
      name: data.name,
      key_hash: data.keyHash,
      prefix: data.prefix,
      permissions: data.permissions,
      created_at: data.createdAt,
      expires_at: data.expiresAt ?? null,
      revoked_at: null,
    }),
    ApiKeyRevoked: (row: ApiKeyRow | undefined, { recordedAt }) =>
      row && { ...row, revoked_at: row.revoked_at ?? recordedAt },
  },
});

type Tables = { api_keys: ApiKeyRow };

/** The key of this hash, whether it counts or not. */
export const apiKeyOf = (db: Kysely<Tables>, keyHash: string): Promise<ApiKeyRow | undefined> =>
  db.selectFrom('api_keys').selectAll().where('key_hash', '=', keyHash).executeTakeFirst();

/** Whose key it is. */
export const ownerOfApiKey = async (db: Kysely<Tables>, keyId: string): Promise<string | undefined> => {
  const row = await db.selectFrom('api_keys').select('account_id').where('key_id', '=', keyId).executeTakeFirst();
  return row?.account_id;
};

/** What has become of a key. */
export const KEY_STATES = ['active', 'expired', 'revoked'] as const;
export type KeyState = (typeof KEY_STATES)[number];

const inState = (db: Kysely<Tables>, accountId: string, now: Date, state: KeyState | undefined) => {
  const all = db.selectFrom('api_keys').where('account_id', '=', accountId);
  if (state === undefined) return all;
  if (state === 'revoked') return all.where('revoked_at', 'is not', null);
  const counting = all.where('revoked_at', 'is', null);
  return state === 'expired'
    ? counting.where('expires_at', '<=', now.toISOString())
    : counting.where(({ eb, or }) => or([eb('expires_at', 'is', null), eb('expires_at', '>', now.toISOString())]));
};

/** The keys of an account, newest first: one page, and how many there are. */
export const apiKeysOf = async (
  db: Kysely<Tables>,
  accountId: string,
  {
    now,
    state,
    offset,
    limit,
  }: { readonly now: Date; readonly state: KeyState | undefined; readonly offset: number; readonly limit: number },
) => {
  const of = inState(db, accountId, now, state);
  const [items, { total }] = await Promise.all([
    of.selectAll().orderBy('created_at', 'desc').orderBy('key_id', 'desc').offset(offset).limit(limit).execute(),
    of.select(({ fn }) => fn.countAll<string>().as('total')).executeTakeFirstOrThrow(),
  ]);
  return { items, total: Number(total) };
};
