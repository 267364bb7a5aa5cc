/** What the hierarchy needs to know of a role. */
export type Node = { readonly permissions: readonly string[]; readonly parentRoleIds: readonly string[] };
/** Roles by their id. */
export type Hierarchy<N extends Node = Node> = Readonly<Record<string, N>>;

/** Roles on the longest chain upwards, the role itself included, that a hierarchy allows. */
export const MAX_DEPTH = 5;

/** The ids of the roles given and of all their ancestors, each once, nearest first. Unknown roles have no ancestors. */
export const withAncestors = (roles: Hierarchy, roleIds: readonly string[]): readonly string[] => {
  const seen = new Set(roleIds);
  for (const roleId of seen) for (const parent of roles[roleId]?.parentRoleIds ?? []) seen.add(parent);
  return [...seen];
};

/** The permissions that the roles give: their own and those of all their ancestors, each once, in order of name. */
export const effectivePermissions = (roles: Hierarchy, roleIds: readonly string[]): readonly string[] =>
  [...new Set(withAncestors(roles, roleIds).flatMap((roleId) => roles[roleId]?.permissions ?? []))].sort();

/** Roles on the longest chain from the role upwards, itself included. The hierarchy must have no cycle. */
export const depthOf = (roles: Hierarchy, roleId: string): number =>
  1 + Math.max(0, ...(roles[roleId]?.parentRoleIds ?? []).map((parent) => depthOf(roles, parent)));

/** Roles on the longest chain from the role downwards, itself included. The hierarchy must have no cycle. */
export const heightOf = (roles: Hierarchy, roleId: string): number =>
  1 +
  Math.max(
    0,
    ...Object.keys(roles)
      .filter((child) => roles[child]?.parentRoleIds.includes(roleId))
      .map((child) => heightOf(roles, child)),
  );
