import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { SessionEvent } from '../../domain/estimation/session/index.ts';
import type { Recorded } from '../../eventstore/event.ts';
import type { ReadModels } from '../index.ts';
import { instant, integer, nullable, position, projection, type RowOf, text, uuid } from '../projection.ts';

const columns = {
  event_id: uuid,
  session_id: uuid,
  position,
  at: instant,
  type: text,
  /** Account, or part of the service, that acted. */
  actor_id: text,
  /** Whom it concerns, if somebody else. */
  participant_id: nullable(uuid),
  story_id: nullable(uuid),
  round: nullable(integer),
  /** An estimate that was accepted, or a role. Never a card. */
  detail: nullable(text),
};
export type HistoryEntry = RowOf<typeof columns>;

type Event = Recorded<SessionEvent['type']>;

const detailOf = (event: Event): string | null => {
  switch (event.type) {
    case 'EstimateAccepted':
      return event.data.value;
    case 'ParticipantRoleChanged':
      return event.data.role;
    default:
      return null;
  }
};

const participantOf = ({ type, data }: Event): string | null => {
  if (type === 'FacilitatorTransferred') return data.to;
  return 'participantId' in data ? data.participantId : null;
};

const entry = (_row: HistoryEntry | undefined, event: Event): HistoryEntry => {
  const { data } = event;
  return {
    event_id: event.id,
    session_id: data.sessionId,
    position: String(event.position),
    at: event.recordedAt,
    type: event.type,
    actor_id: event.metadata.actor.id,
    participant_id: participantOf(event),
    story_id: 'storyId' in data ? data.storyId : null,
    round: 'round' in data ? data.round : null,
    detail: detailOf(event),
  };
};

/** What happened in every estimation session, one entry an event: who voted, never what. */
export const sessionHistory = projection({
  name: 'session_history',
  version: 2,
  columns,
  key: { column: 'event_id', of: (event: Event) => event.id },
  indexes: [['session_id', 'position']],
  fold: {
    SessionCreated: entry,
    ParticipantJoined: entry,
    ParticipantRejoined: entry,
    ParticipantLeft: entry,
    ParticipantRemoved: entry,
    ParticipantRoleChanged: entry,
    FacilitatorTransferred: entry,
    SessionSettingsUpdated: entry,
    StoryAdded: entry,
    StoryUpdated: entry,
    StoryRemoved: entry,
    StoriesReordered: entry,
    VotingOpened: entry,
    VoteCast: entry,
    VoteChanged: entry,
    VoteRetracted: entry,
    VotesRevealed: entry,
    VotingRestarted: entry,
    EstimateAccepted: entry,
    StorySkipped: entry,
    SessionCompleted: entry,
    SessionExpired: entry,
    SessionArchived: entry,
  },
});

/** The entries of a session, oldest first; `from` inclusive, `to` exclusive. */
export const historyOf = async (
  db: Kysely<ReadModels>,
  sessionId: string,
  filter: {
    readonly from?: string | undefined;
    readonly to?: string | undefined;
    readonly type?: string | undefined;
    readonly limit: number;
    readonly offset: number;
  },
) => {
  const { from, to, type, limit, offset } = filter;
  const entries = db
    .selectFrom('session_history')
    .where('session_history.session_id', '=', sessionId)
    .$if(from !== undefined, (query) => query.where('at', '>=', from ?? ''))
    .$if(to !== undefined, (query) => query.where('at', '<', to ?? ''))
    .$if(type !== undefined, (query) => query.where('type', '=', type ?? ''));
  const rows = await entries
    .leftJoin('estimation_stories', 'estimation_stories.story_id', 'session_history.story_id')
    .selectAll('session_history')
    .select('estimation_stories.title')
    .orderBy('position')
    .limit(limit)
    .offset(offset)
    .execute();
  const { total } = await entries.select(sql<string>`count(*)`.as('total')).executeTakeFirstOrThrow();
  return { rows, total };
};
