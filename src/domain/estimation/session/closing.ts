import { z } from 'zod';
import { type Context, reject } from '../../decider.ts';
import { HOUR_MS } from '../../durations.ts';
import { uuid } from '../../fields.ts';
import { closed, notFacilitating, sessionRef, sessionUnknown } from './guards.ts';
import { command, totalsOf, withoutRound } from './state.ts';

/** Ends the session for good; an open round ends without result. */
export const completeSession = command(
  'CompleteSession',
  z.object({ sessionId: sessionRef }),
  (_input, state, { actor }) => {
    const refusal = notFacilitating(state, actor) ?? closed(state);
    if (state.id === null || refusal !== undefined) return refusal ?? sessionUnknown();
    const totals = totalsOf(withoutRound(state));
    const data = { sessionId: state.id, by: actor.id, createdBy: state.createdBy, totals };
    return [{ type: 'SessionCompleted', data }];
  },
);

/** Milliseconds without an event after which an open session expires. */
export const IDLE_MS = 8 * HOUR_MS;

/**
 * Ends a session in which nothing has happened for 8 hours; an open round ends without result. Nothing when something
 * has happened after all: `last` says when the event before `changes` others was stored.
 */
export const expireSession = command(
  'ExpireSession',
  z.object({ sessionId: uuid }),
  (_input, state, { now, facts }: Context<{ readonly changes: number; readonly at: string } | undefined>) => {
    const idle = facts?.changes === state.changes && now.getTime() - Date.parse(facts.at) >= IDLE_MS;
    if (state.id === null || state.closed !== null || !idle) return [];
    const totals = totalsOf(withoutRound(state));
    return [{ type: 'SessionExpired', data: { sessionId: state.id, createdBy: state.createdBy, totals } }];
  },
);

/** Puts a completed or expired session away: its code becomes free and is no longer known. */
export const archiveSession = command(
  'ArchiveSession',
  z.object({ sessionId: sessionRef }),
  (_input, state, { actor }) => {
    const refusal = actor.kind === 'system' ? undefined : notFacilitating(state, actor);
    if (state.id === null || refusal !== undefined) return refusal ?? sessionUnknown();
    if (state.closed === 'archived') return [];
    if (state.closed === null) return reject('CONFLICT', 'session-open', 'Complete the session first');
    return [{ type: 'SessionArchived', data: { sessionId: state.id, by: actor.id, code: state.code } }];
  },
);
