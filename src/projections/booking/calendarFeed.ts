import type { Kysely } from 'kysely';
import type { ReadModels } from '../index.ts';
import { names, withNames } from './appointments.ts';

/** Appointments of a feed at most. */
const MOST = 2_000;

/** What an account has in its calendar from an instant on, as client and as provider, cancelled appointments left out. */
export const calendarOf = async (db: Kysely<ReadModels>, accountId: string, from: string) => {
  const side = (whose: 'client_id' | 'provider_id') =>
    withNames(db)
      .selectAll('appointment')
      .select(names)
      .where(`appointment.${whose}`, '=', accountId)
      .where('appointment.start_time', '>=', from)
      .where('appointment.status', '!=', 'CANCELLED')
      .orderBy('appointment.start_time')
      .orderBy('appointment.appointment_id')
      .limit(MOST)
      .execute();
  const [asClient, asProvider] = await Promise.all([side('client_id'), side('provider_id')]);
  return { asClient, asProvider };
};
