import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';

const MAX_OPEN_SESSIONS = 20;

const Place = z.object({ accountId: z.uuid(), sessionId: z.uuid() });

/** Stored facts of the places that one account has for open sessions. */
export const events = {
  SessionPlaceTaken: Place.extend({ code: z.string().describe('The code reserved for it'), takenAt: z.iso.datetime() }),
  SessionPlaceFreed: Place,
};
export type SessionHostEvent = EventOf<typeof events>;
type Held = { readonly code: string; readonly takenAt: string };
/** The sessions that count as open, by id. */
export type SessionHost = { readonly open: Readonly<Record<string, Held>> };

/** How many sessions an account has created that are still open (stream `sessionHost-<accountId>`). */
export const sessionHost = decider<SessionHost, SessionHostEvent>({
  category: 'sessionHost',
  events,
  initial: { open: {} },
  evolve: ({ open }, { type, data }) => {
    switch (type) {
      case 'SessionPlaceTaken':
        return { open: { ...open, [data.sessionId]: { code: data.code, takenAt: data.takenAt } } };
      case 'SessionPlaceFreed': {
        const { [data.sessionId]: _freed, ...others } = open;
        return { open: others };
      }
    }
  },
});
const command = commandsOf(sessionHost);

/** Whether no further session may be opened. */
export const isFull = ({ open }: SessionHost): boolean => Object.keys(open).length >= MAX_OPEN_SESSIONS;

/**
 * Takes a place for a session that is about to be created, with the code reserved for it. `gone` names sessions that
 * are known to be closed or to have never come about; their places are freed first.
 */
export const takeSessionPlace = command(
  'TakeSessionPlace',
  Place.extend({ code: z.string(), gone: z.array(z.uuid()) }),
  ({ accountId, sessionId, code, gone }, { open }, { now }) => {
    if (open[sessionId] !== undefined) return [];
    const over = gone.filter((id) => open[id] !== undefined);
    if (Object.keys(open).length - over.length >= MAX_OPEN_SESSIONS)
      return reject('CONFLICT', 'too-many-sessions', `You may have ${MAX_OPEN_SESSIONS} open sessions`);
    return [
      ...over.map((id) => ({ type: 'SessionPlaceFreed' as const, data: { accountId, sessionId: id } })),
      { type: 'SessionPlaceTaken', data: { accountId, sessionId, code, takenAt: now.toISOString() } },
    ];
  },
);

/** Frees the place of a session that was closed or did not come about. */
export const freeSessionPlace = command('FreeSessionPlace', Place, ({ accountId, sessionId }, { open }) =>
  open[sessionId] === undefined ? [] : [{ type: 'SessionPlaceFreed', data: { accountId, sessionId } }],
);
