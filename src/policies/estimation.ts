import { revealVotes, skipStory } from '../domain/estimation/session/index.ts';
import { freeSessionCode } from '../domain/estimation/sessionCode.ts';
import { freeSessionPlace } from '../domain/estimation/sessionHost.ts';
import { issue, policy, type Reaction } from './policy.ts';

/** Asks for the reveal after each card; the rule refuses it while cards are missing or auto-reveal is off. */
export const autoReveal = policy('estimation-auto-reveal', {
  VoteCast: ({ data: { sessionId, storyId } }) => [issue(revealVotes, { sessionId, storyId })],
});

type Opening = {
  readonly data: { readonly sessionId: string; readonly storyId: string; readonly deadline?: string | undefined };
};
const atDeadline = ({ data: { sessionId, storyId, deadline } }: Opening): readonly Reaction[] => {
  if (deadline === undefined) return [];
  const at = new Date(deadline);
  return [issue(revealVotes, { sessionId, storyId }, at), issue(skipStory, { sessionId, storyId }, at)];
};

/**
 * When the timer of a round runs out, reveals its cards, or skips the story if there are none: of the two commands the
 * rules accept the one that fits, and neither once another round has begun.
 */
export const roundTimer = policy('estimation-round-timer', {
  VotingOpened: atDeadline,
  VotingRestarted: atDeadline,
});

/** Gives back what a closed session held: its creator's place, and in the end its code. */
export const releaseSession = policy('estimation-release', {
  SessionCompleted: ({ data: { sessionId, createdBy } }) => [
    issue(freeSessionPlace, { accountId: createdBy, sessionId }),
  ],
  SessionArchived: ({ data: { sessionId, code } }) => [issue(freeSessionCode, { code, sessionId })],
});

/** Every policy of estimation. */
export const estimationPolicies = [autoReveal, roundTimer, releaseSession] as const;
