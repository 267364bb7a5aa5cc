import type { Kysely } from 'kysely';
import type { Hierarchy } from '../../domain/access/hierarchy.ts';
import { boolean, instant, integer, json, projection, type RowOf, text, uuid } from '../projection.ts';

const columns = {
  role_id: uuid,
  name: text,
  description: text,
  system: boolean,
  permissions: json<readonly string[]>(),
  parent_role_ids: json<readonly string[]>(),
  created_at: instant,
  updated_at: instant,
  version: integer,
};
export type RoleRow = RowOf<typeof columns>;

const changed = (
  row: RoleRow | undefined,
  { recordedAt }: { readonly recordedAt: string },
  change: (row: RoleRow) => Partial<RoleRow>,
): RoleRow | undefined => row && { ...row, ...change(row), updated_at: recordedAt, version: row.version + 1 };

/** Every role with its own permissions and parents; what it inherits follows from the hierarchy when it is asked for. */
export const roles = projection({
  name: 'roles',
  version: 2,
  columns,
  key: { column: 'role_id', of: ({ data }) => data.roleId },
  fold: {
    RoleDefined: (_row, { data }): RoleRow => ({
      role_id: data.roleId,
      name: data.name,
      description: data.description,
      system: data.system,
      permissions: data.permissions,
      parent_role_ids: data.parentRoleIds,
      created_at: data.definedAt,
      updated_at: data.definedAt,
      version: 0,
    }),
    RoleUpdated: (row: RoleRow | undefined, event) =>
      changed(row, event, ({ name, description }) => ({
        name: event.data.changed.name ?? name,
        description: event.data.changed.description ?? description,
      })),
    PermissionGrantedToRole: (row: RoleRow | undefined, event) =>
      changed(row, event, ({ permissions }) => ({ permissions: [...permissions, event.data.permission] })),
    PermissionRevokedFromRole: (row: RoleRow | undefined, event) =>
      changed(row, event, ({ permissions }) => ({
        permissions: permissions.filter((permission) => permission !== event.data.permission),
      })),
    RoleParentsSet: (row: RoleRow | undefined, event) =>
      changed(row, event, () => ({ parent_role_ids: event.data.parentRoleIds })),
    RoleDeleted: () => undefined,
  },
});

/** All roles in order of name. There are few: names, hierarchy and filters are worked out in memory. */
export const allRoles = (db: Kysely<{ roles: RoleRow }>): Promise<RoleRow[]> =>
  db.selectFrom('roles').selectAll().orderBy('name').execute();

/** What rules and answers know of a role. */
export type NamedRole = {
  readonly name: string;
  readonly permissions: readonly string[];
  readonly parentRoleIds: readonly string[];
};

/** Roles as rules about the hierarchy take them, by id. */
export const hierarchyOf = (rows: readonly RoleRow[]): Hierarchy<NamedRole> =>
  Object.fromEntries(
    rows.map(({ role_id, name, permissions, parent_role_ids }) => [
      role_id,
      { name, permissions, parentRoleIds: parent_role_ids },
    ]),
  );
