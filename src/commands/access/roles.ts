import { z } from 'zod';
import { CONTEXTS } from '../../domain/access/permissions.ts';
import * as catalog from '../../domain/access/roleCatalog/index.ts';
import { ROLE_CATALOG_ID, type RoleCatalog, roleOf } from '../../domain/access/roleCatalog/index.ts';
import { liveRoleIds, userAccess } from '../../domain/access/userAccess.ts';
import type { Actor } from '../../domain/decider.ts';
import { bind, internal, type Outcome, type Run } from '../binding.ts';
import type { Reads } from '../reads.ts';
import { EXAMPLE_ROLE, idByName } from './catalogue.ts';

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
  const { definedAt, permissions, parentRoleIds, childRoleIds, inheritedPermissions, ...rest } = role;
  return {
    ...rest,
    permissions: [...permissions],
    parentRoleIds: [...parentRoleIds],
    childRoleIds: [...childRoleIds],
    inheritedPermissions: [...inheritedPermissions],
    createdAt: definedAt,
  };
};

const editorFacts = async (_input: unknown, reads: Reads, { actor }: { actor: Actor }) => {
  const { state } = await reads.load(userAccess, actor.id);
  return { heldRoleIds: liveRoleIds(state, reads.now()) };
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

/**
 * Closes the role, looks whether somebody was given it before that, and deletes it, or opens it again. Assignments that
 * come about after it was closed withdraw themselves.
 */
const deletion = async ({
  input,
  actor,
  newId,
  reads,
  step,
  judge,
}: Run<{ readonly roleId: string }, catalog.DeletionFacts>): Promise<Outcome> => {
  const { roleId } = input;
  const facts = await editorFacts(input, reads, { actor });
  const of = { roleId, deletionId: newId('deletion') };
  const begun = await step(catalog.beginRoleDeletion, ROLE_CATALOG_ID, of, facts);
  // Refused for the same reason, unless it is a repeat of a deletion that came about.
  if (!begun.ok) return judge(input, { ...facts, deletionId: of.deletionId, assigned: false });
  const assigned = await reads.lookups.isAssigned(roleId, begun.position);
  const outcome = await judge(input, { ...facts, deletionId: of.deletionId, assigned });
  if (!outcome.ok) await step(catalog.abandonRoleDeletion, ROLE_CATALOG_ID, of);
  return outcome;
};

/** Every command about roles and permissions. */
export const roleBindings = [
  internal(catalog.seedSystemRoles, () => ROLE_CATALOG_ID),
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
  bind(catalog.retirePermission, {
    path: 'DELETE /rbac/permissions/:name',
    access: '*:*',
    stream: () => ROLE_CATALOG_ID,
    version: () => undefined,
    summary: 'Takes a permission out of the catalogue that no role holds',
    example: { name: 'close:offices' },
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
  bind(catalog.deleteRole, {
    path: 'DELETE /rbac/roles/:roleId',
    access: 'manage:roles',
    stream: () => ROLE_CATALOG_ID,
    version: ({ roles }, { roleId }) => roles[roleId]?.version,
    process: deletion,
    summary: 'Deletes a role that nobody holds and no other role inherits from',
    example: { roleId: EXAMPLE_ROLE },
  }),
  internal(catalog.abandonRoleDeletion, () => ROLE_CATALOG_ID),
];
