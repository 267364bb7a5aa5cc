import type { Recorded } from '../../eventstore/event.ts';
import { instant, integer, json, nullable, projection, type RowOf, text, uuid } from '../projection.ts';

/** A revealed round in figures: no card, no person. `min` and `max` are null without numeric cards. */
export type RoundFigures = {
  readonly round: number;
  readonly votes: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly consensus: boolean;
  readonly at: string;
};

const columns = {
  story_id: uuid,
  session_id: uuid,
  opened_at: nullable(instant),
  rounds_opened: integer,
  /** Revealed rounds, oldest first. */
  revealed: json<readonly RoundFigures[]>(),
  accepted_at: nullable(instant),
  estimate: nullable(text),
};
export type StoryFigures = RowOf<typeof columns>;

const opened = (row: StoryFigures | undefined, { recordedAt }: { readonly recordedAt: string }) =>
  row && { ...row, opened_at: row.opened_at ?? recordedAt, rounds_opened: row.rounds_opened + 1 };

const figuresOf = ({ data, recordedAt }: Recorded<'VotesRevealed'>): RoundFigures => {
  const { round, votes, statistics } = data;
  const { min, max, consensus } = statistics;
  return { round, votes: votes.length, min, max, consensus, at: recordedAt };
};

/** What figures need of every story. Rounds that were never revealed leave nothing here but their number. */
export const storyFigures = projection({
  name: 'story_figures',
  version: 2,
  columns,
  key: { column: 'story_id', of: ({ data }) => data.storyId },
  indexes: [['session_id']],
  fold: {
    StoryAdded: (_row, { data }): StoryFigures => ({
      story_id: data.storyId,
      session_id: data.sessionId,
      opened_at: null,
      rounds_opened: 0,
      revealed: [],
      accepted_at: null,
      estimate: null,
    }),
    StoryRemoved: () => undefined,
    VotingOpened: opened,
    VotingRestarted: opened,
    VotesRevealed: (row, event) => row && { ...row, revealed: [...row.revealed, figuresOf(event)] },
    EstimateAccepted: (row, { data, recordedAt }) => row && { ...row, estimate: data.value, accepted_at: recordedAt },
  },
});
