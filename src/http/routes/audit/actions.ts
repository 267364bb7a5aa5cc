/** What the access log calls the facts of the context `access`, and the action of the audit trail behind each. */
export const ACCESS_ACTIONS: Readonly<Record<string, string>> = {
  role_defined: 'role_defined',
  role_updated: 'role_updated',
  role_deleted: 'role_deleted',
  permission_granted: 'permission_granted_to_role',
  permission_revoked: 'permission_revoked_from_role',
  parents_set: 'role_parents_set',
  role_assigned: 'role_assigned',
  role_revoked: 'role_revoked',
  assignment_expired: 'role_assignment_expired',
  access_denied: 'access_denied',
};

const short: ReadonlyMap<string, string> = new Map(
  Object.entries(ACCESS_ACTIONS).map(([name, action]) => [action, name]),
);

/** The action of the audit trail that a name of the access log stands for; any other name is one itself. */
export const longOf = (name: string): string => (Object.hasOwn(ACCESS_ACTIONS, name) && ACCESS_ACTIONS[name]) || name;

/** What the access log calls an action; one that it does not know is called as it is. */
export const shortOf = (action: string): string => short.get(action) ?? action;
