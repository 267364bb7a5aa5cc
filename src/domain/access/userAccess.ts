import { z } from 'zod';
import { type Actor, can, commandsOf, decider, type EventOf, type Rejection, reject } from '../decider.ts';
import { instant, lines, roleName, uuid } from '../fields.ts';
import { ADMIN_ROLE_ID, isPlanRole } from './systemRoles.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  RoleAssigned: z.object({
    accountId: z.string(),
    roleId: z.string(),
    roleName: z.string().describe('The name of the role at that time'),
    assignmentId: z.string().describe('Tells this assignment from earlier and later ones of the same role'),
    assignedBy: z.string(),
    assignedAt: z.string(),
    reason: z.string().optional(),
    expiresAt: z.string().optional().describe('From then on it gives nothing'),
  }),
  RoleRevoked: z.object({
    accountId: z.string(),
    roleId: z.string(),
    roleName: z.string(),
    revokedBy: z.string(),
    reason: z.string().optional(),
  }),
  RoleAssignmentExpired: z.object({ accountId: z.string(), roleId: z.string() }),
};
export type UserAccessEvent = EventOf<typeof events>;

/** One role that an account holds. */
export type Assignment = {
  readonly assignmentId: string;
  readonly roleName: string;
  readonly assignedBy: string;
  readonly assignedAt: string;
  readonly reason?: string | undefined;
  readonly expiresAt?: string | undefined;
};
/** The assignments of one account by role, those included that have expired without notice so far. */
export type UserAccess = { readonly assignments: Readonly<Record<string, Assignment>> };

const without = ({ assignments }: UserAccess, roleId: string): UserAccess => {
  const { [roleId]: _gone, ...rest } = assignments;
  return { assignments: rest };
};

/** The roles assigned to one account; the stream's id is the account's. */
export const userAccess = decider<UserAccess, UserAccessEvent>({
  category: 'userAccess',
  events,
  initial: { assignments: {} },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'RoleAssigned': {
        const { accountId: _owner, roleId: _key, ...assignment } = data;
        return { assignments: { ...state.assignments, [data.roleId]: assignment } };
      }
      case 'RoleRevoked':
      case 'RoleAssignmentExpired':
        return without(state, data.roleId);
    }
  },
});
const command = commandsOf(userAccess);

const hasExpired = ({ expiresAt }: Assignment, now: Date): boolean =>
  expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime();

/** The ids of the roles that count now: assigned, and not past their end. */
export const liveRoleIds = ({ assignments }: UserAccess, now: Date): readonly string[] =>
  Object.entries(assignments)
    .filter(([, assignment]) => !hasExpired(assignment, now))
    .map(([roleId]) => roleId);

/** A role as the rules about assignments see it. */
export type RoleFacts = {
  readonly roleId: string;
  readonly name: string;
  /** Own and inherited ones. */
  readonly permissions: readonly string[];
  /** Is about to be deleted. */
  readonly closed?: boolean;
};
/** What AssignRole must know of other streams. */
export type AssignFacts = {
  /** Undefined: no such role. */
  readonly role: RoleFacts | undefined;
  readonly account: 'unknown' | 'active' | 'inactive';
};

const escalation = (actor: Actor, role: RoleFacts): Rejection | undefined =>
  role.permissions.every((permission) => can(actor, permission))
    ? undefined
    : reject('FORBIDDEN', 'privilege-escalation', 'This role holds permissions that you do not hold');

const accountUnknown = () => reject('NOT_FOUND', 'account-unknown', 'There is no such account');
const roleUnknown = (field: string) => reject('NOT_FOUND', 'role-unknown', 'There is no such role', field);

/**
 * Gives an account a role, for good or until an instant. Nobody gives himself a role or another one more than he holds;
 * plan roles follow the subscription. The system may assign any role, and doing so twice changes nothing.
 */
export const assignRole = command(
  'AssignRole',
  z
    .object({
      accountId: uuid,
      roleId: uuid.optional(),
      roleName: roleName.optional(),
      reason: lines(0, 300).optional(),
      expiresAt: instant.optional(),
    })
    .refine(({ roleId, roleName }) => (roleId === undefined) !== (roleName === undefined), {
      path: ['roleId'],
      message: 'Name the role by exactly one of roleId and roleName',
    }),
  (
    input,
    state,
    { actor, facts, newId, now }: { actor: Actor; facts: AssignFacts; newId(label: string): string; now: Date },
  ) => {
    const { accountId, reason, expiresAt } = input;
    const { role } = facts;
    if (expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime())
      return reject('VALIDATION_ERROR', 'expiry-past', 'The end must lie in the future', 'expiresAt');
    if (facts.account === 'unknown') return accountUnknown();
    if (role === undefined) return roleUnknown(input.roleId === undefined ? 'roleName' : 'roleId');
    const bySystem = actor.kind === 'system';
    if (!bySystem && actor.id === accountId)
      return reject('FORBIDDEN', 'own-roles', 'Nobody assigns a role to himself');
    const beyond = escalation(actor, role);
    if (beyond !== undefined) return beyond;
    if (!bySystem && isPlanRole(role.roleId))
      return reject('CONFLICT', 'plan-role', 'This role follows from the subscription');
    // The role of a plan follows the subscription of a closed account too, which may be opened again.
    if (facts.account === 'inactive' && !bySystem)
      return reject('CONFLICT', 'account-inactive', 'This account is deactivated');
    if (role.closed) return reject('CONFLICT', 'role-being-deleted', `The role ${role.name} is being deleted`);
    const held = state.assignments[role.roleId];
    if (held !== undefined && !hasExpired(held, now))
      return bySystem ? [] : reject('CONFLICT', 'already-assigned', `The account holds the role ${role.name} already`);
    const { roleId, name } = role;
    return [
      ...(held === undefined ? [] : [{ type: 'RoleAssignmentExpired' as const, data: { accountId, roleId } }]),
      {
        type: 'RoleAssigned',
        data: {
          accountId,
          roleId,
          roleName: name,
          assignmentId: newId('assignment'),
          assignedBy: actor.id,
          assignedAt: now.toISOString(),
          ...(reason === undefined ? {} : { reason }),
          ...(expiresAt === undefined ? {} : { expiresAt }),
        },
      },
    ];
  },
);

/** Reason of the refusal to revoke an assignment that still counts in the circle of administrators. */
export const STILL_COUNTED = 'administrator-counted';

/** What RevokeRole must know of other streams. */
export type RevokeFacts = {
  /** Undefined: no such role. */
  readonly role: RoleFacts | undefined;
  readonly accountKnown: boolean;
  /** The assignments of this account that the circle of administrators has let go. */
  readonly releasedAssignmentIds: readonly string[];
};

/**
 * Takes a role from an account. Administrators for good must have left the circle of administrators first, which never
 * lets its last member go; plan roles follow the subscription.
 */
export const revokeRole = command(
  'RevokeRole',
  z.object({ accountId: uuid, roleId: uuid, reason: lines(0, 300).optional() }),
  ({ accountId, roleId, reason }, state, { actor, facts, now }: { actor: Actor; facts: RevokeFacts; now: Date }) => {
    const { role } = facts;
    const held = state.assignments[roleId];
    if (!facts.accountKnown) return accountUnknown();
    if (role === undefined) return roleUnknown('roleId');
    const beyond = escalation(actor, role);
    if (beyond !== undefined) return beyond;
    if (held === undefined || hasExpired(held, now))
      return reject('NOT_FOUND', 'not-assigned', `The account does not hold the role ${role.name}`);
    if (actor.kind !== 'system' && isPlanRole(roleId))
      return reject('CONFLICT', 'plan-role', 'This role follows from the subscription');
    if (isCounted(roleId, held) && !facts.releasedAssignmentIds.includes(held.assignmentId))
      return reject('CONFLICT', STILL_COUNTED, 'The administrators are being changed at this moment; please try again');
    const data = { accountId, roleId, roleName: held.roleName, revokedBy: actor.id };
    return [{ type: 'RoleRevoked', data: reason === undefined ? data : { ...data, reason } }];
  },
);

/** Finishes what a crash interrupted: revokes the assignment of an administrator who has left the circle already. */
export const completeAdministratorRelease = command(
  'CompleteAdministratorRelease',
  z.object({ accountId: uuid, assignmentId: uuid }),
  ({ accountId, assignmentId }, { assignments }, { actor }) => {
    const held = assignments[ADMIN_ROLE_ID];
    if (held?.assignmentId !== assignmentId) return [];
    const data = { accountId, roleId: ADMIN_ROLE_ID, roleName: held.roleName, revokedBy: actor.id };
    return [{ type: 'RoleRevoked', data }];
  },
);

/** What WithdrawAssignment must know of the catalogue. */
export type WithdrawFacts = {
  /** The role was deleted, or closed for that before it was assigned. */
  readonly roleGone: boolean;
};

/** Takes back an assignment that came about while its role was being deleted. */
export const withdrawAssignment = command(
  'WithdrawAssignment',
  z.object({ accountId: uuid, roleId: uuid, assignmentId: uuid }),
  ({ accountId, roleId, assignmentId }, { assignments }, { actor, facts }: { actor: Actor; facts: WithdrawFacts }) => {
    const held = assignments[roleId];
    if (held?.assignmentId !== assignmentId || !facts.roleGone) return [];
    const reason = 'The role was being deleted';
    return [{ type: 'RoleRevoked', data: { accountId, roleId, roleName: held.roleName, revokedBy: actor.id, reason } }];
  },
);

/** Whether an assignment makes its holder count among the administrators: the role admin, without an end. */
export const isCounted = (roleId: string, { expiresAt }: Pick<Assignment, 'expiresAt'>): boolean =>
  roleId === ADMIN_ROLE_ID && expiresAt === undefined;

/** Takes note that an assignment has come to its end. Before that, or without such an assignment, nothing happens. */
export const expireRoleAssignment = command(
  'ExpireRoleAssignment',
  z.object({ accountId: uuid, roleId: uuid }),
  (data, { assignments }, { now }) => {
    const held = assignments[data.roleId];
    return held !== undefined && hasExpired(held, now) ? [{ type: 'RoleAssignmentExpired', data }] : [];
  },
);
