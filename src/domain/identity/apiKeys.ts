import { z } from 'zod';
import { type Actor, can, commandsOf, decider, type EventOf, pii, reject, secret } from '../decider.ts';
import { DAY_MS } from '../durations.ts';
import { instant, line, permissionName, uuid } from '../fields.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  ApiKeyCreated: z.object({
    keyId: z.string(),
    accountId: z.string(),
    name: pii('accountId', z.string()),
    keyHash: secret(z.string()).describe('Keyed hash of the whole key'),
    prefix: z.string().describe('What is shown of the key, to tell it from others'),
    permissions: z.array(z.string()).describe('What it may do at most; never more than its owner at that moment'),
    createdAt: z.string(),
    expiresAt: z.string().optional().describe('From then on it counts no more'),
  }),
  ApiKeyRevoked: z.object({ keyId: z.string(), accountId: z.string(), by: z.enum(['owner', 'admin']) }),
};
export type ApiKeysEvent = EventOf<typeof events>;

type Key = { readonly revoked: boolean; readonly expiresAt?: string };
/** The keys of one account by their ids. */
export type ApiKeys = { readonly keys: Readonly<Record<string, Key>> };

/** Live keys that an account has at most, and how long one lives at most, in milliseconds. */
export const MAX_KEYS = 20;
export const MAX_KEY_LIFE = 365 * DAY_MS;

/** All API keys of one account; the stream's id is the account's, so that their number is judged on all of them. */
export const apiKeys = decider<ApiKeys, ApiKeysEvent>({
  category: 'apiKeys',
  events,
  initial: { keys: {} },
  evolve: ({ keys }, { type, data }) => {
    const { keyId } = data;
    switch (type) {
      case 'ApiKeyCreated': {
        const end = data.expiresAt === undefined ? {} : { expiresAt: data.expiresAt };
        return { keys: { ...keys, [keyId]: { revoked: false, ...end } } };
      }
      case 'ApiKeyRevoked':
        return { keys: { ...keys, [keyId]: { ...keys[keyId], revoked: true } } };
    }
  },
});
const command = commandsOf(apiKeys);

const isLive = ({ revoked, expiresAt }: Key, now: Date): boolean =>
  !revoked && (expiresAt === undefined || Date.parse(expiresAt) > now.getTime());

/** What is made outside: the key itself is shown once and known to nobody afterwards. */
export type NewKeyFacts = {
  readonly keyHash: string;
  readonly prefix: string;
  /** Those of the permissions asked for that are in no catalogue. */
  readonly unknown: readonly string[];
};

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Makes a key that may do what is named, which its owner must be allowed to do himself. */
export const createApiKey = command(
  'CreateApiKey',
  z.object({
    name: line(1, 100),
    permissions: z
      .array(permissionName)
      .min(1, 'At least one permission')
      .max(50, 'At most 50 permissions')
      .overwrite(unique),
    expiresAt: instant.optional(),
  }),
  (
    { name, permissions, expiresAt },
    { keys },
    { actor, facts, newId, now }: { actor: Actor; facts: NewKeyFacts; newId(label: string): string; now: Date },
  ) => {
    const { keyHash, prefix, unknown } = facts;
    const life = expiresAt === undefined ? 1 : Date.parse(expiresAt) - now.getTime();
    if (life <= 0) return reject('VALIDATION_ERROR', 'expiry-past', 'The end must lie in the future', 'expiresAt');
    if (life > MAX_KEY_LIFE)
      return reject('VALIDATION_ERROR', 'expiry-too-late', 'A key lives for 365 days at most', 'expiresAt');
    const [stranger] = unknown;
    if (stranger !== undefined)
      return reject('VALIDATION_ERROR', 'permission-unknown', `There is no permission ${stranger}`, 'permissions');
    const beyond = permissions.find((permission) => !can(actor, permission));
    if (beyond !== undefined)
      return reject('FORBIDDEN', 'privilege-escalation', `A key cannot hold ${beyond}, which you do not hold`);
    if (Object.values(keys).filter((key) => isLive(key, now)).length >= MAX_KEYS)
      return reject('CONFLICT', 'too-many-api-keys', `An account has at most ${MAX_KEYS} keys; revoke one first`);
    const data = {
      keyId: newId('key'),
      accountId: actor.id,
      name,
      keyHash,
      prefix,
      permissions,
      createdAt: now.toISOString(),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
    return [{ type: 'ApiKeyCreated', data }];
  },
);

/** Takes a key away, an own one or as administrator anybody's. Taking it twice changes nothing. */
export const revokeApiKey = command(
  'RevokeApiKey',
  z.object({ keyId: uuid, accountId: uuid.optional().describe('Whose key, where an administrator revokes it') }),
  ({ keyId, accountId: named }, { keys }, { actor }) => {
    const accountId = named ?? actor.id;
    const own = accountId === actor.id;
    const key = Object.hasOwn(keys, keyId) ? keys[keyId] : undefined;
    if (key === undefined || !(own || can(actor, 'write:users')))
      return reject('NOT_FOUND', 'api-key-unknown', 'There is no such API key');
    if (key.revoked) return [];
    return [{ type: 'ApiKeyRevoked', data: { keyId, accountId, by: own ? 'owner' : 'admin' } }];
  },
);
