import { z } from 'zod';
import { sessionIdOf } from '../../commands/estimation.ts';
import {
  CreatedSession,
  ParticipantView,
  SessionStatusName,
  SessionStatusView,
  StoryStatusName,
  StoryView,
  sessionStatus,
} from '../../commands/estimationAnswers.ts';
import { type Actor, can } from '../../domain/decider.ts';
import {
  type events,
  RevealedVote,
  Role,
  resultOf,
  type Session,
  sessionRef,
  storyOf,
  Totals,
  totalsOf,
} from '../../domain/estimation/session/index.ts';
import { Statistics } from '../../domain/estimation/statistics.ts';
import { instant, line, uuid } from '../../domain/fields.ts';
import { ownVoteIn, ownVotes } from '../../projections/estimation/ownVotes.ts';
import { historyOf, sessionHistory } from '../../projections/estimation/sessionHistory.ts';
import { sessionMembers } from '../../projections/estimation/sessionMembers.ts';
import { namesIn, sessionNames } from '../../projections/estimation/sessionNames.ts';
import {
  estimationSessions,
  type SessionRow,
  sessionRowOf,
  sessionsOf,
} from '../../projections/estimation/sessions.ts';
import { estimationStories, type StoryRow, storiesOf, storyRowOf } from '../../projections/estimation/stories.ts';
import { accounts } from '../../projections/identity/accounts.ts';
import { answer, found, listAnswer, offsetOf, ok, page, paginated, sorted } from '../answers.ts';
import type { App, Deps } from '../app.ts';
import type { Presenter } from '../commandRoutes.ts';
import { accountOf, actorOf } from '../request.ts';

const InSession = z.object({ sessionId: sessionRef });
const OfStory = z.object({ sessionId: sessionRef, storyId: uuid });
const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

const ListedSession = z.object({
  id: uuid,
  code: z.string(),
  name: z.string(),
  status: SessionStatusName,
  myRole: Role,
  participantCount: z.int(),
  storyCount: z.int(),
  estimatedCount: z.int(),
  createdAt: z.iso.datetime(),
  lastActivityAt: z.iso.datetime(),
});

const SessionView = CreatedSession.extend({
  participants: z.array(ParticipantView),
  stories: z.array(StoryView.omit({ description: true })),
  currentStoryId: uuid.nullable(),
  version: z.int(),
});

const StoryResult = z.object({
  story: StoryView,
  rounds: z.array(
    z.object({
      round: z.int(),
      anonymous: z.boolean(),
      votes: z.array(RevealedVote.extend({ displayName: z.string().nullable().optional() })),
      statistics: Statistics,
      revealedAt: z.iso.datetime(),
    }),
  ),
  estimate: z.string().nullable(),
});

const HistoryEntry = z.object({
  at: z.iso.datetime(),
  type: z.string(),
  actor: z.object({ id: z.string(), displayName: z.string().nullable() }),
  summary: z.string(),
});

const Summary = z.object({
  id: uuid,
  name: z.string(),
  status: SessionStatusName,
  totals: Totals,
  stories: z.array(
    z.object({
      id: uuid,
      title: z.string(),
      status: StoryStatusName,
      estimate: z.string().nullable(),
      rounds: z.int(),
      spread: z
        .object({ min: z.number().nullable(), max: z.number().nullable(), average: z.number().nullable() })
        .nullable()
        .describe('Of the round revealed last'),
    }),
  ),
  participants: z.array(ParticipantView.pick({ id: true, displayName: true, role: true })),
  startedAt: z.iso.datetime(),
  completedAt: z.iso.datetime().nullable(),
  durationMinutes: z.int(),
});

/** Whether the session exists for the actor: who is or was in it and was not removed, and administrators. */
const visible = ({ participants }: Session, actor: Actor): boolean => {
  const membership = participants[actor.id]?.membership;
  return membership === 'in' || membership === 'left' || can(actor, '*:*');
};

const rowFor = async ({ db, commands }: Deps, ref: string, actor: Actor): Promise<SessionRow> => {
  const sessionId = await sessionIdOf(ref, commands.reads);
  const row = sessionId === undefined ? undefined : await sessionRowOf(db, sessionId);
  return found(row !== undefined && visible(row.state, actor) ? row : undefined, 'session');
};

type Names = ReadonlyMap<string, string>;
const withNames = <View extends { readonly id: string; displayName: string | null }>(
  participants: readonly View[],
  names: Names,
): View[] => participants.map((participant) => ({ ...participant, displayName: names.get(participant.id) ?? null }));

const statusFor = async (
  { db }: Deps,
  { state, session_id: sessionId }: SessionRow,
  accountId: string,
): Promise<SessionStatusView> => {
  const status = sessionStatus(state, accountId);
  const names = await namesIn(
    db,
    sessionId,
    status.participants.map(({ id }) => id),
  );
  const shown = resultOf(state);
  const { storyId, round } = state.round === null ? (shown ?? {}) : { ...state.round, round: state.round.number };
  const myVote =
    storyId === undefined || round === undefined ? null : await ownVoteIn(db, { sessionId, accountId, storyId, round });
  return { ...status, participants: withNames(status.participants, names), myVote };
};

const storyView = (state: Session, row: StoryRow): z.output<typeof StoryView> => {
  const story = storyOf(state, row.story_id);
  return {
    id: row.story_id,
    title: row.title,
    description: row.description,
    externalRef: row.external_ref,
    url: row.url,
    order: row.place,
    status: story?.status ?? 'pending',
    estimate: story?.estimate ?? null,
    rounds: story?.rounds ?? 0,
    version: story?.version ?? 0,
  };
};

const SUMMARIES: Readonly<Record<keyof typeof events, string>> = {
  SessionCreated: 'created the session',
  ParticipantJoined: 'joined',
  ParticipantRejoined: 'came back',
  ParticipantLeft: 'left',
  ParticipantRemoved: 'removed {participant}',
  ParticipantRoleChanged: 'made {participant} {detail}',
  FacilitatorTransferred: 'handed the session over to {participant}',
  SessionSettingsUpdated: 'changed the settings',
  StoryAdded: 'added the story {story}',
  VotingOpened: 'opened round {round} of {story}',
  VoteCast: 'voted in round {round} of {story}',
  VoteChanged: 'changed the vote in round {round} of {story}',
  VoteRetracted: 'took back the vote in round {round} of {story}',
  VotesRevealed: 'revealed round {round} of {story}',
  VotingRestarted: 'started round {round} of {story}',
  EstimateAccepted: 'accepted {detail} for {story}',
  StorySkipped: 'skipped {story}',
  SessionCompleted: 'completed the session',
  SessionArchived: 'archived the session',
};
const isEventType = (type: string): type is keyof typeof events => type in SUMMARIES;

type HistoryRow = Awaited<ReturnType<typeof historyOf>>['rows'][number];
const summaryOf = (row: HistoryRow, names: Names): string => {
  const values: Readonly<Record<string, string>> = {
    participant: names.get(row.participant_id ?? '') ?? 'a participant',
    story: row.title ?? 'a story',
    round: String(row.round ?? ''),
    detail: row.detail ?? '',
  };
  const text = isEventType(row.type) ? SUMMARIES[row.type] : row.type;
  return text.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => values[name] ?? '');
};

const MINUTE = 60_000;
const summaryFor = async ({ db }: Deps, row: SessionRow): Promise<z.output<typeof Summary>> => {
  const { state } = row;
  const { rows } = await storiesOf(db, row.session_id, { limit: 1000, offset: 0 });
  const people = Object.entries(state.participants).filter(([, { membership }]) => membership !== 'removed');
  const names = await namesIn(
    db,
    row.session_id,
    people.map(([id]) => id),
  );
  const end = row.completed_at ?? row.last_activity_at;
  return {
    id: row.session_id,
    name: row.name,
    status: SessionStatusName.parse(row.status),
    totals: totalsOf(state),
    stories: rows.map((story) => {
      const { id, title, status, estimate, rounds } = storyView(state, story);
      const last = story.rounds.at(-1)?.statistics;
      const spread = last === undefined ? null : { min: last.min, max: last.max, average: last.average };
      return { id, title, status, estimate, rounds, spread };
    }),
    participants: people.map(([id, { role }]) => ({ id, displayName: names.get(id) ?? null, role })),
    startedAt: row.created_at,
    completedAt: row.completed_at,
    durationMinutes: Math.round((Date.parse(end) - Date.parse(row.created_at)) / MINUTE),
  };
};

/** Answers of commands of estimation with the names of people in them. */
export const estimationPresenters: Readonly<Record<string, Presenter>> = {
  JoinSession: async ({ db }, { outcome, actor }) => {
    const joined = outcome.data as z.output<typeof SessionStatusView>;
    const names = await namesIn(
      db,
      joined.id,
      joined.participants.map(({ id }) => id),
    );
    const participants = joined.participants.map((participant) => ({
      ...participant,
      displayName: (participant.id === actor.id ? participant.displayName : null) ?? names.get(participant.id) ?? null,
    }));
    return { ...joined, participants };
  },
  ChangeParticipantRole: async ({ db }, { outcome }) => {
    const participant = outcome.data as z.output<typeof ParticipantView>;
    const sessionId = outcome.stream.slice(outcome.stream.indexOf('-') + 1);
    const names = await namesIn(db, sessionId, [participant.id]);
    return { ...participant, displayName: names.get(participant.id) ?? null };
  },
};

/** What can be read of estimation sessions. Nothing here shows a card before its reveal, one's own apart. */
export const estimationRoutes = (app: App, deps: Deps): void => {
  const { db } = deps;
  const named = [accounts, sessionNames];

  app.get(
    '/sessions',
    {
      config: { access: 'loggedIn', reads: [estimationSessions, sessionMembers] },
      schema: {
        summary: 'The sessions that you created or ever joined',
        querystring: z.object({
          ...page(),
          ...sorted(['lastActivityAt', 'createdAt', 'name'], 'desc'),
          status: SessionStatusName.optional(),
          role: Role.optional(),
          q: line(1, 100).optional(),
          archived: flag,
        }),
        response: { 200: listAnswer('sessions', ListedSession) },
      },
    },
    async (request) => {
      const { query } = request;
      const { rows, total } = await sessionsOf(db, accountOf(request), { ...query, offset: offsetOf(query) });
      const sessions = rows.map((row) => ({
        id: row.session_id,
        code: row.code,
        name: row.name,
        status: SessionStatusName.parse(row.status),
        myRole: Role.parse(row.role),
        participantCount: row.participant_count,
        storyCount: row.story_count,
        estimatedCount: row.estimated_count,
        createdAt: row.created_at,
        lastActivityAt: row.last_activity_at,
      }));
      return paginated('sessions', sessions, total, query);
    },
  );

  app.get(
    '/sessions/:sessionId',
    {
      config: { access: 'loggedIn', reads: [estimationSessions, estimationStories, ...named] },
      schema: { summary: 'One session by id or code', params: InSession, response: { 200: answer(SessionView) } },
    },
    async (request) => {
      const row = await rowFor(deps, request.params.sessionId, actorOf(request));
      const { state } = row;
      const { participants } = sessionStatus(state, accountOf(request));
      const names = await namesIn(
        db,
        row.session_id,
        participants.map(({ id }) => id),
      );
      return ok({
        id: row.session_id,
        code: row.code,
        name: row.name,
        description: state.description,
        status: SessionStatusName.parse(row.status),
        settings: state.settings,
        facilitatorId: state.facilitatorId,
        participants: withNames(participants, names),
        stories: state.stories.map(({ description: _description, ...story }, index) => ({
          ...story,
          order: index + 1,
        })),
        currentStoryId: state.currentStoryId,
        version: row.version,
      });
    },
  );

  app.get(
    '/sessions/:sessionId/status',
    {
      config: { access: 'loggedIn', polled: true, reads: [estimationSessions, ownVotes, ...named] },
      schema: { summary: 'Where a session stands', params: InSession, response: { 200: answer(SessionStatusView) } },
    },
    async (request) => {
      const row = await rowFor(deps, request.params.sessionId, actorOf(request));
      return ok(await statusFor(deps, row, accountOf(request)));
    },
  );

  app.get(
    '/sessions/:sessionId/stories',
    {
      config: { access: 'loggedIn', reads: [estimationSessions, estimationStories] },
      schema: {
        summary: 'The stories of a session in order',
        params: InSession,
        querystring: z.object({ ...page({ max: 100 }), status: StoryStatusName.optional() }),
        response: { 200: listAnswer('stories', StoryView) },
      },
    },
    async (request) => {
      const { query } = request;
      const { session_id, state } = await rowFor(deps, request.params.sessionId, actorOf(request));
      const wanted = state.stories.filter(({ status }) => query.status === undefined || status === query.status);
      const paging = { limit: query.limit, offset: offsetOf(query) };
      const { rows, total } = await storiesOf(db, session_id, { ids: wanted.map(({ id }) => id), ...paging });
      return paginated(
        'stories',
        rows.map((story) => storyView(state, story)),
        total,
        query,
      );
    },
  );

  app.get(
    '/sessions/:sessionId/stories/:storyId/result',
    {
      config: { access: 'loggedIn', reads: [estimationSessions, estimationStories, ...named] },
      schema: {
        summary: 'What the rounds of a story revealed',
        params: OfStory,
        response: { 200: answer(StoryResult) },
      },
    },
    async (request) => {
      const { session_id, state } = await rowFor(deps, request.params.sessionId, actorOf(request));
      const row = found(await storyRowOf(db, session_id, request.params.storyId), 'story');
      const voters = row.rounds.flatMap(({ votes }) => votes.flatMap(({ participantId }) => participantId ?? []));
      const names = await namesIn(db, session_id, [...new Set(voters)]);
      const story = storyView(state, row);
      const rounds = row.rounds.map((round) => ({
        ...round,
        votes: round.votes.map((vote) =>
          vote.participantId === undefined ? vote : { ...vote, displayName: names.get(vote.participantId) ?? null },
        ),
      }));
      return ok({ story, rounds, estimate: story.estimate });
    },
  );

  app.get(
    '/sessions/:sessionId/history',
    {
      config: { access: 'loggedIn', reads: [estimationSessions, estimationStories, sessionHistory, ...named] },
      schema: {
        summary: 'What happened in a session, oldest first',
        params: InSession,
        querystring: z.object({
          ...page(),
          from: instant.optional(),
          to: instant.optional(),
          type: z.enum(Object.keys(SUMMARIES)).optional(),
        }),
        response: { 200: listAnswer('items', HistoryEntry) },
      },
    },
    async (request) => {
      const { query } = request;
      const { session_id } = await rowFor(deps, request.params.sessionId, actorOf(request));
      const { rows, total } = await historyOf(db, session_id, { ...query, offset: offsetOf(query) });
      const people = rows.flatMap(({ actor_id, participant_id }) => [actor_id, participant_id ?? actor_id]);
      const accountIds = [...new Set(people)].filter((id) => uuid.safeParse(id).success);
      const names = await namesIn(db, session_id, accountIds);
      const items = rows.map((row) => ({
        at: row.at,
        type: row.type,
        actor: { id: row.actor_id, displayName: names.get(row.actor_id) ?? null },
        summary: summaryOf(row, names),
      }));
      return paginated('items', items, total, query);
    },
  );

  app.get(
    '/sessions/:sessionId/summary',
    {
      config: { access: 'loggedIn', reads: [estimationSessions, estimationStories, ...named] },
      schema: { summary: 'What a session came to', params: InSession, response: { 200: answer(Summary) } },
    },
    async (request) => ok(await summaryFor(deps, await rowFor(deps, request.params.sessionId, actorOf(request)))),
  );
};
