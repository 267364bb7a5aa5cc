import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import {
  type Session,
  type SessionEvent,
  type SessionStatus,
  session,
  statusOf,
} from '../../domain/estimation/session/index.ts';
import type { Recorded } from '../../eventstore/event.ts';
import type { ReadModels } from '../index.ts';
import { containing } from '../pattern.ts';
import { instant, integer, json, nullable, projection, type RowOf, text, uuid } from '../projection.ts';

const columns = {
  session_id: uuid,
  code: text,
  name: text,
  status: text,
  created_by: uuid,
  state: json<Session>(),
  participant_count: integer,
  story_count: integer,
  estimated_count: integer,
  version: integer,
  created_at: instant,
  last_activity_at: instant,
  /** When it was completed or expired. */
  ended_at: nullable(instant),
};
export type SessionRow = RowOf<typeof columns>;

type Event = Recorded<SessionEvent['type']>;

/** What stands for a card that lies face down. */
const FACE_DOWN = '';

/** The event without what readers of a session must not find here: face-down cards, and long texts kept elsewhere. */
const shown = (event: Event): SessionEvent => {
  switch (event.type) {
    case 'VoteCast':
    case 'VoteChanged':
      return { type: event.type, data: { ...event.data, value: FACE_DOWN, salt: FACE_DOWN } };
    case 'StoryAdded': {
      const { description: _description, ...data } = event.data;
      return { type: event.type, data };
    }
    case 'StoryUpdated': {
      const { description: _description, ...changed } = event.data.changed;
      return { type: event.type, data: { ...event.data, changed } };
    }
    default:
      return event;
  }
};

const row = (state: Session, event: Event, before: SessionRow | undefined): SessionRow => ({
  session_id: event.data.sessionId,
  code: state.code,
  name: state.name,
  status: statusOf(state),
  created_by: state.createdBy,
  state,
  participant_count: Object.values(state.participants).filter(({ membership }) => membership === 'in').length,
  story_count: state.stories.length,
  estimated_count: state.stories.filter(({ status }) => status === 'estimated').length,
  version: event.revision,
  created_at: before?.created_at ?? event.recordedAt,
  last_activity_at: event.recordedAt,
  ended_at:
    event.type === 'SessionCompleted' || event.type === 'SessionExpired'
      ? event.recordedAt
      : (before?.ended_at ?? null),
});

const created = (_row: SessionRow | undefined, event: Recorded<'SessionCreated'>): SessionRow =>
  row(session.evolve(session.initial, shown(event)), event, undefined);

const next = (before: SessionRow | undefined, event: Event): SessionRow | undefined =>
  before && row(session.evolve(before.state, shown(event)), event, before);

/**
 * Where every estimation session stands: the state that its rules judge, with every face-down card blank. Who has voted
 * is here, what was voted only after the reveal. A change of that state's shape needs a new version.
 */
export const estimationSessions = projection({
  name: 'estimation_sessions',
  version: 2,
  columns,
  key: { column: 'session_id', of: (event: Event) => event.data.sessionId },
  indexes: [['status', 'last_activity_at']],
  fold: {
    SessionCreated: created,
    ParticipantJoined: next,
    ParticipantRejoined: next,
    ParticipantLeft: next,
    ParticipantRemoved: next,
    ParticipantRoleChanged: next,
    FacilitatorTransferred: next,
    SessionSettingsUpdated: next,
    StoryAdded: next,
    StoryUpdated: next,
    StoryRemoved: next,
    StoriesReordered: next,
    VotingOpened: next,
    VoteCast: next,
    VoteChanged: next,
    VoteRetracted: next,
    VotesRevealed: next,
    VotingRestarted: next,
    EstimateAccepted: next,
    StorySkipped: next,
    SessionCompleted: next,
    SessionExpired: next,
    SessionArchived: next,
  },
});

type Db = Kysely<ReadModels>;

/** One session; undefined when there is none. */
export const sessionRowOf = (db: Db, sessionId: string): Promise<SessionRow | undefined> =>
  db.selectFrom('estimation_sessions').selectAll().where('session_id', '=', sessionId).executeTakeFirst();

/** What narrows and orders the list of somebody's sessions. */
export type SessionFilter = {
  readonly status?: SessionStatus | undefined;
  readonly role?: string | undefined;
  /** Part of the name or the code. */
  readonly q?: string | undefined;
  /** Archived sessions instead of all others. */
  readonly archived: boolean;
  readonly sort: 'lastActivityAt' | 'createdAt' | 'name';
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  readonly offset: number;
};

const SORT = { lastActivityAt: 'last_activity_at', createdAt: 'created_at', name: 'name' } as const;

/** The sessions that an account is or was in, without those it was removed from. */
export const sessionsOf = async (db: Db, accountId: string, filter: SessionFilter) => {
  const { status, role, q, archived, sort, order, limit, offset } = filter;
  const mine = db
    .selectFrom('session_members')
    .innerJoin('estimation_sessions', 'estimation_sessions.session_id', 'session_members.session_id')
    .where('session_members.participant_id', '=', accountId)
    .where('session_members.membership', '!=', 'removed')
    .where('status', archived ? '=' : '!=', 'archived')
    .$if(status !== undefined, (query) => query.where('status', '=', status ?? ''))
    .$if(role !== undefined, (query) => query.where('session_members.role', '=', role ?? ''))
    .$if(q !== undefined, (query) => {
      const pattern = containing(q ?? '');
      return query.where((where) => where.or([where('name', 'ilike', pattern), where('code', 'ilike', pattern)]));
    });
  const rows = await mine
    .select([
      'estimation_sessions.session_id',
      'code',
      'name',
      'status',
      'session_members.role',
      'participant_count',
      'story_count',
      'estimated_count',
      'created_at',
      'last_activity_at',
    ])
    .orderBy(SORT[sort], order)
    .orderBy('estimation_sessions.session_id', order)
    .limit(limit)
    .offset(offset)
    .execute();
  const { total } = await mine.select(sql<string>`count(*)`.as('total')).executeTakeFirstOrThrow();
  return { rows, total };
};

const OPEN = ['lobby', 'voting', 'revealed'];

/** Ids of open sessions in which nothing has happened since before the instant, longest idle first. */
export const idleSessionIds = async (db: Db, before: Date, limit: number): Promise<readonly string[]> => {
  const rows = await db
    .selectFrom('estimation_sessions')
    .select('session_id')
    .where('status', 'in', OPEN)
    .where('last_activity_at', '<=', before.toISOString())
    .orderBy('last_activity_at')
    .limit(limit)
    .execute();
  return rows.map(({ session_id }) => session_id);
};

/** Ids of sessions that were completed or expired before the instant and are not archived yet. */
export const endedSessionIds = async (db: Db, before: Date, limit: number): Promise<readonly string[]> => {
  const rows = await db
    .selectFrom('estimation_sessions')
    .select('session_id')
    .where('status', 'in', ['completed', 'expired'])
    .where('ended_at', '<=', before.toISOString())
    .orderBy('ended_at')
    .limit(limit)
    .execute();
  return rows.map(({ session_id }) => session_id);
};
