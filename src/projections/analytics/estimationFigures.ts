import { type Kysely, sql } from 'kysely';
import type { ReadModels } from '../index.ts';

/** Which revealed rounds are meant: those of a span (instants, half-open) in one session, in the sessions that an account created or led last, or in all. */
export type EstimationSpan = {
  readonly from: string;
  readonly to: string;
  readonly sessionId?: string | undefined;
  readonly leaderId?: string | undefined;
};

export type EstimationFigures = {
  readonly sessions: number;
  readonly participants: number;
  readonly stories: number;
  readonly estimated: number;
  readonly rounds: number;
  readonly votes: number;
  readonly firstRoundConsensus: number;
  readonly spread: number;
  readonly minutes: number;
  readonly points: number;
  readonly otherEstimates: number;
};
export type SessionFigures = Pick<EstimationFigures, 'stories' | 'rounds' | 'votes' | 'points' | 'otherEstimates'> & {
  readonly sessionId: string;
};

/** One row for each story with a revealed round in the span. */
const stories = ({ from, to, sessionId, leaderId }: EstimationSpan) => sql`
  select f.session_id, f.story_id, f.estimate, f.opened_at, f.accepted_at,
         count(*) as rounds,
         sum((r.value ->> 'votes')::int) as votes,
         bool_or((r.value ->> 'round')::int = 1 and (r.value ->> 'consensus')::boolean) as agreed_at_once,
         (array_agg((r.value ->> 'max')::numeric - (r.value ->> 'min')::numeric order by r.ordinality desc))[1] as spread,
         case when f.estimate ~ '^[0-9]{1,8}([.][0-9]+)?$' then f.estimate::numeric end as points,
         max((r.value ->> 'at')::timestamptz) as last_at
  from story_figures f
  join estimation_sessions s on s.session_id = f.session_id
  cross join lateral jsonb_array_elements(f.revealed) with ordinality as r(value, ordinality)
  where (r.value ->> 'at')::timestamptz >= ${from} and (r.value ->> 'at')::timestamptz < ${to}
  ${sessionId === undefined ? sql`` : sql`and f.session_id = ${sessionId}`}
  ${leaderId === undefined ? sql`` : sql`and (s.created_by = ${leaderId} or s.state ->> 'facilitatorId' = ${leaderId})`}
  group by f.session_id, f.story_id`;

/** Figures over all revealed rounds of the span; zeros without any. */
export const estimationFigures = async (db: Kysely<ReadModels>, span: EstimationSpan): Promise<EstimationFigures> => {
  const { rows } = await sql<EstimationFigures>`
    with story as (${stories(span)})
    select count(distinct session_id)::int as sessions,
           (select count(distinct participant_id)::int from session_members
            where session_id in (select session_id from story)) as participants,
           count(*)::int as stories,
           count(estimate)::int as estimated,
           coalesce(sum(rounds), 0)::int as rounds,
           coalesce(sum(votes), 0)::int as votes,
           (count(*) filter (where agreed_at_once))::int as "firstRoundConsensus",
           coalesce(avg(spread), 0)::float8 as spread,
           coalesce(avg(extract(epoch from accepted_at - opened_at) / 60), 0)::float8 as minutes,
           coalesce(sum(points), 0)::float8 as points,
           (count(estimate) - count(points))::int as "otherEstimates"
    from story`.execute(db);
  const [figures] = rows;
  if (figures === undefined) throw new Error('An aggregate without a row');
  return figures;
};

/** The same by session, the latest first. */
export const figuresBySession = async (
  db: Kysely<ReadModels>,
  span: EstimationSpan,
  limit: number,
): Promise<SessionFigures[]> => {
  const { rows } = await sql<SessionFigures>`
    with story as (${stories(span)})
    select session_id as "sessionId", count(*)::int as stories, sum(rounds)::int as rounds, sum(votes)::int as votes,
           coalesce(sum(points), 0)::float8 as points, (count(estimate) - count(points))::int as "otherEstimates"
    from story group by session_id order by max(last_at) desc, session_id limit ${limit}`.execute(db);
  return rows;
};
