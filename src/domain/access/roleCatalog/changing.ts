import { z } from 'zod';
import { type Actor, commandsOf, reject } from '../../decider.ts';
import { lines, permissionName, roleName, uuid, version } from '../../fields.ts';
import { effectivePermissions } from '../hierarchy.ts';
import { ADMIN_ROLE_ID } from '../systemRoles.ts';
import {
  badParents,
  type EditorFacts,
  escalation,
  missingParent,
  nameTaken,
  notEditable,
  Parents,
  Permissions,
  refusedPermission,
} from './checks.ts';
import { isKnown, roleCatalog } from './state.ts';

const command = commandsOf(roleCatalog);

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((value) => b.includes(value));

/** Changes a role: the fields given are replaced, the others stay. System roles keep their name, admin keeps everything. */
export const updateRole = command(
  'UpdateRole',
  z.object({
    roleId: uuid,
    name: roleName.optional(),
    description: lines(0, 300).optional(),
    permissions: Permissions.optional(),
    parentRoleIds: Parents.optional(),
    version: version.optional().describe('The version of the role that the caller has seen'),
  }),
  (input, state, { actor, facts }: { actor: Actor; facts: EditorFacts }) => {
    const { roleId, name, description, permissions, parentRoleIds } = input;
    const role = state.roles[roleId];
    const added = (permissions ?? []).filter((permission) => !role?.permissions.includes(permission));
    const newParents = (parentRoleIds ?? []).filter((parent) => !role?.parentRoleIds.includes(parent));
    const refused =
      refusedPermission(state, roleId === ADMIN_ROLE_ID ? [] : (permissions ?? [])) ??
      (role === undefined ? reject('NOT_FOUND', 'role-unknown', 'There is no such role') : undefined) ??
      missingParent(state, parentRoleIds ?? []) ??
      escalation(actor, [...added, ...effectivePermissions(state.roles, newParents)]) ??
      notEditable(roleId, state, actor, facts);
    if (refused !== undefined || role === undefined) return refused ?? [];
    if (input.version !== undefined && input.version !== role.version)
      return reject('CONFLICT', 'stale-version', `The role is at version ${role.version} by now`, 'version');
    if (role.system && name !== undefined && name !== role.name)
      return reject('CONFLICT', 'system-role', 'A role of the service keeps its name', 'name');
    const conflict =
      (name === undefined ? undefined : nameTaken(state, name, roleId)) ??
      (parentRoleIds === undefined ? undefined : badParents(state, roleId, parentRoleIds));
    if (conflict !== undefined) return conflict;
    const words = {
      ...(name === undefined || name === role.name ? {} : { name }),
      ...(description === undefined || description === role.description ? {} : { description }),
    };
    const removed = permissions === undefined ? [] : role.permissions.filter((held) => !permissions.includes(held));
    const moved = parentRoleIds !== undefined && !sameSet(parentRoleIds, role.parentRoleIds);
    return [
      ...(Object.keys(words).length > 0 ? [{ type: 'RoleUpdated' as const, data: { roleId, changed: words } }] : []),
      ...added.map((permission) => ({ type: 'PermissionGrantedToRole' as const, data: { roleId, permission } })),
      ...removed.map((permission) => ({ type: 'PermissionRevokedFromRole' as const, data: { roleId, permission } })),
      ...(moved ? [{ type: 'RoleParentsSet' as const, data: { roleId, parentRoleIds } }] : []),
    ];
  },
);

const OfRole = z.object({ roleId: uuid, permission: permissionName });

/** Gives a role a permission that the issuer holds himself. Giving it twice changes nothing. */
export const grantPermissionToRole = command(
  'GrantPermissionToRole',
  OfRole,
  (data, state, { actor, facts }: { actor: Actor; facts: EditorFacts }) => {
    const role = state.roles[data.roleId];
    if (role === undefined) return reject('NOT_FOUND', 'role-unknown', 'There is no such role');
    if (!isKnown(state, data.permission))
      return reject('NOT_FOUND', 'permission-unknown', 'There is no such permission', 'permission');
    const refused = escalation(actor, [data.permission]) ?? notEditable(data.roleId, state, actor, facts);
    if (refused !== undefined) return refused;
    if (data.permission === '*:*')
      return reject('VALIDATION_ERROR', 'permission-reserved', 'Only the role admin holds *:*', 'permission');
    if (role.permissions.includes(data.permission)) return [];
    if (role.permissions.length >= 200)
      return reject('CONFLICT', 'too-many-permissions', 'A role holds at most 200 permissions');
    return [{ type: 'PermissionGrantedToRole', data }];
  },
);

/** Takes a permission from a role. Taking what it does not hold changes nothing. */
export const revokePermissionFromRole = command(
  'RevokePermissionFromRole',
  OfRole,
  (data, state, { actor, facts }: { actor: Actor; facts: EditorFacts }) => {
    const refused = notEditable(data.roleId, state, actor, facts);
    if (refused !== undefined) return refused;
    return state.roles[data.roleId]?.permissions.includes(data.permission)
      ? [{ type: 'PermissionRevokedFromRole', data }]
      : [];
  },
);

/** Replaces the parents of a role. */
export const setRoleParents = command(
  'SetRoleParents',
  z.object({ roleId: uuid, parentRoleIds: Parents }),
  (data, state, { actor, facts }: { actor: Actor; facts: EditorFacts }) => {
    const { roleId, parentRoleIds } = data;
    const role = state.roles[roleId];
    if (role === undefined) return reject('NOT_FOUND', 'role-unknown', 'There is no such role');
    const newParents = parentRoleIds.filter((parent) => !role.parentRoleIds.includes(parent));
    const refused =
      missingParent(state, parentRoleIds) ??
      escalation(actor, effectivePermissions(state.roles, newParents)) ??
      notEditable(roleId, state, actor, facts) ??
      badParents(state, roleId, parentRoleIds);
    if (refused !== undefined) return refused;
    return sameSet(parentRoleIds, role.parentRoleIds) ? [] : [{ type: 'RoleParentsSet', data }];
  },
);
