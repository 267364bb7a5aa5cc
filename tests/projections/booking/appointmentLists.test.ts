import { Kysely, PostgresDialect } from 'kysely';
import t from 'tap';
import { createPool } from '../../../src/postgres/pool.ts';
import { appointments, listAppointments } from '../../../src/projections/booking/appointments.ts';
import { calendarSyncs } from '../../../src/projections/booking/calendarSyncs.ts';
import { providerProfiles } from '../../../src/projections/booking/providerProfiles.ts';
import { accounts } from '../../../src/projections/identity/accounts.ts';
import type { ReadModels } from '../../../src/projections/index.ts';
import { tableOf } from '../../../src/projections/table.ts';
import { testDatabase } from '../../support/postgres.ts';

const CLIENT = '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b';
/** More than are read from the front alone, and not a multiple of the page's size. */
const COUNT = 2_505;
const LIMIT = 250;
const NOW = new Date('2027-01-01T00:00:00.000Z');

t.test('lists of appointments', async (t) => {
  const { connectionString } = await testDatabase(t, { migrate: true });
  const pool = createPool(connectionString, 4, () => {});
  t.after(() => pool.end());
  const db = new Kysely<ReadModels>({ dialect: new PostgresDialect({ pool }) });
  for (const projection of [appointments, calendarSyncs, providerProfiles, accounts])
    await tableOf(projection).create(pool);
  // Three share each start, so that the order among them hangs on the id alone.
  await pool.query(
    `insert into appointments select 'a' || lpad((n * 7919 % 100000)::text, 6, '0'), gen_random_uuid(), $1, 's' || n,
       $2::timestamptz + (n / 3 - 400) * interval '30 minutes', $2::timestamptz + (n / 3 - 399) * interval '30 minutes',
       case n % 4 when 0 then 'CANCELLED' else 'SCHEDULED' end, null, null, 'client', null, null, null, 0, '[]',
       $2::timestamptz - (n % 500) * interval '1 hour', $2 from generate_series(1, $3) n`,
    [CLIENT, NOW.toISOString(), COUNT],
  );

  const wanted = { of: { clientId: CLIENT }, now: NOW } as const;
  for (const sort of ['startTime', 'createdAt', 'status'] as const)
    for (const order of ['asc', 'desc'] as const)
      for (const [what, narrowed] of [
        ['all', {}],
        ['one status', { status: 'SCHEDULED' }],
        ['those to come', { when: 'upcoming' }],
      ] as const)
        t.test(`leafed through from first to last page: ${what} by ${sort}, ${order}`, async (t) => {
          const filter = { ...wanted, ...narrowed, sort, order };
          const whole = await listAppointments(db, { ...filter, limit: COUNT, offset: 0 });
          const ids = whole.items.map(({ appointment_id }) => appointment_id);
          t.ok(ids.length > 1_200, 'the list is long enough to be read from its end');
          t.equal(Number(whole.total), ids.length);
          const leafed: string[] = [];
          for (let offset = 0; offset < ids.length; offset += LIMIT) {
            const { items, total } = await listAppointments(db, { ...filter, limit: LIMIT, offset });
            t.equal(total, whole.total);
            leafed.push(...items.map(({ appointment_id }) => appointment_id));
          }
          t.same(leafed, ids);
          const { items } = await listAppointments(db, { ...filter, limit: LIMIT, offset: ids.length + 1 });
          t.same(items, [], 'nothing behind the end');
        });
});
