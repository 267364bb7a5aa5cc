import { z } from 'zod';
import { type Actor, can, type Rejection, reject } from '../../decider.ts';
import { permissionName, uuid } from '../../fields.ts';
import { depthOf, heightOf, MAX_DEPTH, withAncestors } from '../hierarchy.ts';
import { ADMIN_ROLE_ID } from '../systemRoles.ts';
import { isKnown, type RoleCatalog } from './state.ts';

/** The first permission that no role but the administrator's may hold, or that is in no catalogue. */
export const refusedPermission = (state: RoleCatalog, permissions: readonly string[]): Rejection | undefined => {
  if (permissions.includes('*:*'))
    return reject('VALIDATION_ERROR', 'permission-reserved', 'Only the role admin holds *:*', 'permissions');
  const unknown = permissions.find((permission) => !isKnown(state, permission));
  return unknown === undefined
    ? undefined
    : reject('VALIDATION_ERROR', 'permission-unknown', `There is no permission ${unknown}`, 'permissions');
};

/** Every parent must be a role. */
export const missingParent = (state: RoleCatalog, parentRoleIds: readonly string[]): Rejection | undefined =>
  parentRoleIds.every((parent) => state.roles[parent] !== undefined)
    ? undefined
    : reject('NOT_FOUND', 'parent-unknown', 'There is no such parent role', 'parentRoleIds');

/** Nobody hands out what he does not hold. */
export const escalation = (actor: Actor, permissions: readonly string[]): Rejection | undefined => {
  const beyond = permissions.find((permission) => !can(actor, permission));
  return beyond === undefined
    ? undefined
    : reject('FORBIDDEN', 'privilege-escalation', `You cannot hand out ${beyond}, which you do not hold`);
};

/** Names are unique; `butFor` is the role that bears the name already. */
export const nameTaken = (state: RoleCatalog, name: string, butFor?: string): Rejection | undefined =>
  Object.entries(state.roles).some(([roleId, role]) => roleId !== butFor && role.name === name)
    ? reject('CONFLICT', 'role-name-taken', `There is a role ${name} already`, 'name')
    : undefined;

/** The refusal of a chain that is too long. */
export const tooDeep = (): Rejection =>
  reject('CONFLICT', 'hierarchy-too-deep', `A chain of roles has at most ${MAX_DEPTH}`, 'parentRoleIds');

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
/** The permissions of a role, each once. */
export const Permissions = z.array(permissionName).max(200, 'At most 200 permissions').overwrite(unique);
/** The parents of a role, each once. */
export const Parents = z.array(uuid).max(5, 'At most 5 parents').overwrite(unique);

/** What the rules that change a role know of the one who changes it. */
export type EditorFacts = {
  /** The roles assigned to him, inherited ones excluded. */
  readonly heldRoleIds: readonly string[];
};

/** Why this actor may not change this role, if so. */
export const notEditable = (
  roleId: string,
  state: RoleCatalog,
  actor: Actor,
  { heldRoleIds }: EditorFacts,
): Rejection | undefined => {
  if (state.roles[roleId] === undefined) return reject('NOT_FOUND', 'role-unknown', 'There is no such role');
  if (!can(actor, '*:*') && withAncestors(state.roles, heldRoleIds).includes(roleId))
    return reject('FORBIDDEN', 'own-role', 'Nobody changes a role that he holds himself');
  if (roleId === ADMIN_ROLE_ID) return reject('CONFLICT', 'role-unchangeable', 'The role admin cannot be changed');
  return undefined;
};

/** Whether the parents would make a cycle or a chain that is too long. */
export const badParents = (
  state: RoleCatalog,
  roleId: string,
  parentRoleIds: readonly string[],
): Rejection | undefined => {
  if (withAncestors(state.roles, parentRoleIds).includes(roleId))
    return reject('CONFLICT', 'hierarchy-cycle', 'A role cannot inherit from itself', 'parentRoleIds');
  const above = Math.max(0, ...parentRoleIds.map((parent) => depthOf(state.roles, parent)));
  return above + heightOf(state.roles, roleId) > MAX_DEPTH ? tooDeep() : undefined;
};
