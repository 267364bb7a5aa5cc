import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { bindingOf } from '../../../commands/bindings.ts';
import { PreferencesView } from '../../../commands/identity/profile.ts';
import { can } from '../../../domain/decider.ts';
import { line, uuid } from '../../../domain/fields.ts';
import { replacePreferences, replaceProfile } from '../../../domain/identity/account/index.ts';
import { roleAssignments, roleNamesOf } from '../../../projections/access/roleAssignments.ts';
import { roles } from '../../../projections/access/roles.ts';
import { ACCOUNT_SORTS, searchAccounts } from '../../../projections/identity/accountSearch.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { answer, listAnswer, offsetOf, ok, page, paginated, sorted } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { runCommand } from '../../commandRoutes.ts';
import { rangeEnd, rangeOf } from '../../dateRange.ts';
import { versioned } from '../../etag.ts';
import { permissionMissing } from '../../problem.ts';
import { callerOf } from '../../request.ts';
import { noteSensitiveRead } from '../../sensitiveReads.ts';
import { accountRow, PROFILE_SOURCES, preferencesIn, statusOf, UserView, userView } from './profileView.ts';

const UserItem = z.object({
  userId: z.string(),
  email: z.string(),
  displayName: z.string(),
  phoneNumber: z.string().nullable(),
  roles: z.array(z.string()),
  plan: z.string(),
  status: z.enum(['active', 'locked', 'deactivated']),
  emailVerified: z.boolean(),
  lastLoginAt: z.string().nullable(),
  createdAt: z.string(),
});

const Search = z.object({
  q: line(2, 100).optional().describe('Part of name, e-mail address or telephone number'),
  role: line(1, 50).optional().describe('Name of a role held now'),
  plan: z.enum(['free', 'premium', 'enterprise']).optional(),
  subscriptionStatus: z.enum(['active', 'cancelled', 'expired']).optional(),
  status: z.enum(['active', 'locked', 'deactivated']).optional(),
  createdFrom: rangeEnd.optional(),
  createdTo: rangeEnd.optional(),
  ...sorted(ACCOUNT_SORTS, 'desc'),
  ...page(),
});

const Params = z.object({ accountId: uuid });

/**
 * Refuses whoever asks for an account that is not his own without the permission: whether there is such an account or
 * not, and before his input is looked at.
 */
export const othersNeed =
  (permission: string) =>
  async (request: FastifyRequest): Promise<void> => {
    const { accountId, actor } = callerOf(request);
    const { accountId: named } = request.params as { readonly accountId: string };
    if (named.toLowerCase() !== accountId && !can(actor, permission)) throw permissionMissing(permission);
  };

/** The account that a query is about: the own one, or another with the permission read:users. Throws 403 or 404. */
export const ownOrRead = async (
  deps: Pick<Deps, 'db'>,
  request: FastifyRequest,
  userId: string | undefined,
): Promise<string> => {
  const { accountId, actor } = callerOf(request);
  if (userId === undefined || userId === accountId) return accountId;
  if (!can(actor, 'read:users')) throw permissionMissing('read:users');
  return (await accountRow(deps, userId)).account_id;
};

/** Accounts as administrators see and keep them; everybody reaches his own by its id as well. */
export const userRoutes = (app: App, deps: Deps): void => {
  const { db, commands } = deps;

  app.get(
    '/users/search',
    {
      config: { access: 'read:users', reads: [accounts, roleAssignments, roles] },
      schema: {
        summary: 'Searches accounts',
        querystring: Search,
        response: { 200: listAnswer('users', UserItem) },
      },
    },
    async (request) => {
      const { query } = request;
      const { sort, order, limit, page: _page, ...filters } = query;
      const { createdFrom, createdTo, ...filter } = filters;
      const used = Object.entries(filters).flatMap(([name, value]) => (value === undefined ? [] : [name]));
      await noteSensitiveRead(deps, request, { targetType: 'account', fields: used.sort() });
      const { from, to } = rangeOf({ from: createdFrom, to: createdTo }, 'UTC', 'createdTo');
      const now = commands.reads.now();
      const { items, total } = await searchAccounts(db, { ...filter, createdFrom: from, createdTo: to }, now, {
        sort,
        order,
        limit,
        offset: offsetOf(query),
      });
      const ids = items.map(({ account_id }) => account_id);
      const held = await roleNamesOf(db, ids, now);
      const users = items.map((row) => ({
        userId: row.account_id,
        email: row.email,
        displayName: row.display_name,
        phoneNumber: row.phone_number,
        roles: [...(held.get(row.account_id) ?? [])],
        plan: row.plan,
        status: statusOf(row, now),
        emailVerified: row.email_verified,
        lastLoginAt: row.last_login_at,
        createdAt: row.created_at,
      }));
      return paginated('users', users, total, query);
    },
  );

  app.get(
    '/users/:accountId',
    {
      config: { access: 'loggedIn', reads: PROFILE_SOURCES },
      preValidation: othersNeed('read:users'),
      schema: { summary: 'An account', params: Params, response: { 200: answer(UserView) } },
    },
    async (request, reply) => {
      const user = await userView(deps, request.params.accountId);
      return versioned(reply, user, user.version);
    },
  );

  app.put(
    '/users/:accountId',
    {
      config: { access: 'loggedIn', runsCommand: true },
      preValidation: othersNeed('write:users'),
      schema: {
        summary: 'Replaces the profile of an account',
        params: Params,
        body: replaceProfile.input.omit({ accountId: true }),
        response: { 200: answer(UserView) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.params;
      const input = { ...request.body, accountId };
      const { position } = await runCommand(app, deps, bindingOf(replaceProfile), { request, reply, input });
      await deps.caughtUp(PROFILE_SOURCES, position);
      return ok(await userView(deps, accountId));
    },
  );

  app.get(
    '/users/:accountId/preferences',
    {
      config: { access: 'loggedIn', reads: [accounts] },
      preValidation: othersNeed('*:*'),
      schema: { summary: 'The preferences of an account', params: Params, response: { 200: answer(PreferencesView) } },
    },
    async (request) => ok(preferencesIn(await accountRow(deps, request.params.accountId))),
  );

  app.put(
    '/users/:accountId/preferences',
    {
      config: { access: 'loggedIn', runsCommand: true },
      preValidation: othersNeed('*:*'),
      schema: {
        summary: 'Replaces the preferences of an account',
        params: Params,
        body: replacePreferences.input.omit({ accountId: true }),
        response: { 200: answer(PreferencesView) },
      },
    },
    async (request, reply) => {
      const input = { ...request.body, accountId: request.params.accountId };
      const { data } = await runCommand(app, deps, bindingOf(replacePreferences), { request, reply, input });
      return ok(PreferencesView.parse(data));
    },
  );
};
