import type { Kysely } from 'kysely';
import type { RevealedVote } from '../../domain/estimation/session/index.ts';
import type { Statistics } from '../../domain/estimation/statistics.ts';
import type { Recorded } from '../../eventstore/event.ts';
import type { ReadModels } from '../index.ts';
import { boolean, instant, json, nullable, projection, type RowOf, text, uuid } from '../projection.ts';

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
  title: text,
  description: nullable(text),
  external_ref: nullable(text),
  url: nullable(text),
  added_at: instant,
  /** Revealed rounds, oldest first. Rounds that ended without a reveal are not here. */
  rounds: json<readonly StoryRound[]>(),
  /** Taken off the list; the history still calls it by its title. */
  removed: boolean,
};
export type StoryRow = RowOf<typeof columns>;

/** The stories of estimation sessions with their texts and what their rounds revealed. */
export const estimationStories = projection({
  name: 'estimation_stories',
  version: 2,
  columns,
  key: { column: 'story_id', of: ({ data }) => data.storyId },
  indexes: [['session_id']],
  fold: {
    StoryAdded: (_row, { data, recordedAt }): StoryRow => ({
      story_id: data.storyId,
      session_id: data.sessionId,
      title: data.title,
      description: data.description ?? null,
      external_ref: data.externalRef ?? null,
      url: data.url ?? null,
      added_at: recordedAt,
      rounds: [],
      removed: false,
    }),
    StoryUpdated: (row, { data: { changed } }) =>
      row && {
        ...row,
        title: changed.title ?? row.title,
        description: changed.description === undefined ? row.description : changed.description,
        external_ref: changed.externalRef === undefined ? row.external_ref : changed.externalRef,
        url: changed.url === undefined ? row.url : changed.url,
      },
    StoryRemoved: (row) => row && { ...row, removed: true },
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

/** The named stories of a session, in the order in which they are named. */
export const storiesOf = async (db: Db, sessionId: string, storyIds: readonly string[]): Promise<StoryRow[]> => {
  if (storyIds.length === 0) return [];
  const rows = await db
    .selectFrom('estimation_stories')
    .selectAll()
    .where('session_id', '=', sessionId)
    .where('story_id', 'in', [...storyIds])
    .execute();
  const byId = new Map(rows.map((row) => [row.story_id, row]));
  return storyIds.flatMap((id) => byId.get(id) ?? []);
};

/** One story of a session's list; undefined when it has no such story. */
export const storyRowOf = (db: Db, sessionId: string, storyId: string): Promise<StoryRow | undefined> =>
  db
    .selectFrom('estimation_stories')
    .selectAll()
    .where('session_id', '=', sessionId)
    .where('story_id', '=', storyId)
    .where('removed', '=', false)
    .executeTakeFirst();
