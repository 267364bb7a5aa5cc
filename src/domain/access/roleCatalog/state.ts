import { z } from 'zod';
import { decider, type EventOf } from '../../decider.ts';
import { effectivePermissions } from '../hierarchy.ts';
import { CONTEXTS, isBuiltIn } from '../permissions.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  PermissionDefined: z.object({ name: z.string(), description: z.string(), context: z.enum(CONTEXTS) }),
  PermissionDescribed: z.object({ name: z.string(), description: z.string() }),
  PermissionRetired: z.object({ name: z.string() }),
  RoleDefined: z.object({
    roleId: z.string(),
    name: z.string(),
    description: z.string(),
    permissions: z.array(z.string()).describe('Own permissions, inherited ones excluded'),
    parentRoleIds: z.array(z.string()),
    system: z.boolean().describe('Brought along by the service'),
    definedAt: z.string(),
  }),
  RoleUpdated: z.object({
    roleId: z.string(),
    changed: z.object({ name: z.string().optional(), description: z.string().optional() }),
  }),
  PermissionGrantedToRole: z.object({ roleId: z.string(), permission: z.string() }),
  PermissionRevokedFromRole: z.object({ roleId: z.string(), permission: z.string() }),
  RoleParentsSet: z.object({ roleId: z.string(), parentRoleIds: z.array(z.string()) }),
  RoleDeletionBegun: z
    .object({ roleId: z.string(), deletionId: z.string() })
    .describe('Nobody is given the role any more, while it is found out whether somebody holds it'),
  RoleDeletionAbandoned: z.object({ roleId: z.string(), deletionId: z.string() }),
  RoleDeleted: z.object({ roleId: z.string(), name: z.string() }),
};
export type RoleCatalogEvent = EventOf<typeof events>;

/** A role as the catalogue knows it. `version` counts its own events from 0. */
export type Role = {
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
  readonly parentRoleIds: readonly string[];
  readonly system: boolean;
  readonly definedAt: string;
  readonly version: number;
  /** The deletion that has begun and has not come to its end. */
  readonly deletionId?: string;
};
export type RoleCatalog = {
  readonly roles: Readonly<Record<string, Role>>;
  /** Permissions defined beside the built-in ones with their descriptions, and built-in ones that were given others. */
  readonly permissions: Readonly<Record<string, string>>;
};

const without = <T>(of: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> => {
  const { [key]: _gone, ...rest } = of;
  return rest;
};

const changed = (state: RoleCatalog, roleId: string, change: (role: Role) => Partial<Role>): RoleCatalog => {
  const role = state.roles[roleId];
  if (role === undefined) return state;
  return {
    ...state,
    roles: { ...state.roles, [roleId]: { ...role, ...change(role), version: role.version + 1 } },
  };
};

/** Not a change of the role: its version stays. */
const withDeletion = (state: RoleCatalog, roleId: string, deletionId: string | undefined): RoleCatalog => {
  const role = state.roles[roleId];
  if (role === undefined) return state;
  const { deletionId: _before, ...rest } = role;
  return { ...state, roles: { ...state.roles, [roleId]: deletionId === undefined ? rest : { ...rest, deletionId } } };
};

/**
 * All roles of the service and the permissions they may hold, as one aggregate: unique names, a hierarchy without
 * cycles and of bounded depth, and permissions that exist are judged on the whole, so no two edits can break them.
 */
export const roleCatalog = decider<RoleCatalog, RoleCatalogEvent>({
  category: 'roleCatalog',
  events,
  initial: { roles: {}, permissions: {} },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'PermissionDefined':
      case 'PermissionDescribed':
        return { ...state, permissions: { ...state.permissions, [data.name]: data.description } };
      case 'PermissionRetired':
        return { ...state, permissions: without(state.permissions, data.name) };
      case 'RoleDefined': {
        const { roleId, ...role } = data;
        return { ...state, roles: { ...state.roles, [roleId]: { ...role, version: 0 } } };
      }
      case 'RoleUpdated':
        return changed(state, data.roleId, ({ name, description }) => ({
          name: data.changed.name ?? name,
          description: data.changed.description ?? description,
        }));
      case 'PermissionGrantedToRole':
        return changed(state, data.roleId, ({ permissions }) => ({ permissions: [...permissions, data.permission] }));
      case 'PermissionRevokedFromRole':
        return changed(state, data.roleId, ({ permissions }) => ({
          permissions: permissions.filter((permission) => permission !== data.permission),
        }));
      case 'RoleParentsSet':
        return changed(state, data.roleId, () => ({ parentRoleIds: data.parentRoleIds }));
      case 'RoleDeletionBegun':
        return withDeletion(state, data.roleId, data.deletionId);
      case 'RoleDeletionAbandoned':
        return withDeletion(state, data.roleId, undefined);
      case 'RoleDeleted':
        return { ...state, roles: without(state.roles, data.roleId) };
    }
  },
});
/** The id of the one stream of {@link roleCatalog}. */
export const ROLE_CATALOG_ID = 'all';

/** Whether there is a permission of this name, built in or defined later. */
export const isKnown = (state: RoleCatalog, permission: string): boolean =>
  isBuiltIn(permission) || Object.hasOwn(state.permissions, permission);

/** The ids of the roles that inherit from a role at first hand. */
export const childrenOf = (roles: RoleCatalog['roles'], roleId: string): readonly string[] =>
  Object.keys(roles).filter((child) => roles[child]?.parentRoleIds.includes(roleId));

/** What the answer of a role-changing command shows. */
export const roleOf = ({ roles }: RoleCatalog, roleId: string) => {
  const known = roles[roleId];
  if (known === undefined) return undefined;
  const { deletionId: _underWay, ...role } = known;
  const inherited = effectivePermissions(roles, role.parentRoleIds);
  const childRoleIds = childrenOf(roles, roleId);
  return { id: roleId, ...role, inheritedPermissions: inherited, childRoleIds };
};
