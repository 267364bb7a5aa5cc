import { z } from 'zod';
import {
  ADMINISTRATORS_ID,
  addAdministrator,
  administrators,
  releaseAdministrator,
} from '../domain/access/administrators.ts';
import { effectivePermissions } from '../domain/access/hierarchy.ts';
import { CONTEXTS } from '../domain/access/permissions.ts';
import * as catalog from '../domain/access/roleCatalog/index.ts';
import { ROLE_CATALOG_ID, type RoleCatalog, roleCatalog, roleOf } from '../domain/access/roleCatalog/index.ts';
import * as access from '../domain/access/userAccess.ts';
import { isCounted, type RoleFacts, userAccess } from '../domain/access/userAccess.ts';
import { type Actor, reject } from '../domain/decider.ts';
import { account } from '../domain/identity/account.ts';
import { bind, type Reads } from './binding.ts';

const Permission = z.object({ name: z.string(), description: z.string(), context: z.enum(CONTEXTS).optional() });

const Role = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  system: z.boolean(),
  permissions: z.array(z.string()),
  inheritedPermissions: z.array(z.string()),
  parentRoleIds: z.array(z.string()),
  childRoleIds: z.array(z.string()),
  createdAt: z.string(),
  version: z.int(),
});

const shown = (state: RoleCatalog, roleId: string): z.input<typeof Role> => {
  const role = roleOf(state, roleId);
  // A command that answers has just defined or changed the role.
  if (role === undefined) throw new Error(`Role ${roleId} is not in the catalogue`);
  const { definedAt, permissions, parentRoleIds, inheritedPermissions, ...rest } = role;
  return {
    ...rest,
    permissions: [...permissions],
    parentRoleIds: [...parentRoleIds],
    inheritedPermissions: [...inheritedPermissions],
    createdAt: definedAt,
  };
};

const idByName = ({ roles }: RoleCatalog, name: string): string | undefined =>
  Object.keys(roles).find((roleId) => roles[roleId]?.name === name);

const theCatalog = async (reads: Reads): Promise<RoleCatalog> => (await reads.load(roleCatalog, ROLE_CATALOG_ID)).state;

const roleFacts = ({ roles }: RoleCatalog, roleId: string | undefined): RoleFacts | undefined => {
  const role = roleId === undefined ? undefined : roles[roleId];
  if (roleId === undefined || role === undefined) return undefined;
  return { roleId, name: role.name, permissions: effectivePermissions(roles, [roleId]) };
};

const editorFacts = async (_input: unknown, reads: Reads, { actor }: { actor: Actor }) => {
  const { state } = await reads.load(userAccess, actor.id);
  return { heldRoleIds: access.liveRoleIds(state, reads.now()) };
};

const changing = {
  access: 'manage:roles',
  stream: () => ROLE_CATALOG_ID,
  version: ({ roles }: RoleCatalog, { roleId }: { roleId: string }) => roles[roleId]?.version,
  facts: editorFacts,
  answer: {
    schema: Role,
    of: ({ state, input }: { state: RoleCatalog; input: { roleId: string } }) => shown(state, input.roleId),
  },
} as const;

const EXAMPLE_ROLE = '3662f6f5-7c09-5785-bb74-05555d5ca45e';
const EXAMPLE_ACCOUNT = '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01';

/** Every command of access: what it runs, where it is called, who may, which stream it judges. */
export const accessBindings = [
  bind(catalog.seedSystemRoles, {
    access: 'anyone',
    internal: true,
    stream: () => ROLE_CATALOG_ID,
    summary: 'Defines the roles of the service that are missing',
    example: {},
  }),
  bind(catalog.definePermission, {
    path: 'POST /rbac/permissions',
    access: '*:*',
    status: 201,
    stream: () => ROLE_CATALOG_ID,
    version: () => undefined,
    answer: { schema: Permission, of: ({ input }) => input },
    summary: 'Adds a permission to the catalogue',
    example: { name: 'close:offices', description: 'Close an office for a day', context: 'booking' },
  }),
  bind(catalog.describePermission, {
    path: 'PUT /rbac/permissions/:name',
    access: '*:*',
    stream: () => ROLE_CATALOG_ID,
    version: () => undefined,
    answer: { schema: Permission, of: ({ input }) => input },
    summary: 'Says in other words what a permission allows',
    example: { name: 'close:offices', description: 'Close an office for some days' },
  }),
  bind(catalog.defineRole, {
    path: 'POST /rbac/roles',
    access: 'manage:roles',
    status: 201,
    stream: () => ROLE_CATALOG_ID,
    version: (state, { name }) => state.roles[idByName(state, name) ?? '']?.version,
    answer: { schema: Role, of: ({ state, input }) => shown(state, idByName(state, input.name) ?? input.name) },
    summary: 'Defines a role',
    example: { name: 'scheduler', description: 'Sees appointments', permissions: ['read:own-appointments'] },
  }),
  bind(catalog.updateRole, {
    ...changing,
    path: 'PUT /rbac/roles/:roleId',
    summary: 'Changes a role: the fields given are replaced',
    example: { roleId: EXAMPLE_ROLE, description: 'Sees and books appointments' },
  }),
  bind(catalog.grantPermissionToRole, {
    ...changing,
    path: 'PUT /rbac/roles/:roleId/permissions/:permission',
    summary: 'Gives a role a permission',
    example: { roleId: EXAMPLE_ROLE, permission: 'book:appointments' },
  }),
  bind(catalog.revokePermissionFromRole, {
    ...changing,
    path: 'DELETE /rbac/roles/:roleId/permissions/:permission',
    summary: 'Takes a permission from a role',
    example: { roleId: EXAMPLE_ROLE, permission: 'book:appointments' },
  }),
  bind(catalog.setRoleParents, {
    ...changing,
    summary: 'Replaces the parents of a role',
    example: { roleId: EXAMPLE_ROLE, parentRoleIds: [] },
  }),
  bind(access.assignRole, {
    path: 'POST /rbac/users/:accountId/roles',
    access: 'assign:roles',
    status: 201,
    resolve: async (input, reads) => {
      const { roleName } = input;
      if (roleName === undefined) return input;
      const roleId = idByName(await theCatalog(reads), roleName);
      return roleId === undefined
        ? reject('NOT_FOUND', 'role-unknown', 'There is no such role', 'roleName')
        : { ...input, roleId };
    },
    stream: ({ accountId }) => accountId,
    facts: async ({ accountId, roleId }, reads) => {
      const { status } = (await reads.load(account, accountId)).state;
      return {
        role: roleFacts(await theCatalog(reads), roleId),
        account: status === 'active' ? ('active' as const) : ('unknown' as const),
      };
    },
    process: async ({ input: { accountId, roleId }, reads, step, judge }) => {
      const outcome = await judge();
      if (!outcome.ok || roleId === undefined) return outcome;
      const held = (await reads.load(userAccess, accountId)).state.assignments[roleId];
      if (held !== undefined && isCounted(roleId, held))
        await step(addAdministrator, ADMINISTRATORS_ID, { accountId, assignmentId: held.assignmentId });
      return outcome;
    },
    answer: {
      schema: z.object({
        accountId: z.string(),
        roleId: z.string(),
        name: z.string(),
        assignedBy: z.string(),
        assignedAt: z.string(),
        expiresAt: z.string().nullable(),
        reason: z.string().nullable(),
      }),
      of: ({ input: { accountId, roleId = '' }, state }) => {
        const held = state.assignments[roleId];
        return {
          accountId,
          roleId,
          name: held?.roleName ?? '',
          assignedBy: held?.assignedBy ?? '',
          assignedAt: held?.assignedAt ?? '',
          expiresAt: held?.expiresAt ?? null,
          reason: held?.reason ?? null,
        };
      },
    },
    summary: 'Gives an account a role',
    example: { accountId: EXAMPLE_ACCOUNT, roleName: 'provider', reason: 'Opens a practice' },
  }),
  bind(access.revokeRole, {
    path: 'DELETE /rbac/users/:accountId/roles/:roleId',
    access: 'assign:roles',
    stream: ({ accountId }) => accountId,
    facts: async ({ accountId, roleId }, reads) => {
      const { status } = (await reads.load(account, accountId)).state;
      const { released } = (await reads.load(administrators, ADMINISTRATORS_ID)).state;
      return {
        role: roleFacts(await theCatalog(reads), roleId),
        accountKnown: status === 'active',
        releasedAssignmentIds: released[accountId] ?? [],
      };
    },
    process: async ({ input: { accountId, roleId }, reads, step, judge }) => {
      // Judged before the circle of administrators is asked: a repeat, or one who may not, must not change it.
      const outcome = await judge();
      if (outcome.ok || outcome.reason !== access.STILL_COUNTED) return outcome;
      const held = (await reads.load(userAccess, accountId)).state.assignments[roleId];
      if (held === undefined) return outcome;
      const released = await step(releaseAdministrator, ADMINISTRATORS_ID, {
        accountId,
        assignmentId: held.assignmentId,
      });
      return released.ok ? judge() : released;
    },
    summary: 'Takes a role from an account',
    example: { accountId: EXAMPLE_ACCOUNT, roleId: EXAMPLE_ROLE },
  }),
  bind(access.expireRoleAssignment, {
    access: 'anyone',
    internal: true,
    stream: ({ accountId }) => accountId,
    summary: 'Takes note that an assignment has come to its end',
    example: { accountId: EXAMPLE_ACCOUNT, roleId: EXAMPLE_ROLE },
  }),
  bind(access.completeAdministratorRelease, {
    access: 'anyone',
    internal: true,
    stream: ({ accountId }) => accountId,
    summary: 'Revokes the role of an administrator who has left the circle',
    example: { accountId: EXAMPLE_ACCOUNT, assignmentId: EXAMPLE_ROLE },
  }),
  bind(addAdministrator, {
    access: 'anyone',
    internal: true,
    stream: () => ADMINISTRATORS_ID,
    summary: 'Counts an account among the administrators',
    example: { accountId: EXAMPLE_ACCOUNT, assignmentId: EXAMPLE_ROLE },
  }),
];
