import { z } from 'zod';
import type { Actor } from '../../domain/decider.ts';
import { events, RevealedVote, Role, Totals } from '../../domain/estimation/session/events.ts';
import { Settings } from '../../domain/estimation/session/settings.ts';
import type { Session } from '../../domain/estimation/session/state.ts';
import { Statistics } from '../../domain/estimation/statistics.ts';
import { uuid } from '../../domain/fields.ts';
import { idOf } from '../../eventstore/event.ts';
import type { Refusal } from './subscription.ts';
import type { Message, TopicKind } from './topics.ts';

const participantId = events.ParticipantLeft.shape.participantId;
const { storyId, round } = events.VotesRevealed.shape;

/** Every message of a session's topic. */
const messages = {
  'session:participant-joined': z.object({
    participantId,
    displayName: z.string().nullable().describe('null: the name of the profile'),
    role: Role,
  }),
  'session:participant-changed': z.object({ participantId, role: Role }),
  'session:participant-left': z.object({ participantId, reason: z.enum(['left', 'removed']) }),
  'session:presence': z.object({
    participantId,
    present: z.boolean().describe('false after 90 s without a sign of life. Not stored: it has no place in the log'),
  }),
  'session:story-changed': z.object({
    storyId: storyId.optional().describe('Left out where the list as a whole has changed'),
    change: z.enum(['added', 'updated', 'removed', 'reordered', 'skipped']),
    title: z.string().optional(),
    order: z.int().optional(),
    storyIds: z.array(storyId).optional().describe('All stories in their new order'),
  }),
  'session:voting-opened': z.object({
    storyId,
    round,
    anonymous: z.boolean(),
    deadline: z.iso.datetime().nullable(),
  }),
  'session:vote-cast': z.object({
    storyId,
    round,
    participantId,
    hasVoted: z.boolean().describe('false once a card was taken back. Never which card'),
  }),
  'session:votes-revealed': z.object({
    storyId,
    round,
    anonymous: z.boolean(),
    votes: z.array(RevealedVote),
    statistics: Statistics,
  }),
  'session:estimate-accepted': z.object({ storyId, value: z.string() }),
  'session:settings-changed': z.object({
    settings: Settings,
    name: z.string().optional(),
    description: z.string().optional(),
  }),
  'session:completed': z.object({ totals: Totals }),
  'session:expired': z.object({ totals: Totals }),
  'session:archived': z.object({}),
} as const;

const message = <Name extends keyof typeof messages>(
  event: Name,
  data: z.output<(typeof messages)[Name]>,
): readonly Message[] => [{ event, data }];

type Playing = { readonly data: { readonly storyId: string; readonly round: number; readonly participantId: string } };
const voted =
  (hasVoted: boolean) =>
  ({ data: { storyId, round, participantId } }: Playing) =>
    message('session:vote-cast', { storyId, round, participantId, hasVoted });

type Arriving = {
  readonly data: { readonly participantId: string; readonly displayName?: string | undefined; readonly role: Role };
};
const arrived = ({ data: { participantId, displayName, role } }: Arriving) =>
  message('session:participant-joined', { participantId, displayName: displayName ?? null, role });

type Opening = {
  readonly data: {
    readonly storyId: string;
    readonly round: number;
    readonly anonymous: boolean;
    readonly deadline?: string | undefined;
  };
};
const opened = ({ data: { storyId, round, anonymous, deadline } }: Opening) =>
  message('session:voting-opened', { storyId, round, anonymous, deadline: deadline ?? null });

const changed = (participantId: string, role: Role) => message('session:participant-changed', { participantId, role });

/** One refusal for all who are not in the session now, so that it does not tell which sessions exist. */
const outside: Refusal = { code: 'FORBIDDEN', message: 'You are not in such a session' };

/** What happens in one estimation session, for those in it now. */
export const sessionTopic: TopicKind<Session> = {
  name: 'session',
  id: uuid,
  summary:
    'What happens in one estimation session. For those in it now; whoever leaves or is removed loses it at once.',
  category: 'estimationSession',
  topicOf: idOf,
  streamOf: (id) => `estimationSession-${id}`,
  messages,
  on: {
    ParticipantJoined: arrived,
    ParticipantRejoined: arrived,
    ParticipantLeft: ({ data: { participantId } }) =>
      message('session:participant-left', { participantId, reason: 'left' }),
    ParticipantRemoved: ({ data: { participantId } }) =>
      message('session:participant-left', { participantId, reason: 'removed' }),
    ParticipantRoleChanged: ({ data: { participantId, role } }) => changed(participantId, role),
    FacilitatorTransferred: ({ data: { from, to, reason } }) => [
      ...(reason === 'left' ? [] : changed(from, 'voter')),
      ...changed(to, 'facilitator'),
    ],
    SessionSettingsUpdated: ({ data: { settings, name, description } }) =>
      message('session:settings-changed', {
        settings,
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description }),
      }),
    StoryAdded: ({ data: { storyId, title, order } }) =>
      message('session:story-changed', { storyId, change: 'added', title, order }),
    StoryUpdated: ({ data: { storyId, changed } }) =>
      message('session:story-changed', {
        storyId,
        change: 'updated',
        ...(changed.title === undefined ? {} : { title: changed.title }),
      }),
    StoryRemoved: ({ data: { storyId } }) => message('session:story-changed', { storyId, change: 'removed' }),
    StoriesReordered: ({ data: { storyIds } }) =>
      message('session:story-changed', { change: 'reordered', storyIds: [...storyIds] }),
    StorySkipped: ({ data: { storyId } }) => message('session:story-changed', { storyId, change: 'skipped' }),
    VotingOpened: opened,
    VotingRestarted: opened,
    VoteCast: voted(true),
    VoteChanged: voted(true),
    VoteRetracted: voted(false),
    VotesRevealed: ({ data: { storyId, round, anonymous, votes, statistics } }) =>
      message('session:votes-revealed', { storyId, round, anonymous, votes, statistics }),
    EstimateAccepted: ({ data: { storyId, value } }) => message('session:estimate-accepted', { storyId, value }),
    SessionCompleted: ({ data: { totals } }) => message('session:completed', { totals }),
    SessionExpired: ({ data: { totals } }) => message('session:expired', { totals }),
    SessionArchived: () => message('session:archived', {}),
  },
  losses: {
    ParticipantLeft: ({ data }) => data.participantId,
    ParticipantRemoved: ({ data }) => data.participantId,
  },
  authorise: async (id, actor: Actor, { stateOf }) =>
    (await stateOf(id))?.participants[actor.id]?.membership === 'in' ? undefined : outside,
};
