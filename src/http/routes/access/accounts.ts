import { z } from 'zod';
import { effectivePermissions, withAncestors } from '../../../domain/access/hierarchy.ts';
import { primaryRoleOf } from '../../../domain/access/systemRoles.ts';
import { can } from '../../../domain/decider.ts';
import { permissionName, uuid } from '../../../domain/fields.ts';
import { assignmentsOf, roleAssignments } from '../../../projections/access/roleAssignments.ts';
import { allRoles, hierarchyOf, roles } from '../../../projections/access/roles.ts';
import { accountOf, accounts } from '../../../projections/identity/accounts.ts';
import { answer, found, ok } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { permissionMissing } from '../../problem.ts';
import { type Caller, callerOf } from '../../request.ts';

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

/** The own account, or with `read:roles` any. Throws 403 before it could tell whether the other one exists. */
const mayRead = (caller: Caller, accountId: string): void => {
  if (caller.accountId === accountId || can(caller.actor, 'read:roles')) return;
  throw permissionMissing('read:roles');
};

/** What single accounts may do, and why. */
export const accountRoutes = (app: App, { db, rights, commands: { reads } }: Deps): void => {
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
        accountOf(db, accountId),
        assignmentsOf(db, accountId, reads.now()),
        allRoles(db),
      ]);
      found(account, 'account');
      const hierarchy = hierarchyOf(all);
      const held = assignments.flatMap((row) => {
        const name = hierarchy[row.role_id]?.name;
        return name === undefined ? [] : [{ ...row, name }];
      });
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

  const check = async (
    caller: Caller,
    permission: string,
    accountId: string,
  ): Promise<{ success: true; data: z.output<typeof Check> }> => {
    mayRead(caller, accountId);
    const account = found(await rights.of(accountId), 'account');
    const [assignments, all] = await Promise.all([assignmentsOf(db, accountId, reads.now()), allRoles(db)]);
    const hierarchy = hierarchyOf(all);
    const owns = (roleId: string): boolean => can(hierarchy[roleId] ?? { permissions: [] }, permission);
    const via = assignments.find(({ role_id }) => withAncestors(hierarchy, [role_id]).some(owns))?.role_id;
    const owner = via === undefined ? undefined : withAncestors(hierarchy, [via]).find(owns);
    // A key may do less than its owner.
    const within = caller.accountId !== accountId || can(caller.actor, permission);
    if (!account.active || !within || via === undefined || owner === undefined)
      return ok({ allowed: false, permission, viaRole: null, grantedBy: null });
    const nameOf = (roleId: string): string | null => hierarchy[roleId]?.name ?? null;
    return ok({ allowed: true, permission, viaRole: nameOf(via), grantedBy: nameOf(owner) });
  };
  const config = { access: 'loggedIn', reads: [roles, roleAssignments, accounts] } as const;

  app.post(
    '/rbac/check',
    {
      config: { ...config, apiKey: true, refuses: [404] },
      schema: {
        summary: 'Whether an account holds a permission, and by which role',
        body: z.object({ permission: permissionName, userId: uuid.optional() }),
        response: { 200: answer(Check) },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { permission, userId = caller.accountId } = request.body;
      return check(caller, permission, userId);
    },
  );

  app.get(
    '/rbac/users/:accountId/permissions/:permission',
    {
      config,
      schema: {
        summary: 'Why an account holds a permission, or that it does not',
        params: z.object({ accountId: uuid, permission: permissionName }),
        response: { 200: answer(Check) },
      },
    },
    async (request) => {
      const { accountId, permission } = request.params;
      return check(callerOf(request), permission, accountId);
    },
  );
};
