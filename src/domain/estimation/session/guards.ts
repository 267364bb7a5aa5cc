import { z } from 'zod';
import { type Actor, type Rejection, reject } from '../../decider.ts';
import { uuid } from '../../fields.ts';
import type { Session, Story } from './state.ts';
import { storyOf } from './state.ts';

/** What a session code looks like once it is upper-cased. */
export const CODE = /^[A-HJKMNP-Z2-9]{6}$/;

/**
 * The id of a session, or its code: six characters without regard to case. Anything with a hyphen or of an id's length
 * is meant as an id and must be one; a code that cannot exist is merely unknown.
 */
export const sessionRef = z
  .string()
  .trim()
  .min(1, 'Must be a session id or code')
  .max(100, 'Must be a session id or code')
  .refine(
    (text) => !(text.includes('-') || text.length >= 32) || uuid.safeParse(text).success,
    'Must be a session id or code',
  );

export const sessionUnknown = (): Rejection => reject('NOT_FOUND', 'session-unknown', 'No such session');
export const storyUnknown = (): Rejection => reject('NOT_FOUND', 'story-unknown', 'The session has no such story');
export const notFacilitator = (): Rejection =>
  reject('FORBIDDEN', 'not-facilitator', 'Only the facilitator may do this');
export const observersNotAllowed = (): Rejection =>
  reject('FORBIDDEN', 'observers-not-allowed', 'This session takes no observers');

/** Refuses outsiders and removed people, for whom the session does not exist, then those who left. */
export const notTakingPart = ({ participants }: Session, { id }: Actor): Rejection | undefined => {
  const membership = participants[id]?.membership;
  if (membership === undefined || membership === 'removed') return sessionUnknown();
  return membership === 'left' ? reject('FORBIDDEN', 'left-session', 'You have left this session') : undefined;
};

/** Refuses everybody but the facilitator. */
export const notFacilitating = (state: Session, actor: Actor): Rejection | undefined =>
  notTakingPart(state, actor) ?? (state.facilitatorId === actor.id ? undefined : notFacilitator());

/** Refuses once the session has ended. */
export const closed = (state: Session): Rejection | undefined =>
  state.closed === null ? undefined : reject('CONFLICT', 'session-closed', `The session is ${state.closed}`);

/** The story that the facilitator may act on, or why not: visible, allowed, then open. */
export const ledStory = (state: Session, actor: Actor, storyId: string): Story | Rejection => {
  const outsider = notTakingPart(state, actor);
  if (outsider !== undefined) return outsider;
  const story = storyOf(state, storyId);
  if (story === undefined) return storyUnknown();
  return notFacilitating(state, actor) ?? closed(state) ?? story;
};
