import type { Kysely } from 'kysely';
import { profileOf } from '../../../projections/booking/providerProfiles.ts';
import type { ReadModels } from '../../../projections/index.ts';
import { Problem } from '../../problem.ts';

/** The provider that the account is. Throws 403 when it is none. */
export const ownProfile = async (db: Kysely<ReadModels>, accountId: string) => {
  const row = await profileOf(db, accountId);
  if (row !== undefined) return row;
  throw new Problem('FORBIDDEN', 'This account gives no appointments', { reason: 'no-provider-profile' });
};
