import { z } from 'zod';
import { reject } from '../../decider.ts';
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

/** Puts a completed session away: its code becomes free and is no longer known. */
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
