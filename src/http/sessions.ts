import type { Kysely } from 'kysely';
import { cacheOf } from '../cacheOf.ts';
import type { Fact } from '../eventstore/feed.ts';
import { gathered } from '../gathered.ts';
import { livingSessionsOf } from '../projections/identity/loginSessions.ts';
import type { ReadModels } from '../projections/index.ts';
import type { Sessions } from './deps.ts';

/** Milliseconds that a session counts as alive without another look; a session that ended never lives again. */
const TTL = 1_000;
const SESSIONS = 50_000;

/** Sessions with a way to tell them of new events. */
export type CachedSessions = Sessions & {
  /** To be called with every event of the log, here appended or read: a revoked session is dead from then on. */
  readonly observe: (event: Pick<Fact, 'type' | 'data'>) => void;
};

/** Whether login sessions are alive, from their read model. When it cannot be reached it throws. */
export const createSessions = ({
  db,
  now = () => new Date(),
}: {
  readonly db: Kysely<ReadModels>;
  readonly now?: () => Date;
}): CachedSessions => {
  const alive = cacheOf<string, { readonly accountId: string; readonly until: number }>(SESSIONS);
  const dead = cacheOf<string, true>(SESSIONS);
  /** Sessions that began no later count no more, whatever the read model shows. */
  let notBefore = '';
  const living = gathered((sessionIds) => livingSessionsOf(db, sessionIds, now()));
  return {
    alive: (sessionId, accountId) => {
      if (dead.has(sessionId)) return false;
      const at = now();
      const known = alive.get(sessionId);
      if (known !== undefined && known.until > at.getTime()) return known.accountId === accountId;
      return living(sessionId).then((session) => {
        if (session === undefined || dead.has(sessionId) || session.created_at <= notBefore) return false;
        const until = Math.min(at.getTime() + TTL, Date.parse(session.expires_at));
        alive.set(sessionId, { accountId: session.account_id, until });
        return session.account_id === accountId;
      });
    },
    observe: ({ type, data }) => {
      if (typeof data !== 'object' || data === null) return;
      if (type === 'AllTokensRevoked' && 'notBefore' in data && typeof data.notBefore === 'string') {
        notBefore = data.notBefore;
        alive.clear();
      }
      if (type === 'LoginSessionRevoked' && 'sessionId' in data && typeof data.sessionId === 'string') {
        dead.set(data.sessionId, true);
        alive.delete(data.sessionId);
      }
    },
  };
};
