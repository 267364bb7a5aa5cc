import { randomUUID } from 'node:crypto';
import t from 'tap';
import { eventually, testService } from '../../support/service.ts';

t.test('the database out of reach', async (t) => {
  const service = await testService(t);
  const { anonymous, user, pool } = service;
  const admin = await service.admin();

  t.test('while rights cannot be read nobody is let in, by whatever means', async (t) => {
    const made = await admin.post('/auth/api-keys', { name: 'All', permissions: ['*:*'] });
    const key = { 'x-api-key': made.body.data.key };
    // Takes nothing from read models but the rights of its caller.
    const path = '/rbac/me/permissions';
    t.equal((await admin.get(path)).status, 200);
    t.equal((await anonymous.get(path, key)).status, 200);
    await pool.query('alter schema read rename to out_of_reach');
    try {
      const refused = await eventually(
        () => admin.get(path),
        ({ status }) => status !== 200,
      );
      t.match(refused, { status: 503, body: { success: false, error: { code: 'SERVICE_UNAVAILABLE' } } });
      t.ok(refused.headers.get('retry-after'));
      const byKey = await eventually(
        () => anonymous.get(path, key),
        ({ status }) => status !== 200,
      );
      t.equal(byKey.status, 503);
      const command = await admin.post('/rbac/roles', { name: 'made_meanwhile' });
      t.equal(command.status, 503, 'nor is anything done');
    } finally {
      await pool.query('alter schema out_of_reach rename to read');
    }
    const { status, body } = await eventually(
      () => admin.get('/rbac/roles?q=made_meanwhile'),
      ({ status }) => status !== 503,
    );
    t.equal(status, 200);
    t.strictSame(body.data.items, []);
  });

  t.test('a repeat after the right was lost is refused', async (t) => {
    const clerk = await user();
    const role = (await admin.post('/rbac/roles', { name: 'definer', permissions: ['manage:roles'] })).body.data;
    t.equal((await admin.post(`/rbac/users/${clerk.accountId}/roles`, { roleId: role.id })).status, 201);
    const define = () => clerk.post('/rbac/roles', { name: 'made_once' }, { 'idempotency-key': 'once' });
    t.equal((await define()).status, 201);
    t.equal((await define()).status, 201, 'repeated while it is held');
    t.equal((await admin.delete(`/rbac/users/${clerk.accountId}/roles/${role.id}`)).status, 200);
    t.match(await define(), { status: 403, body: { error: { code: 'FORBIDDEN' } } });
  });

  t.test('the role of the plan follows the subscription and nothing else', async (t) => {
    const person = await user();
    const roles = `/rbac/users/${person.accountId}/roles`;
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
    const changed = await admin.put(`/users/${person.accountId}/subscription`, { plan: 'premium', expiresAt });
    t.equal(changed.status, 200, JSON.stringify(changed.body));
    const namesOf = async () =>
      (await admin.get(roles)).body.data.assignments.map(({ name }: { readonly name: string }) => name);
    t.strictSame(await eventually(namesOf, (names) => !names.includes('free')), ['premium']);
    t.ok((await person.get(roles)).body.data.effectivePermissions.includes('share:planners'));
    for (const roleName of ['free', 'enterprise'])
      t.match(await admin.post(roles, { roleName }), { status: 409, body: { error: { reason: 'plan-role' } } });
    const { assignments } = (await admin.get(roles)).body.data;
    t.match(await admin.delete(`${roles}/${assignments[0].roleId}?reason=none`), {
      status: 409,
      body: { error: { reason: 'plan-role' } },
    });
  });

  t.test('a custom role that its holder edits', async (t) => {
    const editor = await user();
    const parent = (await admin.post('/rbac/roles', { name: 'edited_parent', permissions: ['manage:roles'] })).body
      .data;
    const child = await admin.post('/rbac/roles', { name: 'edited_child', parentRoleIds: [parent.id] });
    t.equal((await admin.post(`/rbac/users/${editor.accountId}/roles`, { roleId: child.body.data.id })).status, 201);
    const refused = { status: 403, body: { error: { reason: 'own-role' } } };
    for (const id of [parent.id, child.body.data.id]) {
      t.match(await editor.put(`/rbac/roles/${id}`, { description: 'Mine' }), refused);
      t.match(await editor.delete(`/rbac/roles/${id}`), refused, 'nor deletes it');
      t.match(await editor.delete(`/rbac/roles/${id}/permissions/manage:roles`), refused);
      t.match(await editor.post('/commands/SetRoleParents', { roleId: id, parentRoleIds: [] }), refused);
    }
    t.equal((await editor.post('/commands/DeleteRole', { roleId: randomUUID() })).status, 404);
    t.match(await editor.put(`/rbac/roles/${parent.id}/permissions/read:users`), {
      status: 403,
      body: { error: { reason: 'privilege-escalation' } },
    });
  });

  t.test('what only the service does is no command of anybody', async (t) => {
    for (const name of [
      'BootstrapAdministrator',
      'AbandonRoleDeletion',
      'BeginRoleDeletion',
      'WithdrawAssignment',
      'FlagSuspiciousActivity',
      'NoteDevice',
    ])
      t.equal((await admin.post(`/commands/${name}`, {})).status, 404, name);
  });
});
