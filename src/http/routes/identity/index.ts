import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { bindingOf } from '../../../commands/bindings.ts';
import { primaryRoleOf } from '../../../domain/access/systemRoles.ts';
import { revokeAllLoginSessions } from '../../../domain/identity/account/index.ts';
import { roleAssignments } from '../../../projections/access/roleAssignments.ts';
import { roles } from '../../../projections/access/roles.ts';
import { accountOf as accountRowOf, accounts } from '../../../projections/identity/accounts.ts';
import { livingSessions, loginSessions } from '../../../projections/identity/loginSessions.ts';
import { answer, found, listAnswer, offsetOf, ok, page, paginated } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { type Presenter, runCommand } from '../../commandRoutes.ts';
import { single } from '../../etag.ts';
import { callerOf } from '../../request.ts';
import { handOver, handOverCode, loginRoutes } from './login.ts';
import { mfaRoutes } from './mfa.ts';

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

/** What the answers of identity's commands get at the edge. */
export const identityPresenters: Readonly<Record<string, Presenter>> = {
  LogIn: handOver,
  VerifyOtp: handOverCode,
  VerifyMfaChallenge: handOver,
  RefreshSession: handOver,
};

/** What people see of their own account, and how they log in and out. */
export const identityRoutes = (app: App, deps: Deps): void => {
  const { db, commands } = deps;
  loginRoutes(app, deps);
  mfaRoutes(app, deps);

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
        schema: { summary: 'The own profile', response: { 200: answer(Profile) } },
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

  app.delete(
    '/auth/sessions',
    {
      config: { access: 'loggedIn', unverified: true },
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
