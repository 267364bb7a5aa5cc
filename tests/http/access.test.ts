import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ADMIN_ROLE_ID, SYSTEM_ROLES } from '../../src/domain/access/systemRoles.ts';
import { eventually, testService } from '../support/service.ts';

t.test('access', async (t) => {
  const service = await testService(t);
  const { anonymous, user, pool } = service;
  const admin = await service.admin();

  type Named = { readonly id: string; readonly name: string };
  const defined = async (role: Record<string, unknown>): Promise<Named> => {
    const { status, body } = await admin.post('/rbac/roles', role);
    if (status !== 201) throw new Error(JSON.stringify(body));
    return body.data;
  };
  const assign = (accountId: string, role: Record<string, unknown>) =>
    admin.post(`/rbac/users/${accountId}/roles`, role);

  t.test('the roles that the service brings along', async (t) => {
    const { status, body } = await admin.get('/rbac/roles?system=true&limit=50');
    t.equal(status, 200);
    t.strictSame(
      body.data.items.map(({ name }: Named) => name),
      Object.keys(SYSTEM_ROLES).sort(),
    );
    const enterprise = body.data.items.find(({ name }: Named) => name === 'enterprise');
    t.ok(enterprise.inheritedPermissions.includes('read:own-profile'));
    const administrators = await admin.get(`/rbac/roles/${ADMIN_ROLE_ID}/users`);
    t.match(administrators.body.data.items, [{ accountId: admin.accountId, displayName: 'Administrator' }]);
  });

  t.test('reading roles', async (t) => {
    const ursula = await user('Ursula');
    t.test('needs a login and the right', async (t) => {
      t.equal((await anonymous.get('/rbac/roles')).status, 401);
      t.match(await ursula.get('/rbac/roles'), { status: 403, body: { error: { code: 'FORBIDDEN' } } });
      t.equal((await ursula.get('/rbac/permissions')).status, 403);
    });
    t.test('shows oneself to everybody and others to holders of the right', async (t) => {
      const own = await ursula.get(`/rbac/users/${ursula.accountId}/roles`);
      t.match(own.body.data, { primaryRole: 'free', assignments: [{ name: 'free' }] });
      t.ok(own.body.data.effectivePermissions.includes('book:appointments'));
      for (const id of [admin.accountId, randomUUID()])
        t.equal((await ursula.get(`/rbac/users/${id}/roles`)).status, 403);
      t.equal((await admin.get(`/rbac/users/${randomUUID()}/roles`)).status, 404);
      const mine = await ursula.get('/rbac/me/permissions');
      t.match(mine.body.data, { roles: ['free'], primaryRole: 'free' });
    });
    t.test('tells whether and by which role somebody may', async (t) => {
      const check = (body: unknown) => ursula.post('/rbac/check', body);
      t.match((await check({ permission: 'book:appointments' })).body.data, {
        allowed: true,
        viaRole: 'free',
        grantedBy: 'free',
      });
      t.match((await check({ permission: 'read:users' })).body.data, { allowed: false, viaRole: null });
      t.equal((await check({ permission: 'read:users', userId: admin.accountId })).status, 403);
      t.equal((await check({ permission: 'nonsense' })).status, 422);
      const byAdmin = await admin.post('/rbac/check', { permission: 'read:users' });
      t.match(byAdmin.body.data, { allowed: true, viaRole: 'admin' });
      t.equal((await admin.post('/rbac/check', { permission: 'read:users', userId: randomUUID() })).status, 404);
    });
    t.test('refuses bad filters and finds nothing behind the end', async (t) => {
      for (const query of ['limit=51', 'page=0', 'sort=color', 'permission=x', 'system=maybe'])
        t.equal((await admin.get(`/rbac/roles?${query}`)).status, 422, query);
      t.match((await admin.get('/rbac/roles?page=99')).body.data, {
        items: [],
        pagination: { page: 99, hasNext: false },
      });
      const found = await admin.get('/rbac/permissions?context=booking&q=calendar&limit=50');
      t.equal(found.status, 200);
    });
  });

  t.test('defining a role', async (t) => {
    t.test('answers with it, and shows it by its id', async (t) => {
      const scheduler = { name: 'scheduler', permissions: ['read:own-appointments'] };
      const { status, body, headers } = await admin.post('/rbac/roles', scheduler);
      t.equal(status, 201);
      t.match(body.data, { ...scheduler, system: false, version: 0 });
      t.equal(headers.get('etag'), '"0"');
      const shown = await admin.get(`/rbac/roles/${body.data.id}`);
      t.match(shown, { status: 200, body: { data: { ...scheduler, members: [] } } });
      const again = await admin.post('/rbac/roles', scheduler);
      t.match(again, { status: 409, body: { error: { code: 'CONFLICT', reason: 'role-name-taken' } } });
    });
    t.test('takes only permissions of the catalogue', async (t) => {
      const { status, body } = await admin.post('/rbac/roles', { name: 'pilot', permissions: ['fly:moon'] });
      t.equal(status, 422);
      t.match(body.error, { code: 'VALIDATION_ERROR', details: [{ field: 'permissions' }] });
    });
    t.test('with an unknown parent is not found', async (t) => {
      const { status, body } = await admin.post('/rbac/roles', { name: 'orphan', parentRoleIds: [randomUUID()] });
      t.equal(status, 404);
      t.match(body.error.details, [{ field: 'parentRoleIds' }]);
    });
    t.test('is repeated with the same key without a second role', async (t) => {
      const key = { 'idempotency-key': randomUUID() };
      const first = await admin.post('/rbac/roles', { name: 'once_only' }, key);
      const second = await admin.post('/rbac/roles', { name: 'once_only' }, key);
      t.equal(first.status, 201);
      t.strictSame(second.body, first.body);
      t.equal(second.headers.get('idempotency-replayed'), 'true');
    });
  });

  t.test('assigning a role', async (t) => {
    const somebody = await user();
    const role = await defined({ name: 'auditing_clerk', permissions: ['read:audit-logs'] });
    t.test('gives its permissions, once', async (t) => {
      const { status, body } = await assign(somebody.accountId, { roleId: role.id, reason: 'Audit' });
      t.equal(status, 201);
      t.match(body.data, { accountId: somebody.accountId, name: 'auditing_clerk', reason: 'Audit', expiresAt: null });
      const shown = await admin.get(`/rbac/users/${somebody.accountId}/roles`);
      t.ok(shown.body.data.effectivePermissions.includes('read:audit-logs'));
      t.equal((await assign(somebody.accountId, { roleId: role.id })).status, 409);
    });
    t.test('is refused for unknown accounts and roles and malformed ids', async (t) => {
      t.equal((await assign(randomUUID(), { roleName: 'auditor' })).status, 404);
      t.equal((await assign('not-a-uuid', { roleName: 'auditor' })).status, 422);
      t.equal((await assign(somebody.accountId, { roleName: 'no_such_role' })).status, 404);
      t.equal((await assign(somebody.accountId, {})).status, 422);
      t.equal((await assign(somebody.accountId, { roleName: 'enterprise' })).status, 409, 'a plan');
      t.equal((await assign(admin.accountId, { roleName: 'auditor' })).status, 403, 'oneself');
    });
    t.test('is refused to one who would hand out more than he holds', async (t) => {
      const clerk = await user();
      await defined({ name: 'assigner', permissions: ['assign:roles'] });
      await assign(clerk.accountId, { roleName: 'assigner' });
      const { status, body } = await eventually(
        () => clerk.post(`/rbac/users/${somebody.accountId}/roles`, { roleName: 'admin' }),
        ({ body }) => body.error.reason !== 'permission-missing',
      );
      t.equal(status, 403);
      t.equal(body.error.reason, 'privilege-escalation');
    });
  });

  t.test(
    'what a parent role allows, its child allows too; and what was revoked is gone while the token lives',
    async (t) => {
      const holder = await user();
      const parent = await defined({ name: 'role_reader', permissions: ['read:roles'] });
      const child = await defined({ name: 'senior_reader', parentRoleIds: [parent.id] });
      t.equal((await holder.get('/rbac/roles')).status, 403);
      t.equal((await assign(holder.accountId, { roleId: child.id })).status, 201);
      const allowed = await eventually(
        () => holder.get('/rbac/roles'),
        ({ status }) => status === 200,
      );
      t.equal(allowed.status, 200);
      t.match((await holder.post('/rbac/check', { permission: 'read:roles' })).body.data, {
        allowed: true,
        viaRole: 'senior_reader',
        grantedBy: 'role_reader',
      });
      const revoke = () => admin.delete(`/rbac/users/${holder.accountId}/roles/${child.id}?reason=over`);
      t.equal((await revoke()).status, 200);
      const since = performance.now();
      const gone = await eventually(
        () => holder.get('/rbac/roles'),
        ({ status }) => status === 403,
      );
      t.equal(gone.status, 403);
      t.ok(performance.now() - since < 5_000, 'within five seconds');
      t.equal((await revoke()).status, 404);
    },
  );

  t.test('an assignment with an end', async (t) => {
    const holder = await user();
    const role = await defined({ name: 'short_reader', permissions: ['read:roles'] });
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    t.equal((await assign(holder.accountId, { roleId: role.id, expiresAt })).status, 201);
    const counts = async () => ({
      allowed: (await holder.get('/rbac/roles')).status === 200,
      check: (await admin.post('/rbac/check', { permission: 'read:roles', userId: holder.accountId })).body.data
        .allowed,
      why: (await admin.get(`/rbac/users/${holder.accountId}/permissions/read:roles`)).body.data.viaRole !== null,
      roles: (await admin.get(`/rbac/users/${holder.accountId}/roles`)).body.data.assignments.length === 2,
      listed: (await admin.get('/rbac/roles?q=short_reader')).body.data.items[0].assignedCount === 1,
      shown: (await admin.get(`/rbac/roles/${role.id}`)).body.data.members.length === 1,
      held: (await admin.get(`/rbac/roles/${role.id}/users`)).body.data.items.length === 1,
    });
    const all = { allowed: true, check: true, why: true, roles: true, listed: true, shown: true, held: true };
    await service.setAhead(3_500_000);
    t.strictSame(await counts(), all, 'counts everywhere until its end');
    await service.setAhead(3_600_001);
    const none = { allowed: false, check: false, why: false, roles: false, listed: false, shown: false, held: false };
    t.strictSame(await counts(), none, 'and nowhere from then on');
    await service.setAhead(0);
  });

  t.test('commands that only the system issues are unknown', async (t) => {
    for (const name of ['SeedSystemRoles', 'ExpireRoleAssignment', 'AddAdministrator', 'CompleteAdministratorRelease'])
      t.equal((await admin.post(`/commands/${name}`, {})).status, 404, name);
  });

  t.test('changing a role', async (t) => {
    const subject = (await user()).accountId;
    const a = await defined({ name: 'role_a' });
    const b = await defined({ name: 'role_b', parentRoleIds: [a.id] });
    const c = await defined({ name: 'role_c', parentRoleIds: [b.id] });
    t.match(await admin.put(`/rbac/roles/${a.id}`, { parentRoleIds: [c.id] }), {
      status: 409,
      body: { error: { reason: 'hierarchy-cycle' } },
    });
    const put = await admin.put(`/rbac/roles/${a.id}`, { description: 'First' }, { 'if-match': '"0"' });
    t.match(put, { status: 200, body: { data: { description: 'First', version: 1 } } });
    t.equal(put.headers.get('etag'), '"1"');
    t.equal((await admin.put(`/rbac/roles/${a.id}`, { description: 'x' }, { 'if-match': '"0"' })).status, 412);
    t.equal((await admin.put(`/rbac/roles/${ADMIN_ROLE_ID}`, { description: 'x' })).status, 409);
    t.equal((await admin.put(`/rbac/roles/${a.id}/permissions/read:users`)).status, 200);
    t.match((await admin.get(`/rbac/roles/${c.id}`)).body.data, { inheritedPermissions: ['read:users'] });
    t.equal((await admin.delete(`/rbac/roles/${a.id}/permissions/read:users`)).status, 200);
    t.equal((await assign(subject, { roleId: c.id })).status, 201);
    t.match((await admin.get(`/rbac/roles/${c.id}/users`)).body.data, { items: [{ accountId: subject }] });
  });

  // At the end: who of the two remains is not known.
  t.test('the last administrator', async (t) => {
    const revoke = (by: typeof admin, accountId: string) =>
      by.delete(`/rbac/users/${accountId}/roles/${ADMIN_ROLE_ID}`);
    const refused = await revoke(admin, admin.accountId);
    t.equal(refused.status, 409);
    t.equal(refused.body.error.reason, 'last-administrator');

    t.test('is left when two revoke each other at the same time', async (t) => {
      const second = await user('Second');
      t.equal((await assign(second.accountId, { roleName: 'admin' })).status, 201);
      await eventually(
        () => second.get('/rbac/roles'),
        ({ status }) => status === 200,
      );
      const answers = await Promise.all([revoke(admin, second.accountId), revoke(second, admin.accountId)]);
      const [loser, ...others] = answers.filter(({ status }) => status !== 200);
      t.strictSame(others, []);
      // Who is let in only when the other is done has lost his right by then.
      t.match(loser?.body.error.reason, /^(?:last-administrator|permission-missing)$/);
      const holders = () => pool.query('select from read.role_assignments where role_id = $1', [ADMIN_ROLE_ID]);
      const { rowCount } = await eventually(holders, ({ rowCount }) => rowCount !== 2);
      t.equal(rowCount, 1);
    });
  });
});
