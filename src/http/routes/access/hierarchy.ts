import type { Hierarchy } from '../../../domain/access/hierarchy.ts';
import type { RoleRow } from '../../../projections/access/roles.ts';

type Named = {
  readonly name: string;
  readonly permissions: readonly string[];
  readonly parentRoleIds: readonly string[];
};

/** The roles of the read model as rules about the hierarchy take them. */
export const hierarchyOf = (rows: readonly RoleRow[]): Hierarchy<Named> =>
  Object.fromEntries(
    rows.map(({ role_id, name, permissions: own, parent_role_ids }) => [
      role_id,
      { name, permissions: own, parentRoleIds: parent_role_ids },
    ]),
  );

/** Whether a text holds a part without regard to case; any does when no part is asked for. */
export const contains = (text: string, part: string | undefined): boolean =>
  part === undefined || text.toLowerCase().includes(part.toLowerCase());
