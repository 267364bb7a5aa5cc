import { z } from 'zod';
import { commandsOf } from '../../decider.ts';
import { lines, roleName } from '../../fields.ts';
import { depthOf, effectivePermissions, MAX_DEPTH } from '../hierarchy.ts';
import { SYSTEM_ROLES, type SystemRoleName } from '../systemRoles.ts';
import { escalation, missingParent, nameTaken, Parents, Permissions, refusedPermission, tooDeep } from './checks.ts';
import { type Role, type RoleCatalog, type RoleCatalogEvent, roleCatalog } from './state.ts';

const command = commandsOf(roleCatalog);

const LONGEST_NAME = 50;

/** The name with the smallest number behind it that makes it a name of its own. */
const numbered = (name: string, taken: ReadonlySet<string>): string => {
  for (let number = 2; ; number += 1) {
    const ending = `_${number}`;
    const free = name.slice(0, LONGEST_NAME - ending.length) + ending;
    if (!taken.has(free)) return free;
  }
};

/** Gives other names to the roles that bear one which the service is about to use: commands find its roles by name. */
const makingRoom = (roles: RoleCatalog['roles'], wanted: readonly string[]): readonly RoleCatalogEvent[] => {
  const taken = new Set([...Object.values(roles).map(({ name }) => name), ...Object.keys(SYSTEM_ROLES)]);
  return Object.entries(roles)
    .filter(([, { name }]) => wanted.includes(name))
    .map(([roleId, { name }]) => ({ type: 'RoleUpdated', data: { roleId, changed: { name: numbered(name, taken) } } }));
};

/**
 * Defines the roles of the service that are not defined yet; those that are stay as they are. A role of somebody's own
 * that bears the name of one of them is given another name. Safe from many nodes at once.
 */
export const seedSystemRoles = command('SeedSystemRoles', z.object({}), (_input, { roles }, { now }) => {
  const missing = (Object.keys(SYSTEM_ROLES) as SystemRoleName[]).filter(
    (name) => roles[SYSTEM_ROLES[name].roleId] === undefined,
  );
  return [
    ...makingRoom(roles, missing),
    ...missing.map((name) => ({
      type: 'RoleDefined' as const,
      data: {
        roleId: SYSTEM_ROLES[name].roleId,
        name,
        description: SYSTEM_ROLES[name].description,
        permissions: [...SYSTEM_ROLES[name].permissions],
        parentRoleIds: (SYSTEM_ROLES[name].parents as readonly SystemRoleName[]).map(
          (parent) => SYSTEM_ROLES[parent].roleId,
        ),
        system: true,
        definedAt: now.toISOString(),
      },
    })),
  ];
});

/** Defines a role. Whoever does not hold `*:*` can put into it only what he holds himself. */
export const defineRole = command(
  'DefineRole',
  z.object({
    name: roleName,
    description: lines(0, 300).default(''),
    permissions: Permissions.default([]),
    parentRoleIds: Parents.default([]),
  }),
  ({ name, description, permissions, parentRoleIds }, state, { actor, newId, now }) => {
    const refused =
      refusedPermission(state, permissions) ??
      missingParent(state, parentRoleIds) ??
      escalation(actor, [...permissions, ...effectivePermissions(state.roles, parentRoleIds)]) ??
      nameTaken(state, name);
    if (refused !== undefined) return refused;
    const roleId = newId('role');
    const definedAt = now.toISOString();
    const data = { roleId, name, description, permissions, parentRoleIds, system: false, definedAt };
    const role: Role = { ...data, version: 0 };
    if (depthOf({ ...state.roles, [roleId]: role }, roleId) > MAX_DEPTH) return tooDeep();
    return [{ type: 'RoleDefined', data }];
  },
);
