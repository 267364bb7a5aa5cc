import { SYSTEM_ROLES } from '../../../src/domain/access/systemRoles.ts';
import type { Sent } from './wire.ts';
import type { World } from './world.ts';

/** Commands by which a mighty caller changes what others may see; and those that make the victim known to others. */
const GRANTS = /AssignRole|RevokeRole|UpdateRole|ToRole|FromRole|SetRoleParents|\/rbac\/(?:roles|users)/i;
/** Commands by which a mighty caller ends accounts and logins of others, his own included, or lets accounts change hands. */
const ENDS = /revoke-all|RevokeAllTokens/i;
const TOUCHES =
  /\/users\/|LockAccount|DeactivateAccount|EraseAccount|Profile|Preferences|Subscription|\/auth\/api-keys|ApiKey/i;
const INTRODUCES = /provider\/profiles|ProviderProfile|\/appointments|Appointment/i;
const SYSTEM_ROLE_IDS = Object.values(SYSTEM_ROLES).map(({ roleId }) => roleId as string);

/**
 * Whether a request would let somebody into the victim's session, or let the people of the play see more than the table
 * of entitlements says: then a leak could not be told from a right.
 */
export const spoils = ({ path, body, as, method }: Sent, { kept, closedDoors, people }: World): boolean => {
  const text = `${path}\n${body?.toString() ?? ''}`.toLowerCase();
  const names = (values: Iterable<string>): boolean => [...values].some((value) => text.includes(value.toLowerCase()));
  if (/join/i.test(path) && as !== 'mate' && names(closedDoors)) return true;
  if (as !== 'admin' || method === 'GET') return false;
  if (ENDS.test(path)) return true;
  if (TOUCHES.test(path) && names(kept)) return true;
  if (GRANTS.test(path) && (names(kept) || names(SYSTEM_ROLE_IDS))) return true;
  return INTRODUCES.test(path) && names([people.get('victim')?.accountId ?? '']);
};
