import type { RevealedVote, Role, SessionEvent, Settings } from '../../../../src/domain/estimation/session/index.ts';
import { cardsOf } from '../../../../src/domain/estimation/session/index.ts';
import { DEFAULTS } from '../../../../src/domain/estimation/session/settings.ts';
import { statisticsOf } from '../../../../src/domain/estimation/statistics.ts';
import { entropy, id, user } from '../../../support/spec.ts';

type EventOf<T extends SessionEvent['type']> = Extract<SessionEvent, { type: T }>;

export const sessionId = id('session');
export const [alpha, beta] = [id('story alpha'), id('story beta')];

/** The people of the specs; `fay` leads. */
export const [fay, vic, wim, obi, eve] = [
  user(id('fay')),
  user(id('vic')),
  user(id('wim')),
  user(id('obi')),
  user(id('eve')),
];
type Person = typeof fay;

export const created = (settings: Partial<Settings> = {}): EventOf<'SessionCreated'> => ({
  type: 'SessionCreated',
  data: {
    sessionId,
    code: 'ABC234',
    name: 'Sprint 12',
    createdBy: fay.id,
    settings: { ...DEFAULTS, ...settings },
  },
});
export const joined = ({ id: participantId }: Person, role: Role = 'voter'): EventOf<'ParticipantJoined'> => ({
  type: 'ParticipantJoined',
  data: { sessionId, participantId, accountId: participantId, role },
});
export const rejoined = ({ id: participantId }: Person, role: Role = 'voter'): EventOf<'ParticipantRejoined'> => ({
  type: 'ParticipantRejoined',
  data: { sessionId, participantId, role },
});
export const left = ({ id: participantId }: Person): EventOf<'ParticipantLeft'> => ({
  type: 'ParticipantLeft',
  data: { sessionId, participantId },
});
export const removed = ({ id: participantId }: Person): EventOf<'ParticipantRemoved'> => ({
  type: 'ParticipantRemoved',
  data: { sessionId, participantId, by: fay.id },
});
export const handedOver = (
  from: Person,
  to: Person,
  reason: 'left' | 'transfer',
): EventOf<'FacilitatorTransferred'> => ({
  type: 'FacilitatorTransferred',
  data: { sessionId, from: from.id, to: to.id, reason },
});
export const roleChanged = ({ id: participantId }: Person, role: Role): EventOf<'ParticipantRoleChanged'> => ({
  type: 'ParticipantRoleChanged',
  data: { sessionId, participantId, role },
});
export const updated = (settings: Partial<Settings>): EventOf<'SessionSettingsUpdated'> => ({
  type: 'SessionSettingsUpdated',
  data: { sessionId, settings: { ...DEFAULTS, ...settings } },
});
export const added = (storyId: string, order = 1): EventOf<'StoryAdded'> => ({
  type: 'StoryAdded',
  data: { sessionId, storyId, title: 'Log in by e-mail', order },
});
export const opened = (storyId: string, round = 1, more: Partial<EventOf<'VotingOpened'>['data']> = {}) => ({
  type: 'VotingOpened' as const,
  data: { sessionId, storyId, round, anonymous: false, ...more },
});
export const restarted = (storyId: string, round: number) => ({
  type: 'VotingRestarted' as const,
  data: { sessionId, storyId, round, anonymous: false },
});
export const cast = ({ id: participantId }: Person, value: string, round = 1, storyId = alpha) => ({
  type: 'VoteCast' as const,
  data: { sessionId, storyId, round, participantId, value, salt: entropy },
});
export const changed = (person: Person, value: string, round = 1) => ({
  ...cast(person, value, round),
  type: 'VoteChanged' as const,
});
export const retracted = ({ id: participantId }: Person, round = 1): EventOf<'VoteRetracted'> => ({
  type: 'VoteRetracted',
  data: { sessionId, storyId: alpha, round, participantId },
});
export const revealed = (votes: readonly RevealedVote[], round = 1, anonymous = false): EventOf<'VotesRevealed'> => ({
  type: 'VotesRevealed',
  data: {
    sessionId,
    storyId: alpha,
    round,
    anonymous,
    votes: [...votes],
    statistics: statisticsOf(
      votes.map(({ value }) => value),
      cardsOf(DEFAULTS),
    ),
  },
});
export const played = ({ id: participantId }: Person, value: string): RevealedVote => ({ participantId, value });
export const accepted = (storyId: string, value: string): EventOf<'EstimateAccepted'> => ({
  type: 'EstimateAccepted',
  data: { sessionId, storyId, value },
});
export const skipped = (storyId: string): EventOf<'StorySkipped'> => ({
  type: 'StorySkipped',
  data: { sessionId, storyId },
});
export const completed = (totals: Partial<EventOf<'SessionCompleted'>['data']['totals']> = {}) => ({
  type: 'SessionCompleted' as const,
  data: {
    sessionId,
    by: fay.id,
    createdBy: fay.id,
    totals: { stories: 0, estimated: 0, skipped: 0, points: 0, ...totals },
  },
});
export const expired = (totals: Partial<EventOf<'SessionExpired'>['data']['totals']> = {}) => ({
  type: 'SessionExpired' as const,
  data: { sessionId, createdBy: fay.id, totals: { stories: 0, estimated: 0, skipped: 0, points: 0, ...totals } },
});
export const rewritten = (
  storyId: string,
  changed: EventOf<'StoryUpdated'>['data']['changed'],
): EventOf<'StoryUpdated'> => ({ type: 'StoryUpdated', data: { sessionId, storyId, changed } });
export const takenOff = (storyId: string): EventOf<'StoryRemoved'> => ({
  type: 'StoryRemoved',
  data: { sessionId, storyId },
});
export const reordered = (...storyIds: readonly string[]): EventOf<'StoriesReordered'> => ({
  type: 'StoriesReordered',
  data: { sessionId, storyIds: [...storyIds] },
});
export const archived: EventOf<'SessionArchived'> = {
  type: 'SessionArchived',
  data: { sessionId, by: fay.id, code: 'ABC234' },
};

/** A session with its facilitator alone. */
export const lobby = (settings: Partial<Settings> = {}): readonly SessionEvent[] => [
  created(settings),
  joined(fay, 'facilitator'),
];
/** With two voters, an observer, and a story. */
export const peopled = (settings: Partial<Settings> = {}): readonly SessionEvent[] => [
  ...lobby(settings),
  joined(vic),
  joined(wim),
  joined(obi, 'observer'),
  added(alpha),
];
/** With the first round of that story open. */
export const voting = (settings: Partial<Settings> = {}): readonly SessionEvent[] => [
  ...peopled(settings),
  opened(alpha, 1, { anonymous: settings.anonymousVotes ?? false }),
];
