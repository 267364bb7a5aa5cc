import { effectivePermissions } from '../../domain/access/hierarchy.ts';
import { ROLE_CATALOG_ID, type RoleCatalog, roleCatalog } from '../../domain/access/roleCatalog/index.ts';
import type { RoleFacts } from '../../domain/access/userAccess.ts';
import type { Reads } from '../reads.ts';

/** Of roles and accounts in the examples of the API document. */
export const EXAMPLE_ROLE = '3662f6f5-7c09-5785-bb74-05555d5ca45e';
export const EXAMPLE_ACCOUNT = '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01';

/** The id of the role that bears a name now; undefined when none does. */
export const idByName = ({ roles }: RoleCatalog, name: string): string | undefined =>
  Object.keys(roles).find((roleId) => roles[roleId]?.name === name);

/** All roles as this process knows them. */
export const theCatalog = async (reads: Reads): Promise<RoleCatalog> =>
  (await reads.load(roleCatalog, ROLE_CATALOG_ID)).state;

/**
 * Whether the role is deleted, or was closed for that before the position: by the log itself, whichever process has
 * changed it. What was assigned before a role was closed is seen by the deletion, which then comes to nothing.
 */
export const isLost = async (reads: Reads, roleId: string, before?: bigint): Promise<boolean> => {
  let lost = true;
  for (const { type, data, position } of await reads.history(roleCatalog, ROLE_CATALOG_ID)) {
    if (!('roleId' in data) || data.roleId !== roleId) continue;
    if (type === 'RoleDefined' || type === 'RoleDeletionAbandoned') lost = false;
    if (type === 'RoleDeletionBegun') lost ||= before !== undefined && position < before;
    if (type === 'RoleDeleted') lost = true;
  }
  return lost;
};

/** A role as the rules about assignments see it; undefined when there is none. */
export const roleFacts = ({ roles }: RoleCatalog, roleId: string | undefined): RoleFacts | undefined => {
  const role = roleId === undefined ? undefined : roles[roleId];
  if (roleId === undefined || role === undefined) return undefined;
  const permissions = effectivePermissions(roles, [roleId]);
  return { roleId, name: role.name, permissions, closed: role.deletionId !== undefined };
};
