import { commandsOf, decider } from '../../decider.ts';
import { pointsOf, type Statistics } from '../statistics.ts';
import { events, type RevealedVote, type Role, type SessionEvent, type Totals } from './events.ts';
import { DEFAULTS, type Settings } from './settings.ts';

/** Someone who is or was in the session. */
export type Participant = {
  readonly role: Role;
  /** Who left may come back and still read; who was removed may neither. */
  readonly membership: 'in' | 'left' | 'removed';
  /** Place in the order of arrivals; coming back is a new arrival. */
  readonly arrival: number;
};

export type StoryStatus = 'pending' | 'voting' | 'revealed' | 'estimated' | 'skipped';
export type Story = {
  readonly id: string;
  readonly title: string;
  readonly description: string | null;
  readonly externalRef: string | null;
  readonly url: string | null;
  readonly status: StoryStatus;
  readonly estimate: string | null;
  /** Rounds opened so far. */
  readonly rounds: number;
  /** Of the events that name it, counted from 0. */
  readonly version: number;
};

/** The open round. Its cards are face down: no answer shows them to anybody but the one who played. */
export type Round = {
  readonly storyId: string;
  readonly number: number;
  readonly anonymous: boolean;
  readonly deadline: string | null;
  /** Card by participant. */
  readonly votes: Readonly<Record<string, string>>;
};

/** The cards and figures of the round that was revealed last. */
export type Result = {
  readonly storyId: string;
  readonly round: number;
  readonly votes: readonly RevealedVote[];
  readonly statistics: Statistics;
};

/** An estimation session as its rules and answers need it. */
export type Session = {
  /** null: there is no such session. */
  readonly id: string | null;
  readonly code: string;
  readonly name: string;
  readonly description: string | null;
  readonly createdBy: string;
  readonly settings: Settings;
  readonly closed: 'completed' | 'expired' | 'archived' | null;
  readonly facilitatorId: string | null;
  readonly participants: Readonly<Record<string, Participant>>;
  readonly arrivals: number;
  readonly stories: readonly Story[];
  /** The story on the table: being voted on, or revealed last. */
  readonly currentStoryId: string | null;
  readonly round: Round | null;
  /** Of the story on the table, while it lies revealed. */
  readonly result: Result | null;
  /** Events so far: tells whether something has happened since somebody looked. */
  readonly changes: number;
};

/** Those in the session now, longest there first. */
export const present = ({ participants }: Session): readonly (Participant & { readonly id: string })[] =>
  Object.entries(participants)
    .filter(([, { membership }]) => membership === 'in')
    .map(([id, participant]) => ({ id, ...participant }))
    .sort((a, b) => a.arrival - b.arrival);

/**
 * Those whose card is awaited: every voter, and the facilitator when nobody else votes or once he has voted himself.
 */
export const awaited = (state: Session): readonly string[] => {
  const voters = present(state).filter(({ role }) => role === 'voter');
  const facilitator = state.facilitatorId;
  const counts = facilitator !== null && (voters.length === 0 || state.round?.votes[facilitator] !== undefined);
  return [...voters.map(({ id }) => id), ...(counts ? [facilitator] : [])];
};

export const votesCast = ({ round }: Session): number => (round === null ? 0 : Object.keys(round.votes).length);

export const storyOf = ({ stories }: Session, storyId: string): Story | undefined =>
  stories.find(({ id }) => id === storyId);

export type SessionStatus = 'lobby' | 'voting' | 'revealed' | 'completed' | 'expired' | 'archived';
/** What the session is doing: `lobby` while no story is on the table. */
export const statusOf = ({ closed, round, currentStoryId }: Session): SessionStatus =>
  closed ?? (round !== null ? 'voting' : currentStoryId !== null ? 'revealed' : 'lobby');

/** What came of the stories so far. */
export const totalsOf = ({ stories }: Session): Totals => {
  const estimated = stories.filter(({ status }) => status === 'estimated');
  return {
    stories: stories.length,
    estimated: estimated.length,
    skipped: stories.filter(({ status }) => status === 'skipped').length,
    points: pointsOf(estimated.map(({ estimate }) => estimate ?? '')),
  };
};

/** The cards on the table, once they lie face up. */
export const resultOf = ({ round, currentStoryId, result }: Session): Result | null =>
  round === null && result !== null && result.storyId === currentStoryId ? result : null;

const withStory = (state: Session, storyId: string, change: Partial<Story>): Session => ({
  ...state,
  stories: state.stories.map((story) => (story.id === storyId ? { ...story, ...change } : story)),
});

const withVotes = (state: Session, change: (votes: Record<string, string>) => void): Session => {
  if (state.round === null) return state;
  const votes = { ...state.round.votes };
  change(votes);
  return { ...state, round: { ...state.round, votes } };
};

const withoutVote = (state: Session, participantId: string): Session =>
  state.round?.votes[participantId] === undefined
    ? state
    : withVotes(state, (votes) => {
        delete votes[participantId];
      });

const withParticipant = (state: Session, id: string, change: Partial<Participant>): Session => {
  const before = state.participants[id] ?? { role: 'voter', membership: 'in', arrival: 0 };
  return { ...state, participants: { ...state.participants, [id]: { ...before, ...change } } };
};

const arrived = (state: Session, id: string, role: Role): Session => ({
  ...withParticipant(state, id, { role, membership: 'in', arrival: state.arrivals }),
  arrivals: state.arrivals + 1,
  facilitatorId: role === 'facilitator' ? id : state.facilitatorId,
});

/** What somebody who has gone is remembered as. */
const roleLeft = (role: Role | undefined): Role => (role === 'observer' ? 'observer' : 'voter');

const departed = (state: Session, id: string, membership: 'left' | 'removed'): Session => ({
  ...withoutVote(withParticipant(state, id, { membership, role: roleLeft(state.participants[id]?.role) }), id),
  facilitatorId: state.facilitatorId === id ? null : state.facilitatorId,
});

/** The state once the open round, if any, has ended without result: a story keeps the estimate it had. */
export const withoutRound = (state: Session): Session => {
  if (state.round === null) return state;
  const { storyId } = state.round;
  const status = storyOf(state, storyId)?.estimate === null ? 'pending' : 'estimated';
  return { ...withStory(state, storyId, { status }), round: null, currentStoryId: null };
};

/** A skipped story that was being estimated anew keeps its estimate, any other loses it. */
const skipped = (state: Session, storyId: string): Session => {
  const reopened = state.round?.storyId === storyId && storyOf(state, storyId)?.estimate !== null;
  const ended: Session = {
    ...state,
    round: state.round?.storyId === storyId ? null : state.round,
    currentStoryId: state.currentStoryId === storyId ? null : state.currentStoryId,
  };
  return withStory(ended, storyId, reopened ? { status: 'estimated' } : { status: 'skipped', estimate: null });
};

const initial: Session = {
  id: null,
  code: '',
  name: '',
  description: null,
  createdBy: '',
  settings: DEFAULTS,
  closed: null,
  facilitatorId: null,
  participants: {},
  arrivals: 0,
  stories: [],
  currentStoryId: null,
  round: null,
  result: null,
  changes: 0,
};

/** The fields of a change that are there. */
const defined = <Fields extends object>(fields: Fields): { [Key in keyof Fields]?: Exclude<Fields[Key], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;

/** The stories in another order; what the order does not name stays behind. */
const reordered = (state: Session, storyIds: readonly string[]): Session => {
  const places = new Map(storyIds.map((id, index) => [id, index]));
  const placeOf = ({ id }: Story): number => places.get(id) ?? storyIds.length;
  return { ...state, stories: state.stories.toSorted((a, b) => placeOf(a) - placeOf(b)) };
};

const applied = (state: Session, { type, data }: SessionEvent): Session => {
  switch (type) {
    case 'SessionCreated': {
      const { sessionId: id, code, name, description = null, createdBy, settings } = data;
      return { ...state, id, code, name, description, createdBy, settings };
    }
    case 'ParticipantJoined':
    case 'ParticipantRejoined':
      return arrived(state, data.participantId, data.role);
    case 'ParticipantLeft':
      return departed(state, data.participantId, 'left');
    case 'ParticipantRemoved':
      return departed(state, data.participantId, 'removed');
    case 'ParticipantRoleChanged': {
      const changed = withParticipant(state, data.participantId, { role: data.role });
      if (data.role === 'facilitator') return { ...changed, facilitatorId: data.participantId };
      return data.role === 'observer' ? withoutVote(changed, data.participantId) : changed;
    }
    case 'FacilitatorTransferred':
      return {
        ...withParticipant(withParticipant(state, data.from, { role: 'voter' }), data.to, { role: 'facilitator' }),
        facilitatorId: data.to,
      };
    case 'SessionSettingsUpdated': {
      const { settings, name = state.name, description = state.description } = data;
      return { ...state, settings, name, description };
    }
    case 'StoryAdded': {
      const { storyId: id, title, description = null, externalRef = null, url = null } = data;
      const story: Story = {
        id,
        title,
        description,
        externalRef,
        url,
        status: 'pending',
        estimate: null,
        rounds: 0,
        version: 0,
      };
      return { ...state, stories: [...state.stories, story] };
    }
    case 'StoryUpdated':
      return withStory(state, data.storyId, defined(data.changed));
    case 'StoryRemoved':
      return {
        ...state,
        stories: state.stories.filter(({ id }) => id !== data.storyId),
        currentStoryId: state.currentStoryId === data.storyId ? null : state.currentStoryId,
      };
    case 'StoriesReordered':
      return reordered(state, data.storyIds);
    case 'VotingOpened':
    case 'VotingRestarted': {
      const { storyId, round: number, anonymous, deadline = null } = data;
      const round: Round = { storyId, number, anonymous, deadline, votes: {} };
      return { ...withStory(state, storyId, { status: 'voting', rounds: number }), round, currentStoryId: storyId };
    }
    case 'VoteCast':
    case 'VoteChanged':
      return withVotes(state, (votes) => {
        votes[data.participantId] = data.value;
      });
    case 'VoteRetracted':
      return withoutVote(state, data.participantId);
    case 'VotesRevealed': {
      const { storyId, round, votes, statistics } = data;
      const result: Result = { storyId, round, votes, statistics };
      return { ...withStory(state, storyId, { status: 'revealed' }), round: null, result };
    }
    case 'EstimateAccepted':
      return withStory(state, data.storyId, { status: 'estimated', estimate: data.value });
    case 'StorySkipped':
      return skipped(state, data.storyId);
    case 'SessionCompleted':
      return { ...withoutRound(state), closed: 'completed' };
    case 'SessionExpired':
      return { ...withoutRound(state), closed: 'expired' };
    case 'SessionArchived':
      return { ...state, closed: 'archived' };
  }
};

/** Every event that names a story moves its version on, the one that adds it apart. */
const evolve = (state: Session, event: SessionEvent): Session => {
  const after: Session = { ...applied(state, event), changes: state.changes + 1 };
  if (event.type === 'StoryAdded' || !('storyId' in event.data)) return after;
  const { storyId } = event.data;
  return withStory(after, storyId, { version: (storyOf(after, storyId)?.version ?? 0) + 1 });
};

/** An estimation session: its participants, stories, rounds and votes in one stream. */
export const session = decider<Session, SessionEvent>({ category: 'estimationSession', events, initial, evolve });
export const command = commandsOf(session);
