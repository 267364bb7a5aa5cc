import type { Kysely } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Fact } from '../eventstore/feed.ts';
import { gathered } from '../gathered.ts';
import { sessionEnds } from '../projections/identity/loginSessions.ts';
import type { ReadModels } from '../projections/index.ts';
import type { Sessions } from './deps.ts';

/** Milliseconds that a session counts as alive without another look; a session that ended never lives again. */
const TTL = 1_000;
const SESSIONS = 50_000;

/** Sessions with a way to tell them of new events. */
export type CachedSessions = Sessions & {
  /** To be called with every event of the log: a revoked session is dead from then on. */
  readonly observe: (event: Fact) => void;
};

/** Whether login sessions are alive, from their read model. When it cannot be reached it throws. */
export const createSessions = ({
  db,
  now = () => new Date(),
}: {
  readonly db: Kysely<ReadModels>;
  readonly now?: () => Date;
}): CachedSessions => {
  const alive = new LRUCache<string, number>({ max: SESSIONS });
  const dead = new LRUCache<string, true>({ max: SESSIONS });
  const endOf = gathered((sessionIds) => sessionEnds(db, sessionIds, now()));
  return {
    alive: (sessionId) => {
      if (dead.has(sessionId)) return false;
      const at = now();
      const until = alive.get(sessionId);
      if (until !== undefined && until > at.getTime()) return true;
      return endOf(sessionId).then((end) => {
        if (end === undefined || dead.has(sessionId)) return false;
        alive.set(sessionId, Math.min(at.getTime() + TTL, Date.parse(end)));
        return true;
      });
    },
    ended: (sessionId) => {
      dead.set(sessionId, true);
      alive.delete(sessionId);
    },
    observe: ({ type, data }) => {
      if (type !== 'LoginSessionRevoked' || typeof data !== 'object' || data === null) return;
      if ('sessionId' in data && typeof data.sessionId === 'string') {
        dead.set(data.sessionId, true);
        alive.delete(data.sessionId);
      }
    },
  };
};
