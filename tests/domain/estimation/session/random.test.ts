import fc from 'fast-check';
import t from 'tap';
import type { z } from 'zod';
import { sessionStatus } from '../../../../src/commands/estimation/answers.ts';
import type { Actor, Command, Context } from '../../../../src/domain/decider.ts';
import {
  acceptEstimate,
  castVote,
  changeParticipantRole,
  joinSession,
  leaveSession,
  openVoting,
  present,
  removeParticipant,
  restartVoting,
  retractVote,
  revealVotes,
  type Session,
  type SessionEvent,
  session,
  skipStory,
  transferFacilitator,
} from '../../../../src/domain/estimation/session/index.ts';
import { commandId, entropy, id, newId, now, user } from '../../../support/spec.ts';
import { alpha, beta, fay, lobby, sessionId } from './past.ts';

const people = [fay, ...['vic', 'wim', 'obi', 'eve'].map((name) => user(id(name)))];
/** Every person plays cards that nobody else plays, so that a card seen tells whose it is. */
const cardsOf = (place: number): readonly string[] => [0, 1, 2].map((card) => `c${place}${card}`);
const customDeck = people.flatMap((_person, place) => cardsOf(place));

type Step = (state: Session) => readonly SessionEvent[];

const step =
  <Name extends string, Input extends z.ZodType>(
    command: Command<Name, Input, Session, SessionEvent>,
    input: z.input<Input>,
    actor?: Actor,
  ): Step =>
  (state) => {
    const leader = people.find(({ id }) => id === state.facilitatorId) ?? fay;
    const context: Context = { now, actor: actor ?? leader, commandId, newId, entropy, facts: undefined };
    const outcome = command.rule(command.input.parse(input), state, context);
    return 'reason' in outcome ? [] : outcome;
  };

const index = fc.integer({ min: 0, max: people.length - 1 });
const steps: fc.Arbitrary<Step> = fc
  .record({
    who: index,
    whom: index,
    storyId: fc.constantFrom(alpha, beta),
    card: fc.integer({ min: 0, max: 2 }),
    role: fc.constantFrom('voter' as const, 'observer' as const),
  })
  .chain(({ who, whom, storyId, card, role }) => {
    const actor = people[who];
    const participantId = people[whom]?.id ?? fay.id;
    const story = { sessionId, storyId };
    const value = cardsOf(who)[card] ?? '';
    return fc.oneof(
      { weight: 12, arbitrary: fc.constant(step(castVote, { ...story, value }, actor)) },
      { weight: 4, arbitrary: fc.constant(step(joinSession, { sessionId, asObserver: role === 'observer' }, actor)) },
      { weight: 4, arbitrary: fc.constant(step(openVoting, story)) },
      { weight: 4, arbitrary: fc.constant(step(revealVotes, story)) },
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          step(restartVoting, story),
          step(acceptEstimate, { ...story, value: '5' }),
          step(skipStory, story),
          step(transferFacilitator, { sessionId, participantId }),
          step(removeParticipant, { sessionId, participantId }),
          step(leaveSession, { sessionId }, actor),
          step(retractVote, story, actor),
          step(changeParticipantRole, { sessionId, participantId, role }, actor),
        ),
      },
    );
  });

/** What the cards of the open round are, told by the events alone. */
const cardsAfter = (cards: ReadonlyMap<string, string>, event: SessionEvent): ReadonlyMap<string, string> => {
  const next = new Map(cards);
  switch (event.type) {
    case 'VoteCast':
    case 'VoteChanged':
      return next.set(event.data.participantId, event.data.value);
    case 'VoteRetracted':
    case 'ParticipantLeft':
    case 'ParticipantRemoved':
      next.delete(event.data.participantId);
      return next;
    case 'ParticipantRoleChanged':
      if (event.data.role === 'observer') next.delete(event.data.participantId);
      return next;
    case 'VotingOpened':
    case 'VotingRestarted':
      return new Map();
    default:
      return next;
  }
};

const history = fc.tuple(fc.boolean(), fc.array(steps, { minLength: 20, maxLength: 80, size: 'max' }));

t.test('in any session', async (t) => {
  let reveals = 0;
  let looks = 0;
  fc.assert(
    fc.property(history, ([anonymousVotes, life]) => {
      const story = (storyId: string, order: number): SessionEvent => ({
        type: 'StoryAdded',
        data: { sessionId, storyId, title: 'A story', order },
      });
      const start = [...lobby({ deck: 'custom', customDeck, anonymousVotes }), story(alpha, 1), story(beta, 2)];
      let state = start.reduce(session.evolve, session.initial);
      let cards: ReadonlyMap<string, string> = new Map();
      for (const decide of life) {
        for (const event of decide(state)) {
          state = session.evolve(state, event);
          if (event.type === 'VotesRevealed') {
            reveals += 1;
            const { votes } = event.data;
            const shown = votes.map(({ participantId, value }) => (participantId ?? '') + value).sort();
            const expected = [...cards].map(([who, value]) => (anonymousVotes ? value : who + value)).sort();
            if (JSON.stringify(shown) !== JSON.stringify(expected)) return false;
          }
          cards = cardsAfter(cards, event);
        }
        const facilitators = present(state).filter(({ role }) => role === 'facilitator');
        if (facilitators.length > 1 || (facilitators[0]?.id ?? null) !== state.facilitatorId) return false;
        if (state.round === null) continue;
        for (const viewer of people) {
          const seen = JSON.stringify(sessionStatus(state, viewer.id));
          looks += 1;
          for (const [who, value] of cards) if (who !== viewer.id && seen.includes(`"${value}"`)) return false;
        }
      }
      return true;
    }),
    { numRuns: 200 },
  );
  t.ok(reveals > 20, `${reveals} reveals show exactly the last card of everybody still voting`);
  t.ok(looks > 1000, `${looks} looks at open rounds show nobody a card but the own one`);
});
