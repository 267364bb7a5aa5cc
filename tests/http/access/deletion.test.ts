import { randomUUID } from 'node:crypto';
import t from 'tap';
import { SYSTEM_ROLES } from '../../../src/domain/access/systemRoles.ts';
import { eventually, sharedService } from '../../support/service.ts';

const service = await sharedService();
const { user, pool } = service;
const admin = await service.admin();

const define = async (role: Record<string, unknown>): Promise<string> => {
  const { status, body } = await admin.post('/rbac/roles', role);
  if (status !== 201) throw new Error(JSON.stringify(body));
  return body.data.id;
};
const assign = (accountId: string, roleId: string) => admin.post(`/rbac/users/${accountId}/roles`, { roleId });

t.test('deleting a role', async (t) => {
  const { accountId } = await user();
  t.test('takes it away for good, once', async (t) => {
    const roleId = await define({ name: 'short_lived' });
    const key = { 'idempotency-key': randomUUID() };
    const remove = () => admin.delete(`/rbac/roles/${roleId}`, undefined, key);
    t.equal((await remove()).status, 200);
    const again = await remove();
    t.match(again, { status: 200, body: { success: true, data: null } });
    t.equal(again.headers.get('idempotency-replayed'), 'true');
    t.equal((await admin.get(`/rbac/roles/${roleId}`)).status, 404);
    t.equal((await admin.delete(`/rbac/roles/${roleId}`)).status, 404);
    t.equal((await assign(accountId, roleId)).status, 404);
    t.ok(await define({ name: 'short_lived' }), 'its name is free');
  });
  t.test('waits until nobody holds it', async (t) => {
    const roleId = await define({ name: 'scheduler' });
    t.equal((await assign(accountId, roleId)).status, 201);
    t.match(await admin.delete(`/rbac/roles/${roleId}`), {
      status: 409,
      body: { error: { code: 'CONFLICT', reason: 'role-assigned' } },
    });
    t.equal((await admin.get(`/rbac/roles/${roleId}`)).status, 200);
    const other = await user();
    t.equal((await assign(other.accountId, roleId)).status, 201, 'and it is open again');
    for (const holder of [accountId, other.accountId])
      t.equal((await admin.delete(`/rbac/users/${holder}/roles/${roleId}`)).status, 200);
    t.equal((await admin.delete(`/rbac/roles/${roleId}`)).status, 200);
  });
  t.test('is refused for a role of the service, a parent, and an old version', async (t) => {
    t.match(await admin.delete(`/rbac/roles/${SYSTEM_ROLES.free.roleId}`), {
      status: 409,
      body: { error: { reason: 'system-role' } },
    });
    const parent = await define({ name: 'parent_role' });
    const child = await define({ name: 'child_role', parentRoleIds: [parent] });
    t.match(await admin.delete(`/rbac/roles/${parent}`), {
      status: 409,
      body: { error: { reason: 'role-inherited' } },
    });
    t.equal((await admin.delete(`/rbac/roles/${child}`, undefined, { 'if-match': '"7"' })).status, 412);
    t.equal((await admin.delete(`/rbac/roles/${child}`, undefined, { 'if-match': '"0"' })).status, 200);
    t.equal((await admin.delete(`/rbac/roles/${parent}`)).status, 200);
    t.equal((await (await user()).delete(`/rbac/roles/${parent}`)).status, 403);
  });
  t.test('at the same time as it is assigned leaves no assignment to a role that is gone', async (t) => {
    const people = await Promise.all(Array.from({ length: 4 }, () => user()));
    const outcomes = { deleted: 0, assigned: 0 };
    // Goes on until either has won: which of them is quicker hangs on the machine.
    for (let round = 0; round < 12 || (round < 120 && outcomes.deleted === 0); round += 1) {
      const roleId = await define({ name: `contested_${round}` });
      const remove = () => admin.delete(`/rbac/roles/${roleId}`);
      // Every fourth time it begins first.
      const first = round % 4 === 2 ? remove() : undefined;
      const attempts = people.map(({ accountId }) => assign(accountId, roleId));
      // Every other time it begins when the first has come through, and others are still on their way.
      if (round % 2 === 1) await Promise.race(attempts);
      const [removed, ...assigned] = await Promise.all([first ?? remove(), ...attempts]);
      const given = assigned.filter((answer) => answer.status === 201).length;
      for (const answer of assigned) t.match(answer.status, /^(201|404|409)$/);
      const gone = removed.status === 200;
      if (gone) outcomes.deleted += 1;
      if (given > 0) outcomes.assigned += 1;
      t.notOk(gone && given > 0, `round ${round}: ${removed.status} and ${given} assigned`);
      const { rows } = await eventually(
        () => pool.query('select count(*)::int as n from read.role_assignments where role_id = $1', [roleId]),
        ({ rows }) => rows[0].n === given,
      );
      t.equal(rows[0].n, given);
      t.equal((await admin.get(`/rbac/roles/${roleId}`)).status, gone ? 404 : 200);
    }
    t.comment(`${outcomes.deleted} deleted, ${outcomes.assigned} assigned`);
    t.ok(outcomes.deleted > 0 && outcomes.assigned > 0, 'either has won');
  });
});

t.test('retiring a permission', async (t) => {
  const name = 'close:offices';
  const permission = { name, description: 'Close an office', context: 'booking' };
  t.equal((await admin.post('/rbac/permissions', permission)).status, 201);
  const roleId = await define({ name: 'closer', permissions: [name] });
  const shown = await admin.get('/rbac/permissions?q=close:offices');
  t.match(shown.body.data.items, [{ name, builtIn: false, roles: ['closer'] }]);
  const retire = () => admin.delete(`/rbac/permissions/${name}`);
  t.match(await retire(), { status: 409, body: { error: { reason: 'permission-in-use' } } });
  t.equal((await admin.put(`/rbac/permissions/${name}`, { description: 'Close some offices' })).status, 200);
  t.equal((await admin.delete(`/rbac/roles/${roleId}/permissions/${name}`)).status, 200);
  t.equal((await retire()).status, 200);
  t.equal((await retire()).status, 404);
  t.match((await admin.get('/rbac/permissions?q=close:offices')).body.data, { items: [] });
  t.equal((await admin.delete('/rbac/permissions/read:roles')).status, 409, 'built in');
  t.equal((await (await user()).delete('/rbac/permissions/read:roles')).status, 403);
});

t.test('the first accounts that hold a role are shown with it', async (t) => {
  const roleId = await define({ name: 'popular' });
  const people = [];
  for (let n = 0; n < 11; n += 1) {
    const person = await user(`Person ${n}`);
    t.equal((await assign(person.accountId, roleId)).status, 201);
    people.push(person.accountId);
  }
  const { body } = await admin.get(`/rbac/roles/${roleId}`);
  t.equal(body.data.assignedCount, 11);
  const members = body.data.members.map(({ accountId }: { accountId: string }) => accountId);
  t.strictSame(members, people.toReversed().slice(0, 10), 'the latest ten');
  const second = await admin.get(`/rbac/roles/${roleId}/users?limit=10&page=2`);
  t.match(second.body.data, { items: [{ accountId: people[0] }], pagination: { total: 11, hasNext: false } });
});

t.test('why a permission is held', async (t) => {
  const holder = await user();
  const grand = await define({ name: 'grand_role', permissions: ['read:operations'] });
  const parent = await define({ name: 'middle_role', parentRoleIds: [grand] });
  const child = await define({ name: 'lower_role', parentRoleIds: [parent] });
  t.equal((await assign(holder.accountId, child)).status, 201);
  const why = (by: typeof admin, accountId: string, permission = 'read:operations') =>
    by.get(`/rbac/users/${accountId}/permissions/${permission}`);
  t.match((await why(admin, holder.accountId)).body.data, {
    allowed: true,
    permission: 'read:operations',
    viaRole: 'lower_role',
    grantedBy: 'grand_role',
  });
  t.match((await why(holder, holder.accountId, 'read:users')).body.data, {
    allowed: false,
    viaRole: null,
    grantedBy: null,
  });
  t.equal((await why(holder, admin.accountId)).status, 403);
  t.equal((await why(holder, randomUUID())).status, 403, 'whether it exists or not');
  t.equal((await why(admin, randomUUID())).status, 404);
  t.equal((await why(admin, holder.accountId, 'nonsense')).status, 422);
});

t.test('the access log', async (t) => {
  const holder = await user();
  const roleId = await define({ name: 'logged_role' });
  t.equal((await assign(holder.accountId, roleId)).status, 201);
  t.equal((await admin.delete(`/rbac/users/${holder.accountId}/roles/${roleId}`)).status, 200);
  t.equal((await admin.delete(`/rbac/roles/${roleId}`)).status, 200);
  const log = (query: string) => admin.get(`/rbac/audit-log?${query}`);
  const types = async (query: string) => (await log(query)).body.data.items.map(({ type }: { type: string }) => type);
  t.strictSame(await types(`role=${roleId}`), ['role_deleted', 'role_revoked', 'role_assigned', 'role_defined']);
  t.match((await log(`type=role_assigned&subjectId=${holder.accountId}&role=${roleId}`)).body.data.items, [
    { actorId: admin.accountId, actorName: 'Administrator', subjectId: holder.accountId, role: 'logged_role' },
  ]);
  t.test('is read on from a cursor', async (t) => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const next: string = cursor === null ? '' : `&cursor=${cursor}`;
      const { status, body } = await log(`role=${roleId}&limit=3${next}`);
      t.equal(status, 200);
      seen.push(...body.data.items.map(({ type }: { type: string }) => type));
      cursor = body.data.nextCursor;
    } while (cursor !== null);
    t.strictSame(seen, ['role_deleted', 'role_revoked', 'role_assigned', 'role_defined']);
  });
  for (const query of ['limit=101', 'type=nothing', 'cursor=!', 'page=1&cursor=MQ', 'from=yesterday', 'actorId=x'])
    t.equal((await log(query)).status, 422, query);
});
