import { z } from 'zod';
import { type EventOf, pii, secret } from '../../decider.ts';
import { Statistics } from '../statistics.ts';
import { Settings } from './settings.ts';

export const Role = z.enum(['facilitator', 'voter', 'observer']);
export type Role = z.output<typeof Role>;

const sessionId = z.uuid();
const participantId = z.uuid().describe('The account taking part');
const storyId = z.uuid();
const round = z.int().describe('Counted per story from 1');
const DisplayName = pii('participantId', z.string()).describe('Left out: the name of the profile');

const Participant = z.object({ sessionId, participantId });
const Opened = z.object({
  sessionId,
  storyId,
  round,
  anonymous: z.boolean().describe('Fixed for the round: nothing will tie its cards to persons'),
  deadline: z.iso.datetime().optional(),
});
/** A card that is still face down. It leaves the service with the reveal alone, in VotesRevealed. */
const Vote = z.object({
  sessionId,
  storyId,
  round,
  participantId,
  value: secret(z.string()).describe('The card, face down'),
  salt: secret(z.string()).describe('Random, so that no hash of the event tells the card'),
});

/** A card that lies open. */
export const RevealedVote = z.object({
  participantId: participantId.optional().describe('Left out in an anonymous round'),
  value: z.string(),
});
export type RevealedVote = z.output<typeof RevealedVote>;

export const Totals = z.object({
  stories: z.int(),
  estimated: z.int(),
  skipped: z.int(),
  points: z.number().describe('Sum of the numeric estimates'),
});
export type Totals = z.output<typeof Totals>;

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  SessionCreated: z.object({
    sessionId,
    code: z.string(),
    name: z.string(),
    description: z.string().optional(),
    createdBy: z.uuid(),
    settings: Settings,
  }),
  ParticipantJoined: Participant.extend({ accountId: z.uuid(), displayName: DisplayName.optional(), role: Role }),
  ParticipantRejoined: Participant.extend({ displayName: DisplayName.optional(), role: Role }),
  ParticipantLeft: Participant,
  ParticipantRemoved: Participant.extend({ by: z.uuid() }),
  ParticipantRoleChanged: Participant.extend({ role: Role }),
  FacilitatorTransferred: z.object({
    sessionId,
    from: z.uuid(),
    to: z.uuid(),
    reason: z.enum(['left', 'transfer']),
  }),
  SessionSettingsUpdated: z.object({
    sessionId,
    settings: Settings,
    name: z.string().optional(),
    description: z.string().optional(),
  }),
  StoryAdded: z.object({
    sessionId,
    storyId,
    title: z.string(),
    description: z.string().optional(),
    externalRef: z.string().optional(),
    url: z.string().optional(),
    order: z.int().describe('Place in the list, from 1'),
  }),
  StoryUpdated: z.object({
    sessionId,
    storyId,
    changed: z
      .object({
        title: z.string(),
        description: z.string().nullable(),
        externalRef: z.string().nullable(),
        url: z.string().nullable(),
      })
      .partial()
      .describe('What is left out stays as it was; null: taken away'),
  }),
  StoryRemoved: z.object({ sessionId, storyId }),
  StoriesReordered: z.object({ sessionId, storyIds: z.array(storyId).describe('All stories in their new order') }),
  VotingOpened: Opened,
  VoteCast: Vote,
  VoteChanged: Vote,
  VoteRetracted: z.object({ sessionId, storyId, round, participantId }),
  VotesRevealed: z.object({
    sessionId,
    storyId,
    round,
    anonymous: z.boolean(),
    votes: z.array(RevealedVote).describe('By time of arrival in the session; in an anonymous round in deck order'),
    statistics: Statistics,
  }),
  VotingRestarted: Opened,
  EstimateAccepted: z.object({ sessionId, storyId, value: z.string() }),
  StorySkipped: z.object({ sessionId, storyId }),
  SessionCompleted: z.object({ sessionId, by: z.uuid(), createdBy: z.uuid(), totals: Totals }),
  SessionExpired: z.object({ sessionId, createdBy: z.uuid(), totals: Totals }),
  SessionArchived: z.object({
    sessionId,
    by: z.string().describe('Account, or part of the service'),
    code: z.string(),
  }),
};
export type SessionEvent = EventOf<typeof events>;
