import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { isKnown } from '../../domain/access/roleCatalog/index.ts';
import { can } from '../../domain/decider.ts';
import { apiKeys, createApiKey, type NewKeyFacts, revokeApiKey } from '../../domain/identity/apiKeys.ts';
import { theCatalog } from '../access/catalogue.ts';
import { bind, type Outcome, type Run } from '../binding.ts';
import type { KeyedHash } from '../reads.ts';

/** How every key begins. */
const KEY_PREFIX = 'ak_live_';
/** 192 bits: 32 characters. */
const KEY_BYTES = 24;
const SHOWN = 12;

/** What a key looks like; anything else is none, and need not be looked for. */
export const API_KEY = /^ak_live_[A-Za-z0-9_-]{32}$/;

/** What is stored of a key. */
export const apiKeyHash = (hash: KeyedHash, value: string): string => hash('api-key', value);

const creation = async ({
  input,
  reads,
  judge,
}: Run<z.output<typeof createApiKey.input>, NewKeyFacts>): Promise<Outcome> => {
  const key = `${KEY_PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`;
  const catalog = await theCatalog(reads);
  const outcome = await judge(input, {
    keyHash: apiKeyHash(reads.hash, key),
    prefix: key.slice(0, SHOWN),
    unknown: input.permissions.filter((permission) => !isKnown(catalog, permission)),
  });
  return outcome.ok && !outcome.replayed ? { ...outcome, data: { ...(outcome.data as object), key } } : outcome;
};

const EXAMPLE_KEY = '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e51';

/** API keys: made and revoked by their owner, revoked by administrators too. */
export const apiKeyBindings = [
  bind(createApiKey, {
    path: 'POST /auth/api-keys',
    access: 'loggedIn',
    unverified: true,
    status: 201,
    stream: (_input, { actor }) => actor.id,
    version: () => undefined,
    process: creation,
    answer: {
      schema: z.object({
        id: z.string(),
        key: z.string().optional().describe('Shown this once'),
        prefix: z.string().describe('Its first characters, by which it is known in lists'),
        name: z.string(),
        permissions: z.array(z.string()),
        createdAt: z.string(),
        expiresAt: z.string().nullable(),
      }),
      of: ({ events }) => {
        const [event] = events;
        if (event?.type !== 'ApiKeyCreated') throw new Error('No key was made');
        const { keyId, prefix, name, permissions, createdAt, expiresAt = null } = event.data;
        return { id: keyId, prefix, name, permissions, createdAt, expiresAt };
      },
    },
    summary: 'Makes an API key; the key itself is shown this once',
    example: { name: 'Calendar import', permissions: ['read:planners'] },
  }),
  bind(revokeApiKey, {
    path: 'DELETE /auth/api-keys/:keyId',
    access: 'loggedIn',
    unverified: true,
    resolve: async (input, reads, actor) => {
      if (input.accountId !== undefined || !can(actor, 'write:users')) return input;
      if (Object.hasOwn((await reads.load(apiKeys, actor.id)).state.keys, input.keyId)) return input;
      const accountId = await reads.lookups.ownerOfApiKey(input.keyId);
      return accountId === undefined ? input : { ...input, accountId };
    },
    stream: ({ accountId }, { actor }) => accountId ?? actor.id,
    version: () => undefined,
    summary: 'Revokes an API key: from now on it opens nothing',
    example: { keyId: EXAMPLE_KEY },
  }),
];
