import {
  addAdministrator,
  bootstrapAdministrator,
  resumeAdministrator,
  suspendAdministrator,
} from '../domain/access/administrators.ts';
import { abandonRoleDeletion } from '../domain/access/roleCatalog/index.ts';
import { ADMIN_ROLE_ID, isSystemRole, SYSTEM_ROLES } from '../domain/access/systemRoles.ts';
import {
  assignRole,
  completeAdministratorRelease,
  expireRoleAssignment,
  isCounted,
  revokeRole,
  withdrawAssignment,
} from '../domain/access/userAccess.ts';
import { MINUTE_MS } from '../domain/durations.ts';
import { issue, policy } from './policy.ts';

type Plan = 'free' | 'premium' | 'enterprise';
const swap = (accountId: string, before: Plan, plan: Plan) => {
  const { roleId } = SYSTEM_ROLES[before];
  const gained = issue(assignRole, { accountId, roleName: plan });
  return before === plan ? [gained] : [gained, issue(revokeRole, { accountId, roleId })];
};

/** Gives every account the role of its plan, and takes the one of the plan before. */
export const planRole = policy('access-plan-role', {
  AccountRegistered: ({ data: { accountId, plan } }) => [issue(assignRole, { accountId, roleName: plan })],
  SubscriptionChanged: ({ data: { accountId, fromPlan, plan } }) => swap(accountId, fromPlan, plan),
  SubscriptionExpired: ({ data: { accountId, previousPlan } }) => swap(accountId, previousPlan, 'free'),
});

/** Appoints the administrator whom configuration names, as soon as the address is known to be the account's. */
export const firstAdministrator = policy('access-first-administrator', {
  EmailVerified: ({ data: { accountId } }) => [issue(bootstrapAdministrator, { accountId })],
  EmailChanged: ({ data: { accountId } }) => [issue(bootstrapAdministrator, { accountId })],
  AdministratorBootstrapped: ({ data: { accountId } }) => [
    issue(assignRole, { accountId, roleId: ADMIN_ROLE_ID, reason: 'First administrator' }),
  ],
});

/** Takes note of the end of an assignment when it comes. */
export const expiry = policy('access-expiry', {
  RoleAssigned: ({ data: { accountId, roleId, expiresAt } }) =>
    expiresAt === undefined ? [] : [issue(expireRoleAssignment, { accountId, roleId }, new Date(expiresAt))],
});

/** Milliseconds after which a revocation that released an administrator has finished, or never will by itself. */
const REVOCATION_TIME = MINUTE_MS;

/** Milliseconds after which the deletion of a role has come to its end, or never will by itself. */
const DELETION_TIME = MINUTE_MS;

/** Finishes what a crash interrupted between an assignment of a role and its deletion. */
export const roleDeletion = policy('access-role-deletion', {
  RoleDeletionBegun: ({ data, recordedAt }) => [
    issue(abandonRoleDeletion, data, new Date(Date.parse(recordedAt) + DELETION_TIME)),
  ],
  // A deletion that did not see the assignment had begun before it, and has come to its end by then.
  RoleAssigned: ({ data: { accountId, roleId, assignmentId }, recordedAt }) =>
    isSystemRole(roleId)
      ? []
      : [
          issue(
            withdrawAssignment,
            { accountId, roleId, assignmentId },
            new Date(Date.parse(recordedAt) + DELETION_TIME),
          ),
        ],
});

/** Finishes what a crash interrupted between an assignment of the role admin and the circle of administrators. */
export const administratorCircle = policy('access-administrator-circle', {
  RoleAssigned: ({ data: { accountId, roleId, assignmentId, expiresAt } }) =>
    isCounted(roleId, { expiresAt }) ? [issue(addAdministrator, { accountId, assignmentId })] : [],
  AdministratorReleased: ({ data, recordedAt }) => [
    issue(completeAdministratorRelease, data, new Date(Date.parse(recordedAt) + REVOCATION_TIME)),
  ],
  // Counted again in case the deactivation never came about.
  AdministratorSuspended: ({ data: { accountId }, recordedAt }) => [
    issue(resumeAdministrator, { accountId }, new Date(Date.parse(recordedAt) + REVOCATION_TIME)),
  ],
  // An assignment that was under way may have been counted behind the deactivation's back.
  AccountDeactivated: ({ data: { accountId } }) => [issue(suspendAdministrator, { accountId })],
  AccountReactivated: ({ data: { accountId } }) => [issue(resumeAdministrator, { accountId })],
});

/** Every policy of access. */
export const accessPolicies = [planRole, firstAdministrator, expiry, roleDeletion, administratorCircle] as const;
