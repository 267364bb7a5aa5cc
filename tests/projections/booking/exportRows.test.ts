import { Kysely, PostgresDialect } from 'kysely';
import t from 'tap';
import { createPool } from '../../../src/postgres/pool.ts';
import { appointments } from '../../../src/projections/booking/appointments.ts';
import { type ExportSpan, exportedAppointments } from '../../../src/projections/booking/exportRows.ts';
import { accounts } from '../../../src/projections/identity/accounts.ts';
import type { ReadModels } from '../../../src/projections/index.ts';
import { tableOf } from '../../../src/projections/table.ts';
import { testDatabase } from '../../support/postgres.ts';

const PROVIDER = '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b';
/** Several pages of which none ends where a start does, and not a multiple of their size. */
const COUNT = 4_505;
const FROM = '2027-01-01T00:00:00.000Z';
const TO = '2028-01-01T00:00:00.000Z';

t.test('the appointments of a file', async (t) => {
  const { connectionString } = await testDatabase(t, { migrate: true });
  const pool = createPool(connectionString, 2, () => {});
  t.after(() => pool.end());
  const db = new Kysely<ReadModels>({ dialect: new PostgresDialect({ pool }) });
  for (const projection of [appointments, accounts]) await tableOf(projection).create(pool);
  // Seven share each start, so that the order among them hangs on the id alone; the last few lie behind the end.
  await pool.query(
    `insert into appointments select 'a' || lpad((n * 7919 % 100000)::text, 6, '0'), $1, gen_random_uuid(), 's' || n,
       start, start + interval '30 minutes', case n % 4 when 0 then 'CANCELLED' else 'SCHEDULED' end, null, null,
       'client', null, null, null, 0, '[]', $2, $2
     from (select n, case when n > $3 - 5 then $4::timestamptz else $2::timestamptz + (n / 7) * interval '30 minutes' end
       as start from generate_series(1, $3) n) numbered`,
    [PROVIDER, FROM, COUNT, TO],
  );
  const wanted = { providerId: PROVIDER, from: FROM, to: TO };
  const pagesOf = async (span: ExportSpan) => {
    const pages: (readonly { readonly appointment_id: string; readonly start_time: string }[])[] = [];
    for await (const page of exportedAppointments(db, span)) pages.push(page);
    return pages;
  };

  t.test('come page by page, each once, in order of their starts', async (t) => {
    const pages = await pagesOf(wanted);
    t.same(
      pages.map(({ length }) => length),
      [1_000, 1_000, 1_000, 1_000, 500],
      'never more in memory than a page',
    );
    const rows = pages.flat();
    t.equal(new Set(rows.map(({ appointment_id }) => appointment_id)).size, COUNT - 5);
    const keys = rows.map(({ start_time, appointment_id }) => `${start_time} ${appointment_id}`);
    t.same(keys, keys.toSorted());
  });

  t.test('are those of one status where only they are wanted', async (t) => {
    const rows = (await pagesOf({ ...wanted, status: 'CANCELLED' })).flat();
    t.equal(rows.length, (COUNT - 5) / 4);
  });

  t.test('are none where there are none', async (t) => {
    t.same(await pagesOf({ ...wanted, from: TO, to: TO }), []);
  });
});
