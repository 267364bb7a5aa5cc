import { z } from 'zod';
import { uuid } from '../../../domain/fields.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { type ApiKeyRow, apiKeys, apiKeysOf, KEY_STATES } from '../../../projections/identity/apiKeys.ts';
import { listAnswer, offsetOf, page, paginated } from '../../answers.ts';
import { lastUses } from '../../apiKeys.ts';
import type { App, Deps } from '../../app.ts';
import type { Presenter } from '../../commandRoutes.ts';
import { ownOrRead } from './users.ts';

const KeyView = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string().describe('Its first 12 characters'),
  permissions: z.array(z.string()).describe('What it may do at most; never more than its owner may'),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  lastUsedAt: z.string().nullable().describe('About to the minute'),
  revokedAt: z.string().nullable(),
});

const keyView = (row: ApiKeyRow, uses: ReadonlyMap<string, string>): z.output<typeof KeyView> => ({
  id: row.key_id,
  name: row.name,
  prefix: row.prefix,
  permissions: [...row.permissions],
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: uses.get(row.key_id) ?? null,
  revokedAt: row.revoked_at,
});

/** Hands a new key over once it can be used. */
export const handOverKey: Presenter = async ({ caughtUp }, { outcome }) => {
  await caughtUp([apiKeys], outcome.position);
  return outcome.data;
};

/** API keys of an account, without the keys themselves. */
export const apiKeyRoutes = (app: App, deps: Deps): void => {
  const { db, pool, commands } = deps;
  app.get(
    '/auth/api-keys',
    {
      config: { access: 'loggedIn', unverified: true, reads: [apiKeys, accounts], refuses: [404] },
      schema: {
        summary: 'The own API keys, newest first',
        querystring: z.object({
          ...page(),
          status: z.enum(KEY_STATES).optional(),
          userId: uuid.optional().describe('Whose keys; of others with the permission read:users'),
        }),
        response: { 200: listAnswer('items', KeyView) },
      },
    },
    async (request) => {
      const { query } = request;
      const { status } = query;
      const userId = await ownOrRead(deps, request, query.userId);
      const { items, total } = await apiKeysOf(db, userId, {
        now: commands.reads.now(),
        state: status,
        offset: offsetOf(query),
        limit: query.limit,
      });
      const uses = await lastUses(
        pool,
        items.map(({ key_id }) => key_id),
      );
      return paginated(
        'items',
        items.map((row) => keyView(row, uses)),
        total,
        query,
      );
    },
  );
};
