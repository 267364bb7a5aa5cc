import t from 'tap';
import { ADMIN_ROLE_ID, SYSTEM_ROLES } from '../../src/domain/access/systemRoles.ts';
import { firstAdministrator, planRole, roleDeletion } from '../../src/policies/access.ts';
import { id } from '../support/spec.ts';

const accountId = id('ursula');
const recordedAt = '2026-03-02T10:00:00.000Z';
const later = new Date('2026-03-02T10:01:00.000Z');
const event = (data: object) => ({ data, recordedAt }) as never;

t.test('the role of the plan follows the subscription', async (t) => {
  const { free, premium } = SYSTEM_ROLES;
  t.match(planRole.on.SubscriptionChanged(event({ accountId, fromPlan: 'free', plan: 'premium' })), [
    { command: 'AssignRole', input: { accountId, roleName: 'premium' } },
    { command: 'RevokeRole', input: { accountId, roleId: free.roleId } },
  ]);
  t.match(planRole.on.SubscriptionExpired(event({ accountId, previousPlan: 'premium' })), [
    { command: 'AssignRole', input: { accountId, roleName: 'free' } },
    { command: 'RevokeRole', input: { accountId, roleId: premium.roleId } },
  ]);
  t.equal(planRole.on.SubscriptionChanged(event({ accountId, fromPlan: 'premium', plan: 'premium' })).length, 1);
});

t.test('the first administrator is looked for whenever an address is verified', async (t) => {
  for (const on of [firstAdministrator.on.EmailVerified, firstAdministrator.on.EmailChanged])
    t.match(on(event({ accountId })), [{ command: 'BootstrapAdministrator', input: { accountId } }]);
  t.match(firstAdministrator.on.AdministratorBootstrapped(event({ accountId })), [
    { command: 'AssignRole', input: { accountId, roleId: ADMIN_ROLE_ID } },
  ]);
});

t.test('what a deletion of a role leaves half done is finished after a minute', async (t) => {
  const roleId = id('scheduler');
  t.match(roleDeletion.on.RoleDeletionBegun(event({ roleId, deletionId: id('deletion') })), [
    { command: 'AbandonRoleDeletion', input: { roleId, deletionId: id('deletion') }, at: later },
  ]);
  const assignmentId = id('assignment');
  t.match(roleDeletion.on.RoleAssigned(event({ accountId, roleId, assignmentId })), [
    { command: 'WithdrawAssignment', input: { accountId, roleId, assignmentId }, at: later },
  ]);
  const { roleId: free } = SYSTEM_ROLES.free;
  t.strictSame(roleDeletion.on.RoleAssigned(event({ accountId, roleId: free, assignmentId })), []);
});
