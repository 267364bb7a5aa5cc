import { z } from 'zod';
import {
  CreatedSession,
  ParticipantView,
  SessionStatusName,
  type SessionStatusView,
  StoryView,
  sessionStatus,
} from '../../../commands/estimation/answers.ts';
import { sessionIdOf } from '../../../commands/estimation/references.ts';
import { type Actor, can } from '../../../domain/decider.ts';
import { RevealedVote, Role, resultOf, type Session, storyOf } from '../../../domain/estimation/session/index.ts';
import { Statistics } from '../../../domain/estimation/statistics.ts';
import { uuid } from '../../../domain/fields.ts';
import { ownVoteIn } from '../../../projections/estimation/ownVotes.ts';
import { presentIn } from '../../../projections/estimation/presence.ts';
import { namesIn } from '../../../projections/estimation/sessionNames.ts';
import { type SessionRow, sessionRowOf } from '../../../projections/estimation/sessions.ts';
import type { StoryRow } from '../../../projections/estimation/stories.ts';
import { found } from '../../answers.ts';
import type { Deps } from '../../app.ts';

/** A session in the list of somebody's sessions. */
export const ListedSession = z.object({
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

/** A session whole, but for the stories' descriptions. */
export const SessionView = CreatedSession.extend({
  participants: z.array(ParticipantView),
  stories: z.array(StoryView.omit({ description: true })),
  currentStoryId: uuid.nullable(),
  version: z.int(),
});

/** A story and what its rounds revealed. */
export const StoryResult = z.object({
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

/** Whether the session exists for the actor: who is or was in it and was not removed, and administrators. */
const visible = ({ participants }: Session, actor: Actor): boolean => {
  const membership = participants[actor.id]?.membership;
  return membership === 'in' || membership === 'left' || can(actor, '*:*');
};

/** The session that an id or code means, as far as the actor may know of it; otherwise 404. */
export const rowFor = async ({ db, commands }: Deps, ref: string, actor: Actor): Promise<SessionRow> => {
  const sessionId = await sessionIdOf(ref, commands.reads);
  const row = sessionId === undefined ? undefined : await sessionRowOf(db, sessionId);
  return found(row !== undefined && visible(row.state, actor) ? row : undefined, 'session');
};

/** What people are called, by account. */
export type Names = ReadonlyMap<string, string>;

/** Participants with their names, and whether they are there: the caller is, by the very request. */
export const participantsFor = async <
  View extends { readonly id: string; displayName: string | null; present: boolean },
>(
  { db, pool }: Pick<Deps, 'db' | 'pool'>,
  sessionId: string,
  participants: readonly View[],
  callerId: string,
): Promise<View[]> => {
  const ids = participants.map(({ id }) => id);
  const [names, there] = await Promise.all([namesIn(db, sessionId, ids), presentIn(pool, sessionId)]);
  return participants.map((participant) => ({
    ...participant,
    displayName: participant.displayName ?? names.get(participant.id) ?? null,
    present: participant.id === callerId || there.has(participant.id),
  }));
};

/** The status as the account may see it, with names and its own card. */
export const statusFor = async (
  deps: Deps,
  { state, session_id: sessionId }: SessionRow,
  accountId: string,
): Promise<SessionStatusView> => {
  const status = sessionStatus(state, accountId);
  const shown = resultOf(state);
  const { storyId, round } = state.round === null ? (shown ?? {}) : { ...state.round, round: state.round.number };
  const [participants, myVote] = await Promise.all([
    participantsFor(deps, sessionId, status.participants, accountId),
    storyId === undefined || round === undefined ? null : ownVoteIn(deps.db, { sessionId, accountId, storyId, round }),
  ]);
  return { ...status, participants, myVote };
};

/** A story with its texts. */
export const storyView = (state: Session, row: StoryRow): z.output<typeof StoryView> => {
  const story = storyOf(state, row.story_id);
  return {
    id: row.story_id,
    title: row.title,
    description: row.description,
    externalRef: row.external_ref,
    url: row.url,
    order: state.stories.findIndex(({ id }) => id === row.story_id) + 1,
    status: story?.status ?? 'pending',
    estimate: story?.estimate ?? null,
    rounds: story?.rounds ?? 0,
    version: story?.version ?? 0,
  };
};
