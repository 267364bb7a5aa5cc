import { endRound, revealWhenComplete } from '../domain/estimation/session/index.ts';
import { freeSessionCode } from '../domain/estimation/sessionCode.ts';
import { freeSessionPlace } from '../domain/estimation/sessionHost.ts';
import { issue, policy, type Reaction } from './policy.ts';

type InSession = { readonly data: { readonly sessionId: string } };
const complete = ({ data: { sessionId } }: InSession): readonly Reaction[] => [
  issue(revealWhenComplete, { sessionId }),
];

/**
 * Asks for the reveal whenever a card is played or somebody is no longer waited for; the rule does nothing while cards
 * are missing or the session is not set to reveal by itself.
 */
export const autoReveal = policy('estimation-auto-reveal', {
  VoteCast: complete,
  VoteRetracted: complete,
  ParticipantLeft: complete,
  ParticipantRemoved: complete,
  ParticipantRoleChanged: complete,
  SessionSettingsUpdated: complete,
});

type Opening = {
  readonly data: {
    readonly sessionId: string;
    readonly storyId: string;
    readonly round: number;
    readonly deadline?: string | undefined;
  };
};
const atDeadline = ({ data: { sessionId, storyId, round, deadline } }: Opening): readonly Reaction[] =>
  deadline === undefined ? [] : [issue(endRound, { sessionId, storyId, round }, new Date(deadline))];

/** When the timer of a round runs out, reveals its cards, or skips the story if there are none. */
export const roundTimer = policy('estimation-round-timer', {
  VotingOpened: atDeadline,
  VotingRestarted: atDeadline,
});

type Ending = { readonly data: { readonly sessionId: string; readonly createdBy: string } };
const freePlace = ({ data: { sessionId, createdBy } }: Ending): readonly Reaction[] => [
  issue(freeSessionPlace, { accountId: createdBy, sessionId }),
];

/** Gives back what a closed session held: its creator's place, and in the end its code. */
export const releaseSession = policy('estimation-release', {
  SessionCompleted: freePlace,
  SessionExpired: freePlace,
  SessionArchived: ({ data: { sessionId, code } }) => [issue(freeSessionCode, { code, sessionId })],
});

/** Every policy of estimation. */
export const estimationPolicies = [autoReveal, roundTimer, releaseSession] as const;
