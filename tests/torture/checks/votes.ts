import { type LogEvent, textOf, type Violation } from './violation.ts';

const CHECK = 'votes';

type Round = { readonly storyId: string; readonly number: unknown; readonly votes: Map<string, LogEvent> };

/** A revealed round as its events make it: cards by participant. */
export type Revealed = {
  readonly storyId: string;
  readonly round: number;
  readonly cards: ReadonlyMap<string, string>;
};

/** Each voter has one card in a round, cards are played in the open round alone, and a reveal shows exactly these cards. */
export const voteViolations = (
  events: readonly LogEvent[],
): { readonly violations: Violation[]; readonly revealed: readonly Revealed[] } => {
  const violations: Violation[] = [];
  const revealed: Revealed[] = [];
  const say = (what: string, ...evidence: readonly (LogEvent | undefined)[]): void => {
    violations.push({ check: CHECK, what, events: evidence.filter((event) => event !== undefined) });
  };
  const open = new Map<string, Round>();
  const begun = new Map<string, LogEvent>();

  for (const event of events) {
    const session = textOf(event, 'sessionId');
    const storyId = textOf(event, 'storyId');
    const participant = textOf(event, 'participantId');
    const round = open.get(session);
    const played = round?.votes.get(participant);
    const inRound = round !== undefined && round.storyId === storyId && round.number === event.data.round;
    switch (event.type) {
      case 'VotingOpened':
      case 'VotingRestarted': {
        const place = `${storyId} ${event.data.round}`;
        if (begun.has(place)) say('a round began twice', begun.get(place), event);
        begun.set(place, event);
        open.set(session, { storyId, number: event.data.round, votes: new Map() });
        break;
      }
      case 'VoteCast':
        if (!inRound) say('a card was played in a round that was not open', event);
        if (played !== undefined) say('somebody voted twice in one round', played, event);
        round?.votes.set(participant, event);
        break;
      case 'VoteChanged':
        if (!inRound) say('a card was changed in a round that was not open', event);
        if (played === undefined) say('a card was changed that was never played', event);
        round?.votes.set(participant, event);
        break;
      case 'VoteRetracted':
        if (!inRound || played === undefined) say('a card was taken back that was not played', event);
        round?.votes.delete(participant);
        break;
      case 'VotesRevealed': {
        if (!inRound) say('a round was revealed that was not open', event);
        const cards = new Map([...(round?.votes ?? [])].map(([who, vote]) => [who, textOf(vote, 'value')]));
        const shown = Array.isArray(event.data.votes)
          ? (event.data.votes as { participantId: string; value: string }[])
          : [];
        const same =
          shown.length === cards.size && shown.every(({ participantId, value }) => cards.get(participantId) === value);
        if (!same || new Set(shown.map(({ participantId }) => participantId)).size !== shown.length)
          say('a reveal does not show the cards that were played', ...(round?.votes.values() ?? []), event);
        revealed.push({ storyId, round: Number(event.data.round), cards });
        open.delete(session);
        break;
      }
    }
  }
  return { violations, revealed };
};
