import { z } from 'zod';
import { type Actor, type Context, type Rejection, reject } from '../../decider.ts';
import { line, uuid } from '../../fields.ts';
import { inDeckOrder, statisticsOf } from '../statistics.ts';
import type { RevealedVote, SessionEvent } from './events.ts';
import { closed, ledStory, notTakingPart, sessionRef, sessionUnknown, storyUnknown } from './guards.ts';
import { cardsOf } from './settings.ts';
import { awaited, command, type Round, type Session, storyOf } from './state.ts';

const StoryRef = z.object({ sessionId: sessionRef, storyId: uuid });

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
export const openVoting = command('OpenVoting', StoryRef, ({ storyId }, state, { actor, now }) => {
  const story = ledStory(state, actor, storyId);
  if ('reason' in story) return story;
  if (state.id === null) return sessionUnknown();
  if (state.round !== null) return roundOpen();
  return [{ type: 'VotingOpened', data: opening(state.id, state, storyId, story.rounds + 1, now) }];
});

/** The open round that the actor may play in, or why not. A closed session is closed to everybody alike. */
const playable = (state: Session, actor: Actor, storyId: string): Round | Rejection => {
  const outsider = notTakingPart(state, actor);
  if (outsider !== undefined) return outsider;
  if (storyOf(state, storyId) === undefined) return storyUnknown();
  const ended = closed(state);
  if (ended !== undefined) return ended;
  if (state.participants[actor.id]?.role === 'observer')
    return reject('FORBIDDEN', 'observer', 'Observers do not vote');
  if (state.round?.storyId !== storyId) return reject('CONFLICT', 'round-not-open', 'No round is open for this story');
  return state.round;
};

/** Plays a card face down in the open round. Another card replaces it until the reveal; the same card changes nothing. */
export const castVote = command(
  'CastVote',
  StoryRef.extend({ value: line(1, 8).describe('A card of the deck') }),
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
export const retractVote = command('RetractVote', StoryRef, ({ storyId }, state, { actor }) => {
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

const reveal = (sessionId: string, state: Session, round: Round): SessionEvent => ({
  type: 'VotesRevealed',
  data: {
    sessionId,
    storyId: round.storyId,
    round: round.number,
    anonymous: round.anonymous,
    votes: revealed(state, round),
    statistics: statisticsOf(Object.values(round.votes), cardsOf(state.settings)),
  },
});

/** Turns the cards over and fixes them. */
export const revealVotes = command('RevealVotes', StoryRef, ({ storyId }, state, { actor }) => {
  const story = ledStory(state, actor, storyId);
  if ('reason' in story) return story;
  const { round } = state;
  if (state.id === null) return sessionUnknown();
  if (round?.storyId !== storyId) return reject('CONFLICT', 'round-not-open', 'No round is open for this story');
  if (Object.keys(round.votes).length === 0) return reject('CONFLICT', 'no-votes', 'Nobody has voted yet');
  return [reveal(state.id, state, round)];
});

/**
 * Turns the cards over where the session is set to reveal by itself and everybody awaited has voted. `absent` names
 * those who have not shown a sign of life for a while: nobody waits for them. Nothing otherwise.
 */
export const revealWhenComplete = command(
  'RevealWhenComplete',
  z.object({ sessionId: uuid }),
  (_input, state, { facts }: Context<{ readonly absent: readonly string[] }>) => {
    const { id, round } = state;
    if (id === null || round === null || !state.settings.autoReveal) return [];
    const missing = awaited(state).filter((participantId) => round.votes[participantId] === undefined);
    const complete = Object.keys(round.votes).length > 0 && missing.every((one) => facts.absent.includes(one));
    return complete ? [reveal(id, state, round)] : [];
  },
);

/**
 * Ends a round whose timer has run out: turns its cards over, or skips the story where there are none. Nothing when that
 * round has ended already, even if another one is open.
 */
export const endRound = command(
  'EndRound',
  z.object({ sessionId: uuid, storyId: uuid, round: z.int() }),
  ({ storyId, round: number }, state) => {
    const { id, round } = state;
    if (id === null || round?.storyId !== storyId || round.number !== number) return [];
    if (Object.keys(round.votes).length > 0) return [reveal(id, state, round)];
    return [{ type: 'StorySkipped', data: { sessionId: id, storyId } }];
  },
);

/** Starts the next round of a story that is being voted on or was revealed; open cards of an unrevealed round are gone for good. */
export const restartVoting = command('RestartVoting', StoryRef, ({ storyId }, state, { actor, now }) => {
  const story = ledStory(state, actor, storyId);
  if ('reason' in story) return story;
  if (state.id === null) return sessionUnknown();
  if (story.status !== 'voting' && story.status !== 'revealed')
    return reject('CONFLICT', 'nothing-to-restart', 'The story has no round to restart');
  if (state.round !== null && state.round.storyId !== storyId) return roundOpen();
  return [{ type: 'VotingRestarted', data: opening(state.id, state, storyId, story.rounds + 1, now) }];
});
