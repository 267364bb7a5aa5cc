import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { primaryRoleOf } from '../../../domain/access/systemRoles.ts';
import { endLoginSession } from '../../../domain/identity/loginSession.ts';
import { idOf } from '../../../eventstore/event.ts';
import { roleAssignments } from '../../../projections/access/roleAssignments.ts';
import { roles } from '../../../projections/access/roles.ts';
import { accountOf as accountRowOf, accounts } from '../../../projections/identity/accounts.ts';
import { livingSessionIds, livingSessions, loginSessions } from '../../../projections/identity/loginSessions.ts';
import { answer, found, listAnswer, offsetOf, ok, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import type { Presenter } from '../../commandRoutes.ts';
import { single, unchangedSince } from '../../etag.ts';
import { Problem } from '../../problem.ts';
import { accountOf, callerOf } from '../../request.ts';
import { loginRoutes } from './login.ts';

const Profile = z.object({
  userId: z.string(),
  email: z.string(),
  displayName: z.string(),
  phoneNumber: z.string().nullable(),
  emailVerified: z.boolean(),
  role: z.string().nullable(),
  roles: z.array(z.string()),
  permissions: z.array(z.string()),
  timezone: z.string(),
  language: z.string(),
  subscription: z.object({ plan: z.string(), status: z.literal('active') }),
  security: z.object({ lastLoginAt: z.string().nullable() }),
  createdAt: z.string(),
  updatedAt: z.string(),
  version: z.int(),
});

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

/** Sessions that were ended through this process are refused here from the next request on. */
export const identityPresenters: Readonly<Record<string, Presenter>> = {
  RevokeLoginSession: async ({ sessions }, { outcome }) => {
    sessions.ended?.(idOf(outcome.stream));
    return outcome.data;
  },
};

/** What people see of their own account, and how they log in and out. */
export const identityRoutes = (app: App, deps: Deps): void => {
  const { db, commands, bindings, sessions } = deps;
  loginRoutes(app, deps);

  const profileOf = async (request: FastifyRequest): Promise<z.output<typeof Profile>> => {
    const { accountId, actor, rights } = callerOf(request);
    const row = found(await accountRowOf(db, accountId), 'account');
    return {
      userId: accountId,
      email: row.email,
      displayName: row.display_name,
      phoneNumber: row.phone_number,
      emailVerified: row.email_verified,
      role: primaryRoleOf(rights.roles),
      roles: [...rights.roles],
      permissions: [...actor.permissions],
      timezone: row.timezone,
      language: row.language,
      subscription: { plan: row.plan, status: 'active' },
      security: { lastLoginAt: row.last_login_at },
      createdAt: row.created_at,
      updatedAt: row.updated_at,
      version: row.version,
    };
  };

  for (const path of ['/users/me', '/auth/me'])
    app.get(
      path,
      {
        config: { access: 'loggedIn', unverified: true, apiKey: true, reads: [accounts, roleAssignments, roles] },
        schema: { summary: 'The own profile', response: { 200: answer(Profile), ...unchangedSince } },
      },
      async (request, reply) => {
        const profile = await profileOf(request);
        return single(request, reply, profile, profile.version);
      },
    );

  app.get(
    '/auth/sessions',
    {
      config: { access: 'loggedIn', unverified: true, reads: [loginSessions] },
      schema: {
        summary: 'The own login sessions that still count, last seen first',
        querystring: z.object(page()),
        response: { 200: listAnswer('sessions', SessionView) },
      },
    },
    async (request) => {
      const { query } = request;
      const { accountId, actor } = callerOf(request);
      const { items, total } = await livingSessions(db, accountId, commands.reads.now(), {
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

  const ending = bindings.find(({ command }) => command.name === endLoginSession.name);
  app.delete(
    '/auth/sessions',
    {
      config: { access: 'loggedIn', unverified: true, reads: [loginSessions] },
      schema: {
        summary: 'Ends all own login sessions, or all but the one of this request',
        querystring: z.object({ keepCurrent: z.enum(['true', 'false']).default('false') }),
        response: { 200: answer(z.object({ revoked: z.int() })) },
      },
    },
    async (request) => {
      if (ending === undefined) throw new Problem('INTERNAL_ERROR', 'Sessions cannot be ended');
      const accountId = accountOf(request);
      const kept = request.query.keepCurrent === 'true' ? request.caller?.actor.sessionId : undefined;
      const ids = await livingSessionIds(db, accountId, commands.reads.now());
      const ended = ids.filter((sessionId) => sessionId !== kept);
      for (const sessionId of ended) {
        const outcome = await commands.execute(ending, {
          input: { sessionId, by: 'owner' },
          actor: { id: accountId, kind: 'system', permissions: ['*:*'], verified: true },
          correlationId: request.correlationId,
        });
        if (!outcome.ok) throw new Problem(outcome.code, outcome.message, outcome);
        sessions.ended?.(sessionId);
        app.consistency.wrote(accountId, outcome.position);
      }
      return ok({ revoked: ended.length });
    },
  );
};
