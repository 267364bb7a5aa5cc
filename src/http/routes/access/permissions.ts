import { z } from 'zod';
import { BUILT_IN, CONTEXTS, isBuiltIn } from '../../../domain/access/permissions.ts';
import { line } from '../../../domain/fields.ts';
import { definedPermissions, permissions } from '../../../projections/access/permissions.ts';
import { allRoles, roles } from '../../../projections/access/roles.ts';
import { listAnswer, offsetOf, page, paginated, sorted } from '../../answers.ts';
import type { App, Deps } from '../../app.ts';
import { contains } from './contains.ts';

const PermissionView = z.object({
  name: z.string(),
  description: z.string(),
  context: z.string(),
  builtIn: z.boolean(),
  roles: z.array(z.string()).describe('Names of the roles that hold it themselves'),
});

/** The catalogue of permissions. */
export const permissionRoutes = (app: App, { db }: Deps): void => {
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
      const builtIn = Object.entries(BUILT_IN).map(([name, rest]) => ({ name, ...rest }));
      // In the words of the administrators where they have found others.
      const catalogue = [...new Map([...builtIn, ...defined].map((row) => [row.name, row])).values()].map((row) => ({
        ...row,
        builtIn: isBuiltIn(row.name),
      }));
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
};
