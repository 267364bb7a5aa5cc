import { addAdministrator } from '../domain/access/administrators.ts';
import {
  assignRole,
  completeAdministratorRelease,
  expireRoleAssignment,
  isCounted,
} from '../domain/access/userAccess.ts';
import { issue, policy } from './policy.ts';

/** Gives every new account the role of its plan. */
export const planRole = policy('access-plan-role', {
  AccountRegistered: ({ data: { accountId, plan } }) => [issue(assignRole, { accountId, roleName: plan })],
});

/** Takes note of the end of an assignment when it comes. */
export const expiry = policy('access-expiry', {
  RoleAssigned: ({ data: { accountId, roleId, expiresAt } }) =>
    expiresAt === undefined ? [] : [issue(expireRoleAssignment, { accountId, roleId }, new Date(expiresAt))],
});

/** Milliseconds after which a revocation that released an administrator has finished, or never will by itself. */
const REVOCATION_TIME = 60_000;

/** Finishes what a crash interrupted between an assignment of the role admin and the circle of administrators. */
export const administratorCircle = policy('access-administrator-circle', {
  RoleAssigned: ({ data: { accountId, roleId, assignmentId, expiresAt } }) =>
    isCounted(roleId, { expiresAt }) ? [issue(addAdministrator, { accountId, assignmentId })] : [],
  AdministratorReleased: ({ data, recordedAt }) => [
    issue(completeAdministratorRelease, data, new Date(Date.parse(recordedAt) + REVOCATION_TIME)),
  ],
});

/** Every policy of access. */
export const accessPolicies = [planRole, expiry, administratorCircle] as const;
