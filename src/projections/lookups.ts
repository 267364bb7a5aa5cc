import type { Kysely } from 'kysely';
import type { ReadModels } from './index.ts';

/** The questions that bindings ask of read models. */
export const createLookups = (db: Kysely<ReadModels>) => ({
  /** Ids of the providers that accept bookings, at most `limit`. */
  activeProviders: async (limit: number): Promise<readonly string[]> => {
    const rows = await db
      .selectFrom('provider_profiles')
      .select('provider_id')
      .where('active', '=', true)
      .orderBy('created_at')
      .limit(limit)
      .execute();
    return rows.map(({ provider_id }) => provider_id);
  },
});
