import { z } from 'zod';
import { bindingOf } from '../../../commands/bindings.ts';
import { uuid } from '../../../domain/fields.ts';
import { revokeAllLoginSessions } from '../../../domain/identity/account/index.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { livingSessions, loginSessions } from '../../../projections/identity/loginSessions.ts';
import { answer, listAnswer, offsetOf, ok, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { runCommand } from '../../commandRoutes.ts';
import { callerOf } from '../../request.ts';
import { ownOrRead } from './users.ts';

const SessionView = z.object({
  id: z.string(),
  device: z.string().nullable(),
  ip: z.string(),
  userAgent: z.string(),
  method: z.string(),
  createdAt: z.string(),
  lastSeenAt: z.string(),
  expiresAt: z.string(),
  current: z.boolean().describe('The session of this request'),
});

/** The login sessions of an account. */
export const sessionRoutes = (app: App, deps: Deps): void => {
  const { db, commands } = deps;

  app.get(
    '/auth/sessions',
    {
      config: { access: 'loggedIn', unverified: true, reads: [loginSessions, accounts], refuses: [404] },
      schema: {
        summary: 'The login sessions that still count, last seen first',
        querystring: z.object({
          ...page(),
          userId: uuid.optional().describe('Whose sessions; of others with the permission read:users'),
        }),
        response: { 200: listAnswer('sessions', SessionView) },
      },
    },
    async (request) => {
      const { query } = request;
      const { actor } = callerOf(request);
      const userId = await ownOrRead(deps, request, query.userId);
      const { items, total } = await livingSessions(db, userId, commands.reads.now(), {
        offset: offsetOf(query),
        limit: query.limit,
      });
      const views = items.map((row) => ({
        id: row.session_id,
        device: row.device,
        ip: row.ip,
        userAgent: row.user_agent,
        method: row.method,
        createdAt: row.created_at,
        lastSeenAt: row.last_seen_at,
        expiresAt: row.expires_at,
        current: row.session_id === actor.sessionId,
      }));
      return paginated('sessions', views, total, query);
    },
  );

  app.delete(
    '/auth/sessions',
    {
      config: { access: 'loggedIn', unverified: true, runsCommand: true },
      schema: {
        summary: 'Ends all own login sessions, or all but the one of this request',
        querystring: z.object({ keepCurrent: z.enum(['true', 'false']).default('false') }),
        response: { 200: answer(z.object({ revoked: z.int() })) },
      },
    },
    async (request, reply) => {
      const kept = request.query.keepCurrent === 'true' ? request.caller?.actor.sessionId : undefined;
      const input = kept === undefined ? {} : { exceptSessionId: kept };
      const { data } = await runCommand(app, deps, bindingOf(revokeAllLoginSessions), { request, reply, input });
      return ok(data as { revoked: number });
    },
  );
};
