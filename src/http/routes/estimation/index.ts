import { z } from 'zod';
import {
  type ParticipantView,
  SessionStatusName,
  SessionStatusView,
  StoryStatusName,
  StoryView,
  Summary,
  sessionStatus,
} from '../../../commands/estimation/answers.ts';
import { Role, sessionRef } from '../../../domain/estimation/session/index.ts';
import { line, uuid } from '../../../domain/fields.ts';
import { idOf } from '../../../eventstore/event.ts';
import { ownVotes } from '../../../projections/estimation/ownVotes.ts';
import { historyOf, sessionHistory } from '../../../projections/estimation/sessionHistory.ts';
import { sessionMembers } from '../../../projections/estimation/sessionMembers.ts';
import { namesIn, sessionNames } from '../../../projections/estimation/sessionNames.ts';
import { estimationSessions, sessionsOf } from '../../../projections/estimation/sessions.ts';
import { estimationStories, storiesOf, storyRowOf } from '../../../projections/estimation/stories.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { answer, asFile, found, listAnswer, offsetOf, ok, page, paginated, sorted } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import type { Presenter } from '../../commandRoutes.ts';
import { rangeEnd, rangeOf } from '../../dateRange.ts';
import { etagOf } from '../../etag.ts';
import { accountOf, actorOf } from '../../request.ts';
import { HistoryEntry, SUMMARIES, summaryOf } from './history.ts';
import { storyIntake } from './intake.ts';
import { noticeRequests } from './presence.ts';
import { resultsFor } from './results.ts';
import { summaryFor } from './summary.ts';
import { ListedSession, participantsFor, rowFor, SessionView, StoryResult, statusFor, storyView } from './views.ts';

const InSession = z.object({ sessionId: sessionRef });
const OfStory = z.object({ sessionId: sessionRef, storyId: uuid });
const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

const named = [accounts, sessionNames];

/** Answers of commands of estimation with what read models and leases know of the people in them. */
export const estimationPresenters: Readonly<Record<string, Presenter>> = {
  CreateSession: async ({ presence }, { outcome, request }) => {
    const { id } = outcome.data as { readonly id: string };
    await presence.seen({ sessionId: id, accountId: actorOf(request).id });
    return outcome.data;
  },
  JoinSession: async (deps, { outcome, request }) => {
    const { id: accountId } = actorOf(request);
    const joined = outcome.data as z.output<typeof SessionStatusView>;
    await deps.presence.seen({ sessionId: joined.id, accountId });
    const participants = await participantsFor(deps, joined.id, joined.participants, accountId);
    return { ...joined, participants };
  },
  ChangeParticipantRole: async (deps, { outcome, request }) => {
    const participant = outcome.data as z.output<typeof ParticipantView>;
    const [shown] = await participantsFor(deps, idOf(outcome.stream), [participant], actorOf(request).id);
    return shown;
  },
  CompleteSession: async (deps, { outcome, request }) => {
    await deps.caughtUp([estimationSessions, estimationStories, ...named], outcome.position);
    return summaryFor(deps, await rowFor(deps, idOf(outcome.stream), actorOf(request)));
  },
};

/** What can be read of estimation sessions. Nothing here shows a card before its reveal, one's own apart. */
export const estimationRoutes = async (app: App, deps: Deps): Promise<void> => {
  const { db } = deps;
  noticeRequests(app, deps);
  await storyIntake(app, deps);

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
    async (request, reply) => {
      const row = await rowFor(deps, request.params.sessionId, actorOf(request));
      reply.header('etag', etagOf(row.version));
      const { state } = row;
      const { participants } = sessionStatus(state, accountOf(request));
      return ok({
        id: row.session_id,
        code: row.code,
        name: row.name,
        description: state.description,
        status: SessionStatusName.parse(row.status),
        settings: state.settings,
        facilitatorId: state.facilitatorId,
        participants: await participantsFor(deps, row.session_id, participants, accountOf(request)),
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
      const wanted = state.stories
        .filter(({ status }) => query.status === undefined || status === query.status)
        .map(({ id }) => id);
      const from = offsetOf(query);
      const rows = await storiesOf(db, session_id, wanted.slice(from, from + query.limit));
      const stories = rows.map((story) => storyView(state, story));
      return paginated('stories', stories, String(wanted.length), query);
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
          from: rangeEnd.optional(),
          to: rangeEnd.optional(),
          type: z.enum(Object.keys(SUMMARIES)).optional(),
        }),
        response: { 200: listAnswer('items', HistoryEntry) },
      },
    },
    async (request) => {
      const { query } = request;
      const { session_id } = await rowFor(deps, request.params.sessionId, actorOf(request));
      const { rows, total } = await historyOf(db, session_id, {
        ...query,
        ...rangeOf(query),
        offset: offsetOf(query),
      });
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
      schema: {
        summary: 'What a session came to, as JSON or as a table of its stories',
        params: InSession,
        querystring: z.object({ format: z.enum(['json', 'csv']).default('json') }),
        response: {
          200: {
            description: 'The summary; with `format=csv` a file with one line a story',
            content: { 'application/json': { schema: answer(Summary) }, 'text/csv': { schema: z.string() } },
          },
        },
      },
    },
    async (request, reply) => {
      const row = await rowFor(deps, request.params.sessionId, actorOf(request));
      if (request.query.format === 'json') return ok(await summaryFor(deps, row));
      reply.headers(asFile(`session-${row.code}.csv`, 'text/csv; charset=utf-8; header=present'));
      return reply.send(await resultsFor(deps, row));
    },
  );
};
