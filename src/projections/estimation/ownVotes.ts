import type { Kysely } from 'kysely';
import type { ReadModels } from '../index.ts';
import { integer, projection, type RowOf, text, uuid } from '../projection.ts';

const columns = {
  /** `<session>~<participant>`. */
  vote_id: text,
  story_id: uuid,
  round: integer,
  value: text,
};
export type OwnVoteRow = RowOf<typeof columns>;

const voteId = (sessionId: string, participantId: string): string => `${sessionId}~${participantId}`;

type Vote = {
  readonly data: {
    readonly sessionId: string;
    readonly storyId: string;
    readonly round: number;
    readonly participantId: string;
    readonly value: string;
  };
};
const played = (
  _row: OwnVoteRow | undefined,
  { data: { sessionId, storyId, round, participantId, value } }: Vote,
): OwnVoteRow => ({ vote_id: voteId(sessionId, participantId), story_id: storyId, round, value });

const none = () => undefined;

/** The card that each person played last, to be read by that person alone, and only while its round is on the table. */
export const ownVotes = projection({
  name: 'own_votes',
  version: 1,
  columns,
  key: { column: 'vote_id', of: ({ data }) => voteId(data.sessionId, data.participantId) },
  fold: {
    VoteCast: played,
    VoteChanged: played,
    VoteRetracted: none,
    ParticipantLeft: none,
    ParticipantRemoved: none,
    ParticipantRoleChanged: (row, { data }) => (data.role === 'observer' ? undefined : row),
  },
});

/** The own card in the round named; null when none is played. */
export const ownVoteIn = async (
  db: Kysely<ReadModels>,
  of: {
    readonly sessionId: string;
    readonly accountId: string;
    readonly storyId: string;
    readonly round: number;
  },
): Promise<string | null> => {
  const row = await db
    .selectFrom('own_votes')
    .select('value')
    .where('vote_id', '=', voteId(of.sessionId, of.accountId))
    .where('story_id', '=', of.storyId)
    .where('round', '=', of.round)
    .executeTakeFirst();
  return row?.value ?? null;
};
