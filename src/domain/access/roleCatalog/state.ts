import { z } from 'zod';
import { decider, type EventOf } from '../../decider.ts';
import { effectivePermissions } from '../hierarchy.ts';
import { CONTEXTS, isBuiltIn } from '../permissions.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  PermissionDefined: z.object({ name: z.string(), description: z.string(), context: z.enum(CONTEXTS) }),
  PermissionDescribed: z.object({ name: z.string(), description: z.string() }),
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
};
export type RoleCatalog = {
  readonly roles: Readonly<Record<string, Role>>;
  /** Permissions defined beside the built-in ones, with their descriptions. */
  readonly permissions: Readonly<Record<string, string>>;
};

const changed = (state: RoleCatalog, roleId: string, change: (role: Role) => Partial<Role>): RoleCatalog => {
  const role = state.roles[roleId];
  if (role === undefined) return state;
  return {
    ...state,
    roles: { ...state.roles, [roleId]: { ...role, ...change(role), version: role.version + 1 } },
  };
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
    }
  },
});
/** The id of the one stream of {@link roleCatalog}. */
export const ROLE_CATALOG_ID = 'all';

/** Whether there is a permission of this name, built in or defined later. */
export const isKnown = (state: RoleCatalog, permission: string): boolean =>
  isBuiltIn(permission) || Object.hasOwn(state.permissions, permission);

/** What the answer of a role-changing command shows. */
export const roleOf = ({ roles }: RoleCatalog, roleId: string) => {
  const role = roles[roleId];
  if (role === undefined) return undefined;
  const inherited = effectivePermissions(roles, role.parentRoleIds);
  const childRoleIds = Object.keys(roles).filter((child) => roles[child]?.parentRoleIds.includes(roleId));
  return { id: roleId, ...role, inheritedPermissions: inherited, childRoleIds };
};
