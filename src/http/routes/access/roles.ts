import { z } from 'zod';
import { effectivePermissions } from '../../../domain/access/hierarchy.ts';
import { line, permissionName, uuid } from '../../../domain/fields.ts';
import { assignedCounts, membersOf, roleAssignments } from '../../../projections/access/roleAssignments.ts';
import { allRoles, hierarchyOf, type RoleRow, roles } from '../../../projections/access/roles.ts';
import { accounts } from '../../../projections/identity/accounts.ts';
import { answer, found, listAnswer, offsetOf, page, paginated, sorted } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { versioned } from '../../etag.ts';
import { contains } from './contains.ts';

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
const flag = z
  .enum(['true', 'false'])
  .transform((value) => value === 'true')
  .optional();

const roleView = (
  row: RoleRow,
  all: readonly RoleRow[],
  hierarchy: ReturnType<typeof hierarchyOf>,
  counts: ReadonlyMap<string, number>,
): z.output<typeof RoleView> => ({
  id: row.role_id,
  name: row.name,
  description: row.description,
  system: row.system,
  permissions: [...row.permissions],
  inheritedPermissions: [...effectivePermissions(hierarchy, row.parent_role_ids)],
  parentRoleIds: [...row.parent_role_ids],
  childRoleIds: all.filter((role) => role.parent_role_ids.includes(row.role_id)).map((role) => role.role_id),
  assignedCount: counts.get(row.role_id) ?? 0,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  version: row.version,
});

type MemberRow = Awaited<ReturnType<typeof membersOf>>['items'][number];
const memberView = (row: MemberRow): z.output<typeof Member> => ({
  accountId: row.account_id,
  displayName: row.display_name,
  email: row.email,
  assignedAt: row.assigned_at,
  expiresAt: row.expires_at,
});

/** Roles, and who holds them. */
export const roleRoutes = (app: App, { db, commands: { reads } }: Deps): void => {
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
      const [all, counts] = await Promise.all([allRoles(db), assignedCounts(db, reads.now())]);
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
      const hierarchy = hierarchyOf(all);
      const items = wanted.slice(start, start + query.limit).map((row) => roleView(row, all, hierarchy, counts));
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
        response: { 200: answer(RoleView.extend({ members: z.array(Member) })) },
      },
    },
    async (request, reply) => {
      const { roleId } = request.params;
      const now = reads.now();
      const [all, counts, members] = await Promise.all([
        allRoles(db),
        assignedCounts(db, now),
        membersOf(db, roleId, now, { offset: 0, limit: 10 }),
      ]);
      const row = found(
        all.find(({ role_id }) => role_id === roleId),
        'role',
      );
      const data = { ...roleView(row, all, hierarchyOf(all), counts), members: members.items.map(memberView) };
      return versioned(reply, data, row.version);
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
        membersOf(db, roleId, reads.now(), { offset: offsetOf(query), limit: query.limit }),
      ]);
      found(
        all.find(({ role_id }) => role_id === roleId),
        'role',
      );
      return paginated('items', members.items.map(memberView), members.total, query);
    },
  );
};
