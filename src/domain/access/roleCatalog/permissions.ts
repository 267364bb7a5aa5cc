import { z } from 'zod';
import { commandsOf, reject } from '../../decider.ts';
import { lines, permissionName } from '../../fields.ts';
import { BUILT_IN, CONTEXTS, isBuiltIn } from '../permissions.ts';
import { isKnown, roleCatalog } from './state.ts';

const command = commandsOf(roleCatalog);

const definable = permissionName.refine((name) => name !== '*:*', '*:* is built in');

/** Adds a permission to the catalogue, for custom roles to hold. */
export const definePermission = command(
  'DefinePermission',
  z.object({ name: definable, description: lines(1, 200), context: z.enum(CONTEXTS) }),
  (data, state) => {
    if (isKnown(state, data.name))
      return reject('CONFLICT', 'permission-name-taken', `There is a permission ${data.name} already`, 'name');
    return [{ type: 'PermissionDefined', data }];
  },
);

/** Says in other words what a permission allows, a built-in one too. Its name never changes. */
export const describePermission = command(
  'DescribePermission',
  z.object({ name: permissionName, description: lines(1, 200) }),
  (data, { permissions }) => {
    const { name } = data;
    const before = permissions[name] ?? (isBuiltIn(name) ? BUILT_IN[name].description : undefined);
    if (before === undefined) return reject('NOT_FOUND', 'permission-unknown', 'There is no such permission', 'name');
    return before === data.description ? [] : [{ type: 'PermissionDescribed', data }];
  },
);

/** Takes a permission out of the catalogue that no role holds any more. The built-in ones stay. */
export const retirePermission = command(
  'RetirePermission',
  z.object({ name: permissionName }),
  (data, { permissions, roles }) => {
    const { name } = data;
    if (isBuiltIn(name))
      return reject('CONFLICT', 'permission-built-in', 'A built-in permission cannot be retired', 'name');
    if (permissions[name] === undefined)
      return reject('NOT_FOUND', 'permission-unknown', 'There is no such permission', 'name');
    const holder = Object.values(roles).find((role) => role.permissions.includes(name));
    if (holder !== undefined)
      return reject('CONFLICT', 'permission-in-use', `The role ${holder.name} holds this permission`, 'name');
    return [{ type: 'PermissionRetired', data }];
  },
);
