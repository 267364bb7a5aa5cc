import { z } from 'zod';
import {
  awaited,
  present,
  RevealedVote,
  Role,
  resultOf,
  type Session,
  Settings,
  type Story,
  statusOf,
  storyOf,
  Totals,
  votesCast,
} from '../../domain/estimation/session/index.ts';
import { Statistics } from '../../domain/estimation/statistics.ts';
import { uuid } from '../../domain/fields.ts';

/** What a session is doing. */
export const SessionStatusName = z.enum(['lobby', 'voting', 'revealed', 'completed', 'expired', 'archived']);
export const StoryStatusName = z.enum(['pending', 'voting', 'revealed', 'estimated', 'skipped']);

/** A session that was just created. */
export const CreatedSession = z.object({
  id: uuid,
  code: z.string().describe('Six characters; others join by it'),
  name: z.string(),
  description: z.string().nullable(),
  status: SessionStatusName,
  settings: Settings,
  facilitatorId: uuid.nullable(),
});

export const createdSession = (state: Session): z.output<typeof CreatedSession> => ({
  id: state.id ?? '',
  code: state.code,
  name: state.name,
  description: state.description,
  status: statusOf(state),
  settings: state.settings,
  facilitatorId: state.facilitatorId,
});

/** Someone in a session. */
export const ParticipantView = z.object({
  id: uuid,
  displayName: z.string().nullable().describe('null when the person has no name (any more)'),
  role: Role,
  present: z.boolean(),
  hasVoted: z.boolean().describe('In the open round'),
});

/** Where a session stands, for one who takes part. Cards appear here with their reveal, one own card apart. */
export const SessionStatusView = z.object({
  id: uuid,
  code: z.string(),
  name: z.string(),
  status: SessionStatusName,
  facilitatorId: uuid.nullable(),
  participants: z.array(ParticipantView),
  currentStory: z
    .object({ id: uuid, title: z.string(), round: z.int(), deadline: z.iso.datetime().nullable() })
    .nullable(),
  votesCast: z.int(),
  votersExpected: z.int(),
  votes: z.array(RevealedVote).nullable().describe('null until the reveal'),
  statistics: Statistics.nullable().describe('null until the reveal'),
  myVote: z.string().nullable(),
});
export type SessionStatusView = z.output<typeof SessionStatusView>;

/** What one who has just joined is told. */
export const JoinedSession = SessionStatusView.extend({ participantId: uuid, role: Role });

const currentStory = (state: Session): SessionStatusView['currentStory'] => {
  const story = state.currentStoryId === null ? undefined : storyOf(state, state.currentStoryId);
  if (story === undefined) return null;
  return { id: story.id, title: story.title, round: story.rounds, deadline: state.round?.deadline ?? null };
};

/** The status as `accountId` may see it, without names: those stand in a read model. */
export const sessionStatus = (state: Session, accountId: string): SessionStatusView => {
  const result = resultOf(state);
  const open = state.round?.votes ?? {};
  return {
    id: state.id ?? '',
    code: state.code,
    name: state.name,
    status: statusOf(state),
    facilitatorId: state.facilitatorId,
    participants: present(state).map(({ id, role }) => ({
      id,
      displayName: null,
      role,
      present: true,
      hasVoted: open[id] !== undefined,
    })),
    currentStory: currentStory(state),
    votesCast: state.round === null ? (result?.votes.length ?? 0) : votesCast(state),
    votersExpected: awaited(state).length,
    votes: result === null ? null : [...result.votes],
    statistics: result?.statistics ?? null,
    myVote: open[accountId] ?? result?.votes.find(({ participantId }) => participantId === accountId)?.value ?? null,
  };
};

/** A story of the list. */
export const StoryView = z.object({
  id: uuid,
  title: z.string(),
  description: z.string().nullable(),
  externalRef: z.string().nullable(),
  url: z.string().nullable(),
  order: z.int().describe('Place in the list, from 1'),
  status: StoryStatusName,
  estimate: z.string().nullable(),
  rounds: z.int().describe('Rounds opened so far'),
  version: z.int(),
});
export type StoryView = z.output<typeof StoryView>;

export const storyView = (state: Session, storyId: string): StoryView => {
  const index = state.stories.findIndex(({ id }) => id === storyId);
  const story = state.stories[index] as Story;
  return { ...story, order: index + 1 };
};

/** Stories in order. */
export const StoryList = z.object({ stories: z.array(StoryView) });

export const storyList = (state: Session): z.output<typeof StoryList> => ({
  stories: state.stories.map((story, index) => ({ ...story, order: index + 1 })),
});

/** A round that has just been opened. */
export const OpenedRound = z.object({
  storyId: uuid,
  round: z.int(),
  anonymous: z.boolean(),
  deadline: z.iso.datetime().nullable(),
  votesCast: z.int(),
  votersExpected: z.int(),
});

export const openedRound = (state: Session, storyId: string): z.output<typeof OpenedRound> => ({
  storyId,
  round: storyOf(state, storyId)?.rounds ?? 0,
  anonymous: state.round?.anonymous ?? false,
  deadline: state.round?.deadline ?? null,
  votesCast: votesCast(state),
  votersExpected: awaited(state).length,
});

/** What one who has played a card is told. */
export const OwnVote = z.object({
  hasVoted: z.boolean(),
  value: z.string().nullable(),
  votesCast: z.int(),
  votersExpected: z.int(),
});

export const ownVote = (state: Session, accountId: string): z.output<typeof OwnVote> => {
  const value = state.round?.votes[accountId] ?? null;
  return { hasVoted: value !== null, value, votesCast: votesCast(state), votersExpected: awaited(state).length };
};

/** A revealed round. */
export const RevealedRound = z.object({
  storyId: uuid,
  round: z.int(),
  votes: z.array(RevealedVote),
  statistics: Statistics,
});

/** What a session came to. */
export const Summary = z.object({
  id: uuid,
  name: z.string(),
  status: SessionStatusName,
  totals: Totals,
  stories: z.array(
    z.object({
      id: uuid,
      title: z.string(),
      status: StoryStatusName,
      estimate: z.string().nullable(),
      rounds: z.int(),
      spread: z
        .object({ min: z.number().nullable(), max: z.number().nullable(), average: z.number().nullable() })
        .nullable()
        .describe('Of the round revealed last'),
    }),
  ),
  participants: z.array(ParticipantView.pick({ id: true, displayName: true, role: true })),
  startedAt: z.iso.datetime(),
  completedAt: z.iso.datetime().nullable().describe('When it was completed or expired'),
  durationMinutes: z.int(),
});
