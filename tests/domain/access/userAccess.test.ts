import t from 'tap';
import { ADMIN_ROLE_ID, SYSTEM_ROLES } from '../../../src/domain/access/systemRoles.ts';
import {
  type AssignFacts,
  assignRole,
  completeAdministratorRelease,
  expireRoleAssignment,
  liveRoleIds,
  type RevokeFacts,
  revokeRole,
  STILL_COUNTED,
  type UserAccessEvent,
  userAccess,
  withdrawAssignment,
} from '../../../src/domain/access/userAccess.ts';
import { id, newId, now, spec, system, user } from '../../support/spec.ts';

const given = spec(userAccess);
const accountId = id('ursula');
const roleId = id('scheduler');
const admin = user(id('admin'), '*:*');
const clerk = user(id('clerk'), 'assign:roles', 'read:own-appointments');

const scheduler = { roleId, name: 'scheduler', permissions: ['read:own-appointments'] };
const adminRole = { roleId: ADMIN_ROLE_ID, name: 'admin', permissions: ['*:*'] };
const freeRole = { roleId: SYSTEM_ROLES.free.roleId, name: 'free', permissions: ['read:own-appointments'] };
const to = (role: AssignFacts['role'], account: AssignFacts['account'] = 'active'): AssignFacts => ({ role, account });
const from = (role: RevokeFacts['role'], more: Partial<RevokeFacts> = {}): RevokeFacts => ({
  role,
  accountKnown: true,
  releasedAssignmentIds: [],
  ...more,
});

const minutes = (count: number): string => new Date(now.getTime() + count * 60_000).toISOString();
const assigned = (
  { roleId: assignedRoleId, name } = scheduler,
  more: { expiresAt?: string; reason?: string; assignedBy?: string } = {},
): UserAccessEvent => ({
  type: 'RoleAssigned',
  data: {
    accountId,
    roleId: assignedRoleId,
    roleName: name,
    assignmentId: newId('assignment'),
    assignedBy: admin.id,
    assignedAt: now.toISOString(),
    ...more,
  },
});

t.test('assigning a role', async (t) => {
  t.test('gives it for good', async () =>
    given().when(assignRole, { accountId, roleId }, admin, to(scheduler)).then(assigned()),
  );
  t.test('gives it until an instant, with a reason', async () => {
    const more = { reason: 'Stands in\nfor Bob', expiresAt: minutes(5) };
    given()
      .when(assignRole, { accountId, roleId, ...more }, admin, to(scheduler))
      .then(assigned(scheduler, more));
  });
  t.test('is possible for one who holds all that the role gives', async () =>
    given()
      .when(assignRole, { accountId, roleId }, clerk, to(scheduler))
      .then(assigned(scheduler, { assignedBy: clerk.id })),
  );
  t.test('renews an assignment that has ended without notice', async () =>
    given(assigned(scheduler, { expiresAt: minutes(-1) }))
      .when(assignRole, { accountId, roleId }, admin, to(scheduler))
      .then({ type: 'RoleAssignmentExpired', data: { accountId, roleId } }, assigned()),
  );
  t.test('twice is a conflict, but for the system it changes nothing', async () => {
    given(assigned()).when(assignRole, { accountId, roleId }, admin, to(scheduler)).rejected('already-assigned');
    given(assigned()).when(assignRole, { accountId, roleId }, system, to(scheduler)).nothing();
  });
  t.test('is refused for unknown accounts and roles, and for deactivated accounts', async () => {
    const assign = (facts: AssignFacts) => given().when(assignRole, { accountId, roleId }, admin, facts);
    assign(to(scheduler, 'unknown')).rejected('account-unknown');
    assign(to(undefined)).rejected('role-unknown', 'roleId');
    assign(to(scheduler, 'inactive')).rejected('account-inactive');
  });
  t.test('is refused to oneself, administrators included', async () =>
    given().when(assignRole, { accountId: admin.id, roleId }, admin, to(scheduler)).rejected('own-roles'),
  );
  t.test('is refused for a role that gives more than its issuer holds', async () =>
    given()
      .when(assignRole, { accountId, roleId: ADMIN_ROLE_ID }, clerk, to(adminRole))
      .rejected('privilege-escalation'),
  );
  t.test('is refused by hand for the roles of plans, which the system assigns', async () => {
    const input = { accountId, roleName: 'free' };
    given().when(assignRole, input, admin, to(freeRole)).rejected('plan-role');
    given()
      .when(assignRole, input, system, to(freeRole))
      .then(assigned(freeRole, { assignedBy: system.id }));
  });
  t.test('is refused for an end that has passed', async () =>
    given()
      .when(assignRole, { accountId, roleId, expiresAt: minutes(0) }, admin, to(scheduler))
      .rejected('expiry-past', 'expiresAt'),
  );
  t.test('names the role in exactly one way', async () => {
    for (const input of [{ accountId }, { accountId, roleId, roleName: 'scheduler' }])
      given().when(assignRole, input, admin, to(scheduler)).rejected('input-invalid', 'roleId');
  });
});

t.test('revoking a role', async (t) => {
  const revoked = {
    type: 'RoleRevoked',
    data: { accountId, roleId, roleName: 'scheduler', revokedBy: admin.id },
  } as const;
  t.test('takes it away', async () =>
    given(assigned()).when(revokeRole, { accountId, roleId }, admin, from(scheduler)).then(revoked),
  );
  t.test('is refused for what is not assigned, no longer included', async () => {
    given().when(revokeRole, { accountId, roleId }, admin, from(scheduler)).rejected('not-assigned');
    given(assigned(), revoked).when(revokeRole, { accountId, roleId }, admin, from(scheduler)).rejected('not-assigned');
    given(assigned(scheduler, { expiresAt: minutes(0) }))
      .when(revokeRole, { accountId, roleId }, admin, from(scheduler))
      .rejected('not-assigned');
  });
  t.test('is refused for unknown accounts and roles', async () => {
    const revoke = (facts: RevokeFacts) => given().when(revokeRole, { accountId, roleId }, admin, facts);
    revoke(from(scheduler, { accountKnown: false })).rejected('account-unknown');
    revoke(from(undefined)).rejected('role-unknown');
  });
  t.test('is refused for a role that gives more than its issuer holds', async () =>
    given(assigned(adminRole))
      .when(revokeRole, { accountId, roleId: ADMIN_ROLE_ID }, clerk, from(adminRole))
      .rejected('privilege-escalation'),
  );
  t.test('is refused by hand for the roles of plans', async () =>
    given(assigned(freeRole))
      .when(revokeRole, { accountId, roleId: freeRole.roleId }, admin, from(freeRole))
      .rejected('plan-role'),
  );
  t.test('of an administrator waits until this very assignment has left the circle', async (t) => {
    const input = { accountId, roleId: ADMIN_ROLE_ID };
    for (const releasedAssignmentIds of [[], [id('an earlier one')]])
      given(assigned(adminRole))
        .when(revokeRole, input, admin, from(adminRole, { releasedAssignmentIds }))
        .rejected(STILL_COUNTED);
    const { outcome } = given(assigned(adminRole)).when(
      revokeRole,
      input,
      admin,
      from(adminRole, { releasedAssignmentIds: [id('an earlier one'), newId('assignment')] }),
    );
    t.match(outcome, [{ type: 'RoleRevoked' }]);
  });
  t.test('of an administrator for a time needs no such thing', async (t) => {
    const { outcome } = given(assigned(adminRole, { expiresAt: minutes(5) })).when(
      revokeRole,
      { accountId, roleId: ADMIN_ROLE_ID, reason: 'Done' },
      admin,
      from(adminRole),
    );
    t.match(outcome, [{ type: 'RoleRevoked', data: { reason: 'Done' } }]);
  });
});

t.test('a revocation that a crash interrupted', async (t) => {
  const input = { accountId, assignmentId: newId('assignment') };
  t.test('is finished', async (t) => {
    const { outcome, state } = given(assigned(adminRole)).when(completeAdministratorRelease, input, system);
    t.match(outcome, [{ type: 'RoleRevoked', data: { roleId: ADMIN_ROLE_ID } }]);
    t.strictSame(state.assignments, {});
  });
  t.test('leaves a later assignment alone', async () =>
    given(assigned(adminRole))
      .when(completeAdministratorRelease, { ...input, assignmentId: id('another') }, system)
      .nothing(),
  );
});

t.test('the end of an assignment', async (t) => {
  const ending = assigned(scheduler, { expiresAt: minutes(5) });
  t.test('is noted when it has come', async () => {
    const then = { actor: system, now: new Date(minutes(5)) };
    given(ending)
      .when(expireRoleAssignment, { accountId, roleId }, then)
      .then({ type: 'RoleAssignmentExpired', data: { accountId, roleId } });
  });
  t.test('is not noted before, nor without an end or an assignment', async () => {
    for (const past of [[ending], [assigned()], []])
      given(...past)
        .when(expireRoleAssignment, { accountId, roleId }, system)
        .nothing();
  });
  t.test('is looked at by every decision', async (t) => {
    const { state } = given(ending).when(expireRoleAssignment, { accountId, roleId }, system);
    t.strictSame(liveRoleIds(state, new Date(minutes(4))), [roleId]);
    t.strictSame(liveRoleIds(state, new Date(minutes(5))), []);
  });
});

t.test('an assignment to a role that is being deleted', async (t) => {
  const assignmentId = newId('assignment');
  const of = { accountId, roleId, assignmentId };
  const data = { accountId, roleId, roleName: 'scheduler', revokedBy: system.id, reason: 'The role was being deleted' };
  t.test('is refused', async () =>
    given()
      .when(assignRole, { accountId, roleId }, admin, to({ ...scheduler, closed: true }))
      .rejected('role-being-deleted'),
  );
  t.test('is withdrawn when it came about all the same', async () => {
    const withdrawn: UserAccessEvent = { type: 'RoleRevoked', data };
    given(assigned()).when(withdrawAssignment, of, system, { roleGone: true }).then(withdrawn);
    given(assigned(), withdrawn).when(withdrawAssignment, of, system, { roleGone: true }).nothing();
  });
  t.test('stays when the role stays, and another one is not meant', async () => {
    given(assigned()).when(withdrawAssignment, of, system, { roleGone: false }).nothing();
    const another = { ...of, assignmentId: id('another') };
    given(assigned()).when(withdrawAssignment, another, system, { roleGone: true }).nothing();
  });
});

t.test('a deactivated account', async (t) => {
  const inactive = to(freeRole, 'inactive');
  t.test('is given roles by nobody but the service', async (t) => {
    given().when(assignRole, { accountId, roleId }, admin, to(scheduler, 'inactive')).rejected('account-inactive');
    const { outcome } = given().when(assignRole, { accountId, roleName: 'free' }, system, inactive);
    t.match(outcome, [{ type: 'RoleAssigned' }]);
  });
});
