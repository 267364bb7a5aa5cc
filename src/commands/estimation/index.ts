import * as sessions from '../../domain/estimation/session/index.ts';
import { freeSessionCode } from '../../domain/estimation/sessionCode.ts';
import { freeSessionPlace, sessionHost } from '../../domain/estimation/sessionHost.ts';
import { statisticsOf } from '../../domain/estimation/statistics.ts';
import { bind, internal } from '../binding.ts';
import {
  CreatedSession,
  createdSession,
  JoinedSession,
  OpenedRound,
  OwnVote,
  openedRound,
  ownVote,
  RevealedRound,
  SessionStatusView,
  StoryList,
  StoryView,
  Summary,
  sessionStatus,
  storyList,
  storyView,
} from './answers.ts';
import { create } from './creation.ts';
import { resolve, resolveJoin } from './references.ts';

const EXAMPLE = '0198c0de-0000-7000-8000-000000000001';
const inSession = {
  access: 'join:estimation-sessions',
  resolve,
  stream: ({ sessionId }: { sessionId: string }) => sessionId,
} as const;
const ofStory = {
  ...inSession,
  version: (state: sessions.Session, { storyId }: { storyId: string }) => sessions.storyOf(state, storyId)?.version,
} as const;

/** Reached by one path with the import of many: the route chooses by the body. */
export const addStoryBinding = bind(sessions.addStory, {
  ...inSession,
  status: 201,
  answer: {
    schema: StoryView,
    of: ({ state, events: [added] }) => storyView(state, added?.type === 'StoryAdded' ? added.data.storyId : ''),
  },
  summary: 'Add a story to the end of the list',
  example: { sessionId: EXAMPLE, title: 'Log in by e-mail', externalRef: 'SHOP-12' },
});
export const importStoriesBinding = bind(sessions.importStories, {
  ...inSession,
  status: 201,
  answer: {
    schema: StoryList,
    of: ({ state, events }) => ({
      stories: events.flatMap((event) => (event.type === 'StoryAdded' ? [storyView(state, event.data.storyId)] : [])),
    }),
  },
  summary: 'Add many stories to the end of the list: all of them, or none',
  example: {
    sessionId: EXAMPLE,
    stories: [{ title: 'Log in by e-mail' }, { title: 'Log out', externalRef: 'SHOP-13' }],
  },
});

/** Every command of estimation: what it runs, where it is called, who may, which stream it judges. */
export const estimation = [
  bind(sessions.createSession, {
    path: 'POST /sessions',
    access: 'create:estimation-sessions',
    status: 201,
    stream: (_input, { newId }) => newId('session'),
    facts: async (_input, reads, { actor, id }) => {
      const code = (await reads.load(sessionHost, actor.id)).state.open[id]?.code;
      return code === undefined ? {} : { code };
    },
    process: create,
    answer: { schema: CreatedSession, of: ({ state }) => createdSession(state) },
    summary: 'Create an estimation session; its creator is the facilitator',
    example: { name: 'Sprint 12', settings: { deck: 'fibonacci', autoReveal: true } },
  }),
  bind(sessions.joinSession, {
    path: ['POST /sessions/:sessionId/join', 'POST /sessions/join'],
    access: 'join:estimation-sessions',
    resolve: resolveJoin,
    stream: ({ sessionId }) => sessionId ?? '',
    answer: {
      schema: JoinedSession,
      of: ({ state, actor, input }) => {
        const status = sessionStatus(state, actor.id);
        const mine = status.participants.find(({ id }) => id === actor.id);
        if (mine !== undefined) mine.displayName = input.displayName ?? null;
        return { ...status, participantId: actor.id, role: mine?.role ?? 'voter' };
      },
    },
    summary: 'Join a session by its id or code, for the first time or again',
    example: { code: 'ABC234' },
  }),
  bind(sessions.leaveSession, {
    ...inSession,
    path: 'POST /sessions/:sessionId/leave',
    summary: 'Leave a session; a facilitator hands over',
    example: {},
  }),
  bind(sessions.updateSessionSettings, {
    ...inSession,
    path: 'PATCH /sessions/:sessionId',
    answer: { schema: CreatedSession, of: ({ state }) => createdSession(state) },
    summary: 'Change name, description or settings',
    example: { settings: { autoReveal: true } },
  }),
  bind(sessions.removeParticipant, {
    ...inSession,
    path: 'DELETE /sessions/:sessionId/participants/:participantId',
    summary: 'Remove a participant for good',
    example: {},
  }),
  bind(sessions.changeParticipantRole, {
    ...inSession,
    path: 'PATCH /sessions/:sessionId/participants/:participantId',
    answer: {
      schema: SessionStatusView.shape.participants.element,
      of: ({ state, input: { participantId } }) => ({
        id: participantId,
        displayName: null,
        role: state.participants[participantId]?.role ?? 'voter',
        present: state.participants[participantId]?.membership === 'in',
        hasVoted: state.round?.votes[participantId] !== undefined,
      }),
    },
    summary: 'Make a participant voter, observer or facilitator',
    example: { role: 'observer' },
  }),
  bind(sessions.transferFacilitator, {
    ...inSession,
    summary: 'Hand the session over to another participant',
    example: {
      sessionId: EXAMPLE,
      participantId: '0198c0de-0000-7000-8000-000000000002',
    },
  }),
  addStoryBinding,
  importStoriesBinding,
  bind(sessions.updateStory, {
    ...ofStory,
    path: 'PATCH /sessions/:sessionId/stories/:storyId',
    answer: { schema: StoryView, of: ({ state, input: { storyId } }) => storyView(state, storyId) },
    summary: 'Rewrite a story',
    example: { title: 'Log in by e-mail or telephone', url: null },
  }),
  bind(sessions.removeStory, {
    ...ofStory,
    path: 'DELETE /sessions/:sessionId/stories/:storyId',
    summary: 'Take a story off the list',
    example: {},
  }),
  bind(sessions.reorderStories, {
    ...inSession,
    path: 'PUT /sessions/:sessionId/stories/order',
    answer: { schema: StoryList, of: ({ state }) => storyList(state) },
    summary: 'Put the stories in another order',
    example: { storyIds: ['0198c0de-0000-7000-8000-000000000003', '0198c0de-0000-7000-8000-000000000004'] },
  }),
  bind(sessions.openVoting, {
    ...ofStory,
    path: 'POST /sessions/:sessionId/stories/:storyId/open',
    answer: { schema: OpenedRound, of: ({ state, input: { storyId } }) => openedRound(state, storyId) },
    summary: 'Open the next round of a story',
    example: {},
  }),
  bind(sessions.castVote, {
    ...ofStory,
    path: ['PUT /sessions/:sessionId/stories/:storyId/vote', 'POST /sessions/:sessionId/stories/:storyId/votes'],
    answer: { schema: OwnVote, of: ({ state, actor }) => ownVote(state, actor.id) },
    summary: 'Play a card face down, or replace it before the reveal',
    example: { value: '5' },
  }),
  bind(sessions.retractVote, {
    ...ofStory,
    path: 'DELETE /sessions/:sessionId/stories/:storyId/vote',
    summary: 'Take the own card back before the reveal',
    example: {},
  }),
  bind(sessions.revealVotes, {
    ...ofStory,
    path: 'POST /sessions/:sessionId/stories/:storyId/reveal',
    answer: {
      schema: RevealedRound,
      of: ({ state: { result }, input: { storyId } }) => ({
        storyId,
        round: result?.round ?? 0,
        votes: [...(result?.votes ?? [])],
        statistics: result?.statistics ?? statisticsOf([], []),
      }),
    },
    summary: 'Turn the cards over',
    example: {},
  }),
  bind(sessions.restartVoting, {
    ...ofStory,
    path: 'POST /sessions/:sessionId/stories/:storyId/restart',
    answer: { schema: OpenedRound, of: ({ state, input: { storyId } }) => openedRound(state, storyId) },
    summary: 'Vote again on a story: the next round',
    example: {},
  }),
  bind(sessions.acceptEstimate, {
    ...ofStory,
    path: 'PUT /sessions/:sessionId/stories/:storyId/estimate',
    answer: { schema: StoryView, of: ({ state, input: { storyId } }) => storyView(state, storyId) },
    summary: 'Accept the estimate of a revealed story',
    example: { value: '5' },
  }),
  bind(sessions.skipStory, {
    ...ofStory,
    path: 'POST /sessions/:sessionId/stories/:storyId/skip',
    answer: { schema: StoryView, of: ({ state, input: { storyId } }) => storyView(state, storyId) },
    summary: 'Set a story aside',
    example: {},
  }),
  bind(sessions.completeSession, {
    ...inSession,
    path: 'POST /sessions/:sessionId/complete',
    answer: { schema: Summary },
    summary: 'End a session for good',
    example: {},
  }),
  bind(sessions.archiveSession, {
    ...inSession,
    path: 'POST /sessions/:sessionId/archive',
    summary: 'Put a completed or expired session away; its code becomes free',
    example: {},
  }),
  internal(sessions.withdrawParticipant, ({ sessionId }) => sessionId),
  internal(sessions.endRound, ({ sessionId }) => sessionId),
  internal(sessions.revealWhenComplete, ({ sessionId }) => sessionId, {
    facts: async ({ sessionId }, { lookups }) => ({ absent: await lookups.absentFrom(sessionId) }),
  }),
  internal(sessions.expireSession, ({ sessionId }) => sessionId, {
    facts: ({ sessionId }, { lookups }) => lookups.lastActivityOf(sessionId),
  }),
  internal(freeSessionCode, ({ code }) => code),
  internal(freeSessionPlace, ({ accountId }) => accountId),
] as const;
