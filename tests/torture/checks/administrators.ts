import { type LogEvent, textOf, type Violation } from './violation.ts';

const CHECK = 'administrators';

/**
 * From the first administrator on there is always one: in the circle that guards the last, and among the accounts that
 * hold the role for good. Whoever is in the circle holds the role.
 */
export const administratorViolations = (
  events: readonly LogEvent[],
): { readonly violations: Violation[]; readonly holders: ReadonlySet<string> } => {
  const violations: Violation[] = [];
  const say = (what: string, event: LogEvent): void => {
    violations.push({ check: CHECK, what, events: [event] });
  };
  const circle = new Set<string>();
  const holders = new Set<string>();
  for (const event of events) {
    const account = textOf(event, 'accountId');
    const isAdmin = textOf(event, 'roleName') === 'admin' && event.data.expiresAt === undefined;
    switch (event.type) {
      case 'RoleAssigned':
        if (isAdmin) holders.add(account);
        break;
      case 'RoleRevoked':
        if (!isAdmin) break;
        if (circle.has(account)) say('a member of the circle lost the role admin', event);
        if (!holders.delete(account)) say('the role admin was taken from somebody who did not hold it', event);
        if (holders.size === 0) say('nobody holds the role admin', event);
        break;
      case 'AdministratorAdded':
        if (!holders.has(account)) say('somebody joined the circle who does not hold the role admin', event);
        circle.add(account);
        break;
      case 'AdministratorReleased':
        circle.delete(account);
        if (circle.size === 0) say('the circle of administrators is empty', event);
        break;
    }
  }
  return { violations, holders };
};
