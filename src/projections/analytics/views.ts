import type pg from 'pg';

/** A view for analysts: what it answers, what its columns mean, and how it is made from read models. */
type View = {
  readonly name: string;
  readonly comment: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly query: string;
};

const views: readonly View[] = [
  {
    name: 'bookings_by_day',
    comment: 'Appointments by provider and day of their start, cancelled ones included in booked.',
    columns: {
      provider_id: 'Account of the provider',
      day: 'Date of the start in the time zone of the provider',
      booked: 'Appointments booked for the day, later cancelled ones included',
      cancelled: 'Of them cancelled',
      attended: 'Of them completed with the client present',
      no_show: 'Of them completed without the client',
      median_lead_minutes: 'Median minutes from booking to the start that was booked first',
    },
    query: `
      select a.provider_id,
             (a.start_time at time zone coalesce(p.timezone, 'UTC'))::date as day,
             count(*)::int as booked,
             (count(*) filter (where a.status = 'CANCELLED'))::int as cancelled,
             (count(*) filter (where a.outcome = 'attended'))::int as attended,
             (count(*) filter (where a.outcome = 'no_show'))::int as no_show,
             round((percentile_cont(0.5) within group
               (order by extract(epoch from a.first_start_time - a.booked_at) / 60))::numeric, 1) as median_lead_minutes
      from read.appointment_figures a left join read.provider_profiles p using (provider_id)
      group by 1, 2`,
  },
  {
    name: 'utilisation',
    comment: 'How much of what providers offer is booked, by provider and day.',
    columns: {
      provider_id: 'Account of the provider',
      day: 'Date of the slots in the time zone of the provider',
      offered: 'Slots of the day that are neither blocked nor closed by an exception, booked ones included',
      booked: 'Of them taken by an appointment that was not cancelled',
      utilisation: 'booked divided by offered, 0 to 1; 0 without slots',
    },
    query: `
      select s.provider_id,
             (s.start_time at time zone coalesce(p.timezone, 'UTC'))::date as day,
             (count(*) filter (where s.appointment_id is not null or not (s.blocked or s.closed)))::int as offered,
             (count(*) filter (where s.appointment_id is not null))::int as booked,
             coalesce(round((count(*) filter (where s.appointment_id is not null))::numeric
               / nullif(count(*) filter (where s.appointment_id is not null or not (s.blocked or s.closed)), 0), 4), 0) as utilisation
      from read.time_slots s left join read.provider_profiles p using (provider_id)
      group by 1, 2`,
  },
  {
    name: 'votes_by_story',
    comment:
      'Revealed rounds of estimation by story. Rounds that were never revealed are not in it, and no card is tied to a person.',
    columns: {
      session_id: 'Estimation session',
      story_id: 'Story',
      rounds: 'Rounds revealed',
      votes: 'Cards played in the last revealed round',
      lowest: 'Lowest numeric card of the last revealed round; null without any',
      highest: 'Highest numeric card of the last revealed round; null without any',
      spread: 'highest minus lowest',
      consensus_in_first_round: 'Whether all counted cards of the first revealed round were equal',
      estimate: 'The estimate accepted last; null without any',
      minutes: 'Minutes from the first opening to the last acceptance; null without any',
      last_revealed_at: 'When the last round was revealed',
    },
    query: `
      select f.session_id, f.story_id,
             jsonb_array_length(f.revealed) as rounds,
             (f.revealed -> -1 ->> 'votes')::int as votes,
             (f.revealed -> -1 ->> 'min')::numeric as lowest,
             (f.revealed -> -1 ->> 'max')::numeric as highest,
             (f.revealed -> -1 ->> 'max')::numeric - (f.revealed -> -1 ->> 'min')::numeric as spread,
             (f.revealed -> 0 ->> 'consensus')::boolean as consensus_in_first_round,
             f.estimate,
             round((extract(epoch from f.accepted_at - f.opened_at) / 60)::numeric, 1) as minutes,
             (f.revealed -> -1 ->> 'at')::timestamptz as last_revealed_at
      from read.story_figures f
      where jsonb_array_length(f.revealed) > 0`,
  },
];

/** The names of the views, for those who check them. */
export const analyticsViews: readonly string[] = views.map(({ name }) => name);

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const statementsOf = ({ name, comment, columns, query }: View): string =>
  [
    `drop view if exists analytics.${name} cascade`,
    `create view analytics.${name} with (security_barrier) as ${query}`,
    `comment on view analytics.${name} is ${literal(comment)}`,
    ...Object.entries(columns).map(
      ([column, meaning]) => `comment on column analytics.${name}.${column} is ${literal(meaning)}`,
    ),
  ].join(';\n');

/**
 * Roles belong to the whole cluster, and a database user of an operator's choice may not make them: then analysts have
 * no access until somebody does. Two databases of one cluster may make the role at the same time.
 */
const role = `
do $$ begin
  if not exists (select from pg_roles where rolname = 'analyst') then create role analyst nologin; end if;
exception when duplicate_object or unique_violation or insufficient_privilege then null; end $$;
do $$ begin
  if exists (select from pg_roles where rolname = 'analyst') then
    grant usage on schema analytics to analyst;
    grant select on all tables in schema analytics to analyst;
  end if;
end $$`;

/**
 * Makes the views of schema `analytics` and the role `analyst`, which sees them and nothing else. Safe to repeat;
 * called in the transaction that made or replaced the tables of read models. An operator lets people in with
 * `create role anna login password '…' in role analyst`.
 */
export const createAnalyticsViews = async (client: Pick<pg.ClientBase, 'query'>): Promise<void> => {
  await client.query(
    [
      // Two tables may be replaced at the same time.
      "select pg_advisory_xact_lock(hashtextextended('convene/analytics-views', 0))",
      'create schema if not exists analytics',
      "comment on schema analytics is 'Figures for analysts, without personal data'",
      ...views.map(statementsOf),
      role,
    ].join(';\n'),
  );
};
