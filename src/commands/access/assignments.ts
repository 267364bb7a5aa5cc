import { z } from 'zod';
import {
  ADMINISTRATORS_ID,
  addAdministrator,
  administrators,
  bootstrapAdministrator,
  releaseAdministrator,
  resumeAdministrator,
  suspendAdministrator,
} from '../../domain/access/administrators.ts';
import { isSystemRole } from '../../domain/access/systemRoles.ts';
import * as access from '../../domain/access/userAccess.ts';
import { isCounted, userAccess } from '../../domain/access/userAccess.ts';
import { reject } from '../../domain/decider.ts';
import { type Account, account } from '../../domain/identity/account/index.ts';
import { bind, internal, type Outcome, type Run } from '../binding.ts';
import { emailHash } from '../identity/emailAddress.ts';
import { isOpen } from '../identity/standing.ts';
import { refused } from '../outcomes.ts';
import { EXAMPLE_ACCOUNT, EXAMPLE_ROLE, idByName, isLost, roleFacts, theCatalog } from './catalogue.ts';
import { suspensionFacts } from './circle.ts';

const standing = ({ status }: Account): access.AssignFacts['account'] =>
  status === 'active' ? 'active' : status === 'deactivated' ? 'inactive' : 'unknown';

const ROLE_GONE = refused(
  reject('CONFLICT', 'role-being-deleted', 'This role is being deleted; the assignment was taken back'),
);

/** Assigns; then counts an administrator, or takes back what came about while the role was being deleted. */
const assignment = async ({
  input: { accountId, roleId },
  reads,
  step,
  judge,
}: Run<z.output<typeof access.assignRole.input>, access.AssignFacts>): Promise<Outcome> => {
  const outcome = await judge();
  if (!outcome.ok || roleId === undefined) return outcome;
  const held = (await reads.load(userAccess, accountId)).state.assignments[roleId];
  if (held === undefined) return outcome;
  const { assignmentId } = held;
  if (isCounted(roleId, held))
    await step(
      addAdministrator,
      ADMINISTRATORS_ID,
      { accountId, assignmentId },
      { open: await isOpen(reads, accountId) },
    );
  if (isSystemRole(roleId) || outcome.replayed || !(await isLost(reads, roleId, outcome.position))) return outcome;
  await step(access.withdrawAssignment, accountId, { accountId, roleId, assignmentId }, { roleGone: true });
  return ROLE_GONE;
};

/** Every command about who holds which role. */
export const assignmentBindings = [
  bind(access.assignRole, {
    path: 'POST /rbac/users/:accountId/roles',
    access: 'assign:roles',
    status: 201,
    resolve: async (input, reads) => {
      const { roleName } = input;
      if (roleName === undefined) return input;
      const roleId = idByName(await theCatalog(reads), roleName);
      return roleId === undefined
        ? reject('NOT_FOUND', 'role-unknown', 'There is no such role', 'roleName')
        : { ...input, roleId };
    },
    stream: ({ accountId }) => accountId,
    facts: async ({ accountId, roleId }, reads) => {
      const { state } = await reads.load(account, accountId);
      return { role: roleFacts(await theCatalog(reads), roleId), account: standing(state) };
    },
    process: assignment,
    answer: {
      schema: z.object({
        accountId: z.string(),
        roleId: z.string(),
        name: z.string(),
        assignedBy: z.string(),
        assignedAt: z.string(),
        expiresAt: z.string().nullable(),
        reason: z.string().nullable(),
      }),
      of: ({ input: { accountId, roleId = '' }, state }) => {
        const held = state.assignments[roleId];
        return {
          accountId,
          roleId,
          name: held?.roleName ?? '',
          assignedBy: held?.assignedBy ?? '',
          assignedAt: held?.assignedAt ?? '',
          expiresAt: held?.expiresAt ?? null,
          reason: held?.reason ?? null,
        };
      },
    },
    summary: 'Gives an account a role',
    example: { accountId: EXAMPLE_ACCOUNT, roleName: 'provider', reason: 'Opens a practice' },
  }),
  bind(access.revokeRole, {
    path: 'DELETE /rbac/users/:accountId/roles/:roleId',
    access: 'assign:roles',
    stream: ({ accountId }) => accountId,
    facts: async ({ accountId, roleId }, reads) => {
      const { state } = await reads.load(account, accountId);
      const { released } = (await reads.load(administrators, ADMINISTRATORS_ID)).state;
      return {
        role: roleFacts(await theCatalog(reads), roleId),
        accountKnown: standing(state) !== 'unknown',
        releasedAssignmentIds: released[accountId] ?? [],
      };
    },
    process: async ({ input: { accountId, roleId }, reads, step, judge }) => {
      // Judged before the circle of administrators is asked: a repeat, or one who may not, must not change it.
      const outcome = await judge();
      if (outcome.ok || outcome.reason !== access.STILL_COUNTED) return outcome;
      const held = (await reads.load(userAccess, accountId)).state.assignments[roleId];
      if (held === undefined) return outcome;
      const released = await step(releaseAdministrator, ADMINISTRATORS_ID, {
        accountId,
        assignmentId: held.assignmentId,
      });
      return released.ok ? judge() : released;
    },
    summary: 'Takes a role from an account',
    example: { accountId: EXAMPLE_ACCOUNT, roleId: EXAMPLE_ROLE },
  }),
  internal(access.expireRoleAssignment, ({ accountId }) => accountId),
  internal(access.completeAdministratorRelease, ({ accountId }) => accountId),
  internal(access.withdrawAssignment, ({ accountId }) => accountId, {
    facts: async ({ roleId }, reads) => ({ roleGone: await isLost(reads, roleId) }),
  }),
  internal(addAdministrator, () => ADMINISTRATORS_ID, {
    facts: async ({ accountId }, reads) => ({ open: await isOpen(reads, accountId) }),
  }),
  internal(suspendAdministrator, () => ADMINISTRATORS_ID, {
    facts: ({ accountId }, reads) => suspensionFacts(reads, accountId),
  }),
  internal(resumeAdministrator, () => ADMINISTRATORS_ID, {
    facts: async ({ accountId }, reads) => ({ open: await isOpen(reads, accountId) }),
  }),
  internal(bootstrapAdministrator, () => ADMINISTRATORS_ID, {
    facts: async ({ accountId }, reads) => {
      const { status, emailVerified, emailHash: address } = (await reads.load(account, accountId)).state;
      const named = reads.adminEmail !== undefined && address === emailHash(reads.hash, reads.adminEmail);
      return { named: named && status === 'active' && emailVerified };
    },
  }),
];
