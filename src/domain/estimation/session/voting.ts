import { z } from 'zod';
import { type Actor, type Rejection, reject } from '../../decider.ts';
import { line, uuid } from '../../fields.ts';
import { inDeckOrder, statisticsOf } from '../statistics.ts';
import type { RevealedVote, SessionEvent } from './events.ts';
import { closed, ledStory, notTakingPart, sessionRef, sessionUnknown, storyUnknown } from './guards.ts';
import { cardsOf } from './settings.ts';
import { awaited, command, type Round, type Session, storyOf } from './state.ts';
import { isDue } from './stories.ts';

const StoryInput = z.object({ sessionId: sessionRef, storyId: uuid });

/** The particulars of a round that opens now. */
const opening = (sessionId: string, { settings }: Session, storyId: string, round: number, now: Date) => {
  const seconds = settings.roundTimerSeconds;
  const deadline = seconds === 0 ? {} : { deadline: new Date(now.getTime() + seconds * 1000).toISOString() };
  return { sessionId, storyId, round, anonymous: settings.anonymousVotes, ...deadline };
};

const roundOpen = (): Rejection => reject('CONFLICT', 'round-open', 'Another round is open');

/**
 * Opens the next round of a story. There is always somebody to vote: a facilitator alone counts as the one voter that
 * a round needs.
 */
export const openVoting = command('OpenVoting', StoryInput, ({ storyId }, state, { actor, now }) => {
  const story = ledStory(state, actor, storyId);
  if ('reason' in story) return story;
  if (state.id === null) return sessionUnknown();
  if (state.round !== null) return roundOpen();
  return [{ type: 'VotingOpened', data: opening(state.id, state, storyId, story.rounds + 1, now) }];
});

/** The open round that the actor may play in, or why not: visible, allowed, then open. */
const playable = (state: Session, actor: Actor, storyId: string): Round | Rejection => {
  const outsider = notTakingPart(state, actor);
  if (outsider !== undefined) return outsider;
  if (storyOf(state, storyId) === undefined) return storyUnknown();
  if (state.participants[actor.id]?.role === 'observer')
    return reject('FORBIDDEN', 'observer', 'Observers do not vote');
  const ended = closed(state);
  if (ended !== undefined) return ended;
  if (state.round?.storyId !== storyId) return reject('CONFLICT', 'round-not-open', 'No round is open for this story');
  return state.round;
};

/** Plays a card face down in the open round. Another card replaces it until the reveal; the same card changes nothing. */
export const castVote = command(
  'CastVote',
  StoryInput.extend({ value: line(1, 8).describe('A card of the deck') }),
  ({ storyId, value }, state, { actor, entropy }) => {
    const round = playable(state, actor, storyId);
    if ('reason' in round) return round;
    if (state.id === null) return sessionUnknown();
    if (!cardsOf(state.settings).includes(value))
      return reject('VALIDATION_ERROR', 'not-in-deck', 'Not a card of the deck', 'value');
    const before = round.votes[actor.id];
    if (before === value) return [];
    const place = { sessionId: state.id, storyId, round: round.number, participantId: actor.id };
    return [{ type: before === undefined ? 'VoteCast' : 'VoteChanged', data: { ...place, value, salt: entropy } }];
  },
);

/** Takes the own card back before the reveal. */
export const retractVote = command('RetractVote', StoryInput, ({ storyId }, state, { actor }) => {
  const round = playable(state, actor, storyId);
  if ('reason' in round) return round;
  if (state.id === null) return sessionUnknown();
  if (round.votes[actor.id] === undefined) return reject('CONFLICT', 'no-vote', 'You have not voted in this round');
  const data = { sessionId: state.id, storyId, round: round.number, participantId: actor.id };
  return [{ type: 'VoteRetracted', data }];
});

const arrivalOf = ({ participants }: Session, id: string): number => participants[id]?.arrival ?? 0;

/** The cards face up. In an anonymous round neither names nor order tell who played which. */
const revealed = (state: Session, { votes, anonymous }: Round): RevealedVote[] =>
  anonymous
    ? inDeckOrder(Object.values(votes), cardsOf(state.settings)).map((value) => ({ value }))
    : Object.entries(votes)
        .sort(([a], [b]) => arrivalOf(state, a) - arrivalOf(state, b))
        .map(([participantId, value]) => ({ participantId, value }));

const everybodyVoted = (state: Session, { votes }: Round): boolean =>
  awaited(state).every((participantId) => votes[participantId] !== undefined);

/**
 * Turns the cards over and fixes them. The service itself does so only when everybody awaited has voted and the session
 * is set to that, or when the timer of the round has run out.
 */
export const revealVotes = command('RevealVotes', StoryInput, ({ storyId }, state, { actor, now }) => {
  const story = ledStory(state, actor, storyId);
  if ('reason' in story) return story;
  const { round } = state;
  if (state.id === null) return sessionUnknown();
  if (round?.storyId !== storyId) return reject('CONFLICT', 'round-not-open', 'No round is open for this story');
  if (Object.keys(round.votes).length === 0) return reject('CONFLICT', 'no-votes', 'Nobody has voted yet');
  const complete = state.settings.autoReveal && everybodyVoted(state, round);
  if (actor.kind === 'system' && !complete && !isDue(round.deadline, now))
    return reject('CONFLICT', 'not-due', 'The round is not over yet');
  const event: SessionEvent = {
    type: 'VotesRevealed',
    data: {
      sessionId: state.id,
      storyId,
      round: round.number,
      anonymous: round.anonymous,
      votes: revealed(state, round),
      statistics: statisticsOf(Object.values(round.votes), cardsOf(state.settings)),
    },
  };
  return [event];
});

/** Starts the next round of a story that is being voted on or was revealed; open cards of an unrevealed round are gone for good. */
export const restartVoting = command('RestartVoting', StoryInput, ({ storyId }, state, { actor, now }) => {
  const story = ledStory(state, actor, storyId);
  if ('reason' in story) return story;
  if (state.id === null) return sessionUnknown();
  if (story.status !== 'voting' && story.status !== 'revealed')
    return reject('CONFLICT', 'nothing-to-restart', 'The story has no round to restart');
  if (state.round !== null && state.round.storyId !== storyId) return roundOpen();
  return [{ type: 'VotingRestarted', data: opening(state.id, state, storyId, story.rounds + 1, now) }];
});
