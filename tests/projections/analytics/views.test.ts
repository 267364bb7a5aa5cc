import { randomBytes, randomUUID } from 'node:crypto';
import { Client, type Pool } from 'pg';
import t, { type Test } from 'tap';
import { slotIdOf } from '../../../src/domain/booking/ids.ts';
import { appointmentFigures } from '../../../src/projections/analytics/appointmentFigures.ts';
import { storyFigures } from '../../../src/projections/analytics/storyFigures.ts';
import { analyticsViews, createAnalyticsViews } from '../../../src/projections/analytics/views.ts';
import { providerProfiles } from '../../../src/projections/booking/providerProfiles.ts';
import { timeSlots } from '../../../src/projections/booking/timeSlots.ts';
import { projections } from '../../../src/projections/index.ts';
import { tableOf } from '../../../src/projections/table.ts';
import { testDatabase } from '../../support/postgres.ts';

const [provider, client, story, session] = Array.from({ length: 4 }, () => randomUUID()) as [
  string,
  string,
  string,
  string,
];
const slots = ['2027-03-01T08:00:00.000Z', '2027-03-01T08:30:00.000Z', '2027-03-01T23:30:00.000Z'].map((start) => ({
  slot_id: slotIdOf({ providerId: provider, day: start.slice(0, 10), startTime: start }),
  provider_id: provider,
  start_time: start,
  end_time: start,
  blocked: false,
  closed: false,
  appointment_id: start.includes('08:00') ? 'a1' : null,
}));
const appointment = (id: string, start: string, over: object) => ({
  appointment_id: id,
  provider_id: provider,
  client_id: client,
  booked_at: '2027-02-28T08:00:00.000Z',
  first_start_time: '2027-03-01T08:00:00.000Z',
  start_time: start,
  status: 'SCHEDULED',
  outcome: null,
  price_cents: null,
  currency: null,
  ...over,
});

const fill = async (pool: Pool): Promise<void> => {
  for (const projection of projections) await tableOf(projection).create(pool);
  const rows = async (projection: (typeof projections)[number], all: readonly Record<string, unknown>[]) =>
    tableOf(projection).write(pool, { inserted: all, updated: [], deleted: [] });
  await rows(providerProfiles, [
    {
      provider_id: provider,
      display_name: 'A secret name',
      bio: null,
      timezone: 'Europe/Luxembourg',
      meeting_link: null,
      location: null,
      price_cents: null,
      currency: null,
      active: true,
      weekly: [],
      min_notice_minutes: 60,
      max_advance_days: 90,
      buffer_minutes: 0,
      cancel_cutoff_minutes: 0,
      move_cutoff_minutes: 0,
      exceptions: [],
      version: 0,
      created_at: '2027-01-01T00:00:00.000Z',
    },
  ]);
  await rows(timeSlots, slots);
  await rows(appointmentFigures, [
    appointment('a1', '2027-03-01T08:00:00.000Z', {}),
    appointment('a2', '2027-03-01T08:30:00.000Z', { status: 'CANCELLED' }),
    appointment('a3', '2027-03-01T23:30:00.000Z', { status: 'COMPLETED', outcome: 'attended' }),
  ]);
  const round = { votes: 3, consensus: false, at: '2027-03-01T09:00:00.000Z' };
  await rows(storyFigures, [
    {
      story_id: story,
      session_id: session,
      opened_at: '2027-03-01T08:58:00.000Z',
      rounds_opened: 3,
      revealed: [
        { ...round, round: 1, min: 3, max: 8 },
        { ...round, round: 3, min: 5, max: 8, consensus: true },
      ],
      accepted_at: '2027-03-01T09:01:30.000Z',
      estimate: '5',
    },
    {
      story_id: randomUUID(),
      session_id: session,
      opened_at: null,
      rounds_opened: 1,
      revealed: [],
      accepted_at: null,
      estimate: null,
    },
  ]);
};

/** What a statement is refused with; undefined when it is not. */
const refusal = async (
  db: { query: (text: string) => Promise<unknown> },
  text: string,
): Promise<string | undefined> => {
  try {
    await db.query(text);
    return undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
};
const INSUFFICIENT_PRIVILEGE = '42501';

t.test('the views for analysts', async (t) => {
  const { pool, connectionString } = await testDatabase(t, { migrate: true });
  await fill(pool);
  await createAnalyticsViews(pool);

  t.test('count bookings by the day of the provider', async (t) => {
    const { rows } = await pool.query('select * from analytics.bookings_by_day order by day');
    t.match(
      rows.map((row) => ({ ...row, day: row.day.toLocaleDateString('sv-SE') })),
      [
        {
          provider_id: provider,
          day: '2027-03-01',
          booked: 2,
          cancelled: 1,
          attended: 0,
          median_lead_minutes: '1440.0',
        },
        { provider_id: provider, day: '2027-03-02', booked: 1, cancelled: 0, attended: 1 },
      ],
    );
  });
  t.test('tell how much of what is offered is booked', async (t) => {
    const { rows } = await pool.query('select offered, booked, utilisation from analytics.utilisation order by day');
    t.strictSame(rows, [
      { offered: 2, booked: 1, utilisation: '0.5000' },
      { offered: 1, booked: 0, utilisation: '0.0000' },
    ]);
  });
  t.test('tell votes and spread of revealed rounds alone', async (t) => {
    const { rows } = await pool.query('select * from analytics.votes_by_story');
    t.equal(rows.length, 1);
    t.match(rows[0], {
      story_id: story,
      rounds: 2,
      votes: 3,
      lowest: '5',
      highest: '8',
      spread: '3',
      consensus_in_first_round: false,
      estimate: '5',
      minutes: '3.5',
    });
  });
  t.test('are documented to the last column', async (t) => {
    const { rows } = await pool.query(`
      select c.relname as view, a.attname as column, col_description(c.oid, a.attnum) as meaning,
             obj_description(c.oid) as comment
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
      where c.relnamespace = 'analytics'::regnamespace`);
    t.strictSame([...new Set(rows.map(({ view }) => view))].sort(), [...analyticsViews].sort());
    t.ok(rows.length > 15);
    t.strictSame(
      rows.filter(({ meaning, comment }) => meaning === null || comment === null),
      [],
    );
  });
  t.test('hold nothing about persons', async (t) => {
    for (const view of analyticsViews) {
      const { rows } = await pool.query(`select * from analytics.${view}`);
      t.ok(rows.length > 0, view);
      t.notMatch(JSON.stringify(rows), 'A secret name');
    }
  });
  t.test('are made anew without harm, by several at once too', async (t) => {
    await Promise.all([1, 2, 3, 4].map(() => createAnalyticsViews(pool)));
    const { rows } = await pool.query('select count(*)::int as count from analytics.votes_by_story');
    t.strictSame(rows, [{ count: 1 }]);
  });

  const seesOnlyViews = async (t: Test, db: Client) => {
    for (const view of analyticsViews) t.equal(await refusal(db, `select * from analytics.${view}`), undefined, view);
    const { rows } = await pool.query<{ name: string }>(`
      select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'v', 'm', 'p') and n.nspname in ('read', 'convene', 'log', 'pgboss')`);
    t.ok(rows.length > 10, `there are ${rows.length} tables to be kept from analysts`);
    for (const { name } of rows) t.equal(await refusal(db, `select * from ${name}`), INSUFFICIENT_PRIVILEGE, name);
    for (const statement of [
      'create table analytics.mine (a int)',
      'create schema mine',
      'create table public.mine (a int)',
      'drop view analytics.utilisation',
    ])
      t.not(await refusal(db, statement), undefined, statement);
  };

  t.test('are all that the role analyst sees', async (t) => {
    const db = new Client({ connectionString });
    await db.connect();
    t.teardown(() => db.end());
    await db.query('set role analyst');
    await seesOnlyViews(t, db);
  });
  t.test('are all that somebody sees who logs in as an analyst', async (t) => {
    const name = `reader_${randomBytes(6).toString('hex')}`;
    const password = randomBytes(12).toString('hex');
    await pool.query(`create role ${name} login password '${password}' in role analyst`);
    const url = new URL(connectionString);
    url.username = name;
    url.password = password;
    const db = new Client({ connectionString: url.href });
    await db.connect();
    t.teardown(async () => {
      await db.end();
      await pool.query(`drop role ${name}`);
    });
    await seesOnlyViews(t, db);
  });
});
