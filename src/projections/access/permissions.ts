import type { Kysely } from 'kysely';
import { BUILT_IN, isBuiltIn } from '../../domain/access/permissions.ts';
import { projection, type RowOf, text } from '../projection.ts';

const columns = { name: text, description: text, context: text };
export type PermissionRow = RowOf<typeof columns>;

/** The permissions that were defined beside the built-in ones, and those of these that were given other words. */
export const permissions = projection({
  name: 'permissions',
  version: 3,
  columns,
  key: { column: 'name', of: ({ data }) => data.name },
  fold: {
    PermissionDefined: (_row, { data }): PermissionRow => data,
    PermissionDescribed: (row: PermissionRow | undefined, { data: { name, description } }) =>
      isBuiltIn(name) ? { name, description, context: BUILT_IN[name].context } : row && { ...row, description },
    PermissionRetired: () => undefined,
  },
});

/** All of them, in order of name. */
export const definedPermissions = (db: Kysely<{ permissions: PermissionRow }>): Promise<PermissionRow[]> =>
  db.selectFrom('permissions').selectAll().orderBy('name').execute();
