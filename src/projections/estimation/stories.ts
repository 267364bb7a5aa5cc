import type { Kysely } from 'kysely';
import { sql } from 'kysely';
import type { RevealedVote } from '../../domain/estimation/session/index.ts';
import type { Statistics } from '../../domain/estimation/statistics.ts';
import type { Recorded } from '../../eventstore/event.ts';
import type { ReadModels } from '../index.ts';
import { instant, integer, json, nullable, projection, type RowOf, text, uuid } from '../projection.ts';

/** A revealed round. */
export type StoryRound = {
  readonly round: number;
  readonly anonymous: boolean;
  readonly votes: readonly RevealedVote[];
  readonly statistics: Statistics;
  readonly revealedAt: string;
};

const columns = {
  story_id: uuid,
  session_id: uuid,
  place: integer,
  title: text,
  description: nullable(text),
  external_ref: nullable(text),
  url: nullable(text),
  added_at: instant,
  /** Revealed rounds, oldest first. Rounds that ended without a reveal are not here. */
  rounds: json<readonly StoryRound[]>(),
};
export type StoryRow = RowOf<typeof columns>;

/** The stories of estimation sessions with their texts and what their rounds revealed. */
export const estimationStories = projection({
  name: 'estimation_stories',
  version: 1,
  columns,
  key: { column: 'story_id', of: ({ data }) => data.storyId },
  indexes: [['session_id', 'place']],
  fold: {
    StoryAdded: (_row, { data, recordedAt }): StoryRow => ({
      story_id: data.storyId,
      session_id: data.sessionId,
      place: data.order,
      title: data.title,
      description: data.description ?? null,
      external_ref: data.externalRef ?? null,
      url: data.url ?? null,
      added_at: recordedAt,
      rounds: [],
    }),
    VotesRevealed: (row, event) => row && { ...row, rounds: [...row.rounds, roundOf(event)] },
  },
});

const roundOf = ({ data, recordedAt }: Recorded<'VotesRevealed'>): StoryRound => ({
  round: data.round,
  anonymous: data.anonymous,
  votes: data.votes,
  statistics: data.statistics,
  revealedAt: recordedAt,
});

type Db = Kysely<ReadModels>;

/** Stories of a session in order, of one status or all, with how many there are. */
export const storiesOf = async (
  db: Db,
  sessionId: string,
  only: { readonly ids?: readonly string[]; readonly limit: number; readonly offset: number },
) => {
  const { ids, limit, offset } = only;
  if (ids?.length === 0) return { rows: [], total: '0' };
  const stories = db
    .selectFrom('estimation_stories')
    .where('session_id', '=', sessionId)
    .$if(ids !== undefined, (query) => query.where('story_id', 'in', [...(ids ?? [])]));
  const rows = await stories.selectAll().orderBy('place').limit(limit).offset(offset).execute();
  const { total } = await stories.select(sql<string>`count(*)`.as('total')).executeTakeFirstOrThrow();
  return { rows, total };
};

/** One story of a session; undefined when it has no such story. */
export const storyRowOf = (db: Db, sessionId: string, storyId: string): Promise<StoryRow | undefined> =>
  db
    .selectFrom('estimation_stories')
    .selectAll()
    .where('session_id', '=', sessionId)
    .where('story_id', '=', storyId)
    .executeTakeFirst();
