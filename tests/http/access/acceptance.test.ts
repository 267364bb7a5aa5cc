import t from 'tap';
import { eventually, testService } from '../../support/service.ts';

t.test('what roles allow', async (t) => {
  const service = await testService(t);
  const { user } = service;
  const admin = await service.admin();

  const holding = async (roleName: string) => {
    const person = await user(roleName);
    t.equal((await admin.post(`/rbac/users/${person.accountId}/roles`, { roleName })).status, 201);
    await eventually(
      () => person.get('/rbac/me/permissions'),
      ({ body }) => body.data.roles.includes(roleName),
    );
    return person;
  };

  t.test('an auditor reads who was given what, by whom and when', async (t) => {
    const auditor = await holding('auditor');
    const subject = await user();
    for (const roleName of ['customer', 'operator'])
      t.equal((await admin.post(`/rbac/users/${subject.accountId}/roles`, { roleName })).status, 201);
    const { status, body } = await eventually(
      () => auditor.get(`/rbac/audit-log?type=role_assigned&subjectId=${subject.accountId}`),
      ({ body }) => body.data.items.length > 2,
    );
    t.equal(status, 200);
    const given = body.data.items.filter(({ role }: { role: string }) => role !== 'free');
    t.match(given, [
      { type: 'role_assigned', role: 'operator', actorId: admin.accountId, subjectId: subject.accountId, at: /Z$/ },
      { type: 'role_assigned', role: 'customer', actorId: admin.accountId, subjectId: subject.accountId, at: /Z$/ },
    ]);
    t.ok(given[0].at >= given[1].at, 'newest first');
    t.equal((await subject.get('/rbac/audit-log')).status, 403);
  });

  t.test('the access log names the permission that was missing, wherever it was asked for', async (t) => {
    const [curious, other] = [await user('Nosy'), await user('Other')];
    const doors: Readonly<Record<string, string>> = {
      [`/users/${other.accountId}`]: 'read:users',
      [`/users/${other.accountId}/preferences`]: '*:*',
      [`/auth/sessions?userId=${other.accountId}`]: 'read:users',
      [`/rbac/users/${other.accountId}/roles`]: 'read:roles',
    };
    for (const door of Object.keys(doors)) t.equal((await curious.get(door)).status, 403);
    const { body } = await eventually(
      () => admin.get(`/rbac/audit-log?type=access_denied&actorId=${curious.accountId}&limit=100`),
      ({ body }) => body.data.items.length === 4,
    );
    const named = body.data.items.map(({ permission }: { permission: string | null }) => permission);
    t.same(named.sort(), Object.values(doors).sort());
  });

  t.test('somebody who tries many doors is noticed', async (t) => {
    const curious = await user('Curious');
    const doors = ['/rbac/roles', '/rbac/permissions', '/rbac/audit-log', '/users/search'];
    const signs = async () => {
      const { rows } = await service.pool.query<{ data: string }>(
        "select data from log.events where type = 'SuspiciousActivityDetected'",
      );
      return rows.filter(({ data }) => data.includes('access_probing') && data.includes(curious.accountId));
    };
    for (let count = 0; count < 19; count += 1)
      t.equal((await curious.get(doors[count % doors.length] ?? '')).status, 403);
    // Repeats are told when their minute is over.
    await service.setAhead(60_000);
    await eventually(
      () => admin.get(`/rbac/audit-log?type=access_denied&actorId=${curious.accountId}&limit=100`),
      ({ body }) => body.data.items.reduce((sum: number, { count }: { count: number }) => sum + count, 0) === 19,
    );
    t.equal((await signs()).length, 0, 'nineteen are not enough');
    t.equal((await curious.get('/rbac/roles')).status, 403);
    await service.setAhead(120_000);
    await eventually(signs, (found) => found.length > 0);
    t.equal((await signs()).length, 1);
  });
});
