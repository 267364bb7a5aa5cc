import { z } from 'zod';
import { effectivePermissions, type Hierarchy, withAncestors } from '../../domain/access/hierarchy.ts';
import { BUILT_IN, CONTEXTS } from '../../domain/access/permissions.ts';
import { primaryRoleOf } from '../../domain/access/systemRoles.ts';
import { can } from '../../domain/decider.ts';
import { line, permissionName, uuid } from '../../domain/fields.ts';
import { definedPermissions, permissions } from '../../projections/access/permissions.ts';
import { assignedCounts, assignmentsOf, membersOf, roleAssignments } from '../../projections/access/roleAssignments.ts';
import { allRoles, type RoleRow, roles } from '../../projections/access/roles.ts';
import { accountOf as accountRowOf, accounts } from '../../projections/identity/accounts.ts';
import { answer, found, listAnswer, offsetOf, ok, page, paginated, sorted } from '../answers.ts';
import type { App, Deps } from '../app.ts';
import { single, unchangedSince } from '../etag.ts';
import { Problem } from '../problem.ts';
import { type Caller, callerOf } from '../request.ts';

const RoleView = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  system: z.boolean().describe('Brought along by the service'),
  permissions: z.array(z.string()).describe('Own permissions'),
  inheritedPermissions: z.array(z.string()).describe('Those of all ancestors'),
  parentRoleIds: z.array(z.string()),
  childRoleIds: z.array(z.string()),
  assignedCount: z.int().describe('Accounts that hold the role now'),
  createdAt: z.string(),
  updatedAt: z.string(),
  version: z.int(),
});
const Member = z.object({
  accountId: z.string(),
  displayName: z.string().nullable(),
  email: z.string().nullable(),
  assignedAt: z.string(),
  expiresAt: z.string().nullable(),
});
const PermissionView = z.object({
  name: z.string(),
  description: z.string(),
  context: z.string(),
  builtIn: z.boolean(),
  roles: z.array(z.string()).describe('Names of the roles that hold it themselves'),
});
const Held = {
  permissions: z.array(z.string()),
  roles: z.array(z.string()),
  primaryRole: z.string().nullable(),
};
const UserRoles = z.object({
  accountId: z.string(),
  assignments: z.array(
    z.object({
      roleId: z.string(),
      name: z.string(),
      assignedBy: z.string(),
      assignedAt: z.string(),
      expiresAt: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  ),
  effectivePermissions: z.array(z.string()),
  primaryRole: z.string().nullable(),
});
const Check = z.object({
  allowed: z.boolean(),
  permission: z.string(),
  viaRole: z.string().nullable().describe('The role held'),
  grantedBy: z.string().nullable().describe('The role in the hierarchy that owns the permission'),
});

const flag = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .optional();

type Named = {
  readonly name: string;
  readonly permissions: readonly string[];
  readonly parentRoleIds: readonly string[];
};
const hierarchyOf = (rows: readonly RoleRow[]): Hierarchy<Named> =>
  Object.fromEntries(
    rows.map(({ role_id, name, permissions: own, parent_role_ids }) => [
      role_id,
      { name, permissions: own, parentRoleIds: parent_role_ids },
    ]),
  );

const roleView = (
  row: RoleRow,
  all: readonly RoleRow[],
  counts: ReadonlyMap<string, number>,
): z.output<typeof RoleView> => ({
  id: row.role_id,
  name: row.name,
  description: row.description,
  system: row.system,
  permissions: [...row.permissions],
  inheritedPermissions: [...effectivePermissions(hierarchyOf(all), row.parent_role_ids)],
  parentRoleIds: [...row.parent_role_ids],
  childRoleIds: all.filter((role) => role.parent_role_ids.includes(row.role_id)).map((role) => role.role_id),
  assignedCount: counts.get(row.role_id) ?? 0,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  version: row.version,
});

const contains = (text: string, part: string | undefined): boolean =>
  part === undefined || text.toLowerCase().includes(part.toLowerCase());

/** The own account, or with `read:roles` any. Throws 403 before it could tell whether the other one exists. */
const mayRead = (caller: Caller, accountId: string): void => {
  if (caller.accountId === accountId || can(caller.actor, 'read:roles')) return;
  throw new Problem('FORBIDDEN', 'This needs the permission read:roles', {
    reason: 'permission-missing',
    permission: 'read:roles',
  });
};

/** What can be read of roles, permissions and who holds them. */
export const accessRoutes = (app: App, { db, rights }: Deps): void => {
  app.get(
    '/rbac/roles',
    {
      config: { access: 'read:roles', reads: [roles, roleAssignments] },
      schema: {
        summary: 'All roles',
        querystring: z.object({
          ...page(),
          ...sorted(['name', 'createdAt']),
          q: line(1, 100).optional(),
          system: flag,
          permission: permissionName.optional(),
        }),
        response: { 200: listAnswer('items', RoleView) },
      },
    },
    async ({ query }) => {
      const { q, system, permission, sort, order } = query;
      const [all, counts] = await Promise.all([allRoles(db), assignedCounts(db, new Date())]);
      const wanted = all.filter(
        (row) =>
          (contains(row.name, q) || contains(row.description, q)) &&
          (system === undefined || row.system === system) &&
          (permission === undefined || row.permissions.includes(permission)),
      );
      const by = (row: RoleRow) => (sort === 'name' ? row.name : row.created_at);
      const direction = order === 'asc' ? 1 : -1;
      wanted.sort((a, b) => direction * (by(a) < by(b) ? -1 : by(a) > by(b) ? 1 : 0));
      const start = offsetOf(query);
      const items = wanted.slice(start, start + query.limit).map((row) => roleView(row, all, counts));
      return paginated('items', items, wanted.length, query);
    },
  );

  app.get(
    '/rbac/roles/:roleId',
    {
      config: { access: 'read:roles', reads: [roles, roleAssignments, accounts] },
      schema: {
        summary: 'One role and the first accounts that hold it',
        params: z.object({ roleId: uuid }),
        response: { 200: answer(RoleView.extend({ members: z.array(Member) })), ...unchangedSince },
      },
    },
    async (request, reply) => {
      const { roleId } = request.params;
      const now = new Date();
      const [all, counts, members] = await Promise.all([
        allRoles(db),
        assignedCounts(db, now),
        membersOf(db, roleId, now, { offset: 0, limit: 10 }),
      ]);
      const row = found(
        all.find(({ role_id }) => role_id === roleId),
        'role',
      );
      const data = { ...roleView(row, all, counts), members: members.items.map(memberView) };
      return single(request, reply, data, row.version);
    },
  );

  app.get(
    '/rbac/roles/:roleId/users',
    {
      config: { access: 'read:roles', reads: [roles, roleAssignments, accounts] },
      schema: {
        summary: 'The accounts that hold a role, newest assignment first',
        params: z.object({ roleId: uuid }),
        querystring: z.object(page()),
        response: { 200: listAnswer('items', Member) },
      },
    },
    async ({ params: { roleId }, query }) => {
      const [all, members] = await Promise.all([
        allRoles(db),
        membersOf(db, roleId, new Date(), { offset: offsetOf(query), limit: query.limit }),
      ]);
      found(
        all.find(({ role_id }) => role_id === roleId),
        'role',
      );
      return paginated('items', members.items.map(memberView), members.total, query);
    },
  );

  app.get(
    '/rbac/permissions',
    {
      config: { access: 'read:roles', reads: [roles, permissions] },
      schema: {
        summary: 'All permissions and the roles that hold them',
        querystring: z.object({
          ...page(),
          ...sorted(['name']),
          q: line(1, 100).optional(),
          context: z.enum(CONTEXTS).optional(),
        }),
        response: { 200: listAnswer('items', PermissionView) },
      },
    },
    async ({ query }) => {
      const { q, context, order } = query;
      const [all, defined] = await Promise.all([allRoles(db), definedPermissions(db)]);
      const catalogue = [
        ...Object.entries(BUILT_IN).map(([name, rest]) => ({ name, ...rest, builtIn: true })),
        ...defined.map((row) => ({ ...row, builtIn: false })),
      ];
      const wanted = catalogue
        .filter((permission) => contains(permission.name, q) || contains(permission.description, q))
        .filter((permission) => context === undefined || permission.context === context)
        .sort((a, b) => (a.name < b.name ? -1 : 1) * (order === 'asc' ? 1 : -1));
      const start = offsetOf(query);
      const items = wanted.slice(start, start + query.limit).map((permission) => ({
        ...permission,
        roles: all.filter((role) => role.permissions.includes(permission.name)).map(({ name }) => name),
      }));
      return paginated('items', items, wanted.length, query);
    },
  );

  app.get(
    '/rbac/users/:accountId/roles',
    {
      config: { access: 'loggedIn', reads: [roles, roleAssignments, accounts] },
      schema: {
        summary: 'The roles of an account and what they allow',
        params: z.object({ accountId: uuid }),
        response: { 200: answer(UserRoles) },
      },
    },
    async (request) => {
      const { accountId } = request.params;
      mayRead(callerOf(request), accountId);
      const [account, assignments, all] = await Promise.all([
        accountRowOf(db, accountId),
        assignmentsOf(db, accountId, new Date()),
        allRoles(db),
      ]);
      found(account, 'account');
      const hierarchy = hierarchyOf(all);
      const held = assignments.map((row) => ({ ...row, name: hierarchy[row.role_id]?.name ?? '' }));
      const roleIds = held.map(({ role_id }) => role_id);
      return ok({
        accountId,
        assignments: held.map(({ role_id, name, assigned_by, assigned_at, expires_at, reason }) => ({
          roleId: role_id,
          name,
          assignedBy: assigned_by,
          assignedAt: assigned_at,
          expiresAt: expires_at,
          reason,
        })),
        effectivePermissions: account?.status === 'active' ? [...effectivePermissions(hierarchy, roleIds)] : [],
        primaryRole: primaryRoleOf(held.map(({ name }) => name)),
      });
    },
  );

  app.get(
    '/rbac/me/permissions',
    {
      config: { access: 'loggedIn', apiKey: true },
      schema: { summary: 'What the caller may do', response: { 200: answer(z.object(Held)) } },
    },
    async (request) => {
      const { actor, rights: own } = callerOf(request);
      return ok({
        permissions: [...actor.permissions],
        roles: [...own.roles],
        primaryRole: primaryRoleOf(own.roles),
      });
    },
  );

  app.post(
    '/rbac/check',
    {
      config: { access: 'loggedIn', apiKey: true, reads: [roles, roleAssignments, accounts], refuses: [404] },
      schema: {
        summary: 'Whether an account holds a permission, and by which role',
        body: z.object({ permission: permissionName, userId: uuid.optional() }),
        response: { 200: answer(Check) },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { permission, userId = caller.accountId } = request.body;
      mayRead(caller, userId);
      const account = found(await rights.of(userId), 'account');
      const [assignments, all] = await Promise.all([assignmentsOf(db, userId, new Date()), allRoles(db)]);
      const hierarchy = hierarchyOf(all);
      const owns = (roleId: string) => {
        const own = hierarchy[roleId]?.permissions ?? [];
        return own.includes(permission) || own.includes('*:*');
      };
      const via = assignments.find(({ role_id }) => withAncestors(hierarchy, [role_id]).some(owns))?.role_id;
      const grantedBy = via === undefined ? undefined : withAncestors(hierarchy, [via]).find(owns);
      const allowed = account.active && via !== undefined;
      return ok({
        allowed,
        permission,
        viaRole: allowed ? (hierarchy[via]?.name ?? null) : null,
        grantedBy: allowed ? (hierarchy[grantedBy ?? '']?.name ?? null) : null,
      });
    },
  );
};

type MemberRow = Awaited<ReturnType<typeof membersOf>>['items'][number];
const memberView = (row: MemberRow): z.output<typeof Member> => ({
  accountId: row.account_id,
  displayName: row.display_name,
  email: row.email,
  assignedAt: row.assigned_at,
  expiresAt: row.expires_at,
});
