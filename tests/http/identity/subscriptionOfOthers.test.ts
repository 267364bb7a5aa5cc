import { randomUUID } from 'node:crypto';
import t from 'tap';
import { eventually, testService } from '../../support/service.ts';

t.test('the subscription of an account', async (t) => {
  const service = await testService(t);
  const admin = await service.admin();
  const [somebody, curious] = [await service.user(), await service.user()];
  const path = `/users/${somebody.accountId}/subscription`;
  const expiresAt = new Date(Date.now() + 9 * 86_400_000).toISOString();

  t.test('is shown to administrators with all that its holder sees', async (t) => {
    t.match((await admin.get(path)).body.data, { plan: 'free', status: 'active', startedAt: null, benefits: [] });
    t.equal((await admin.put(path, { plan: 'premium', expiresAt, autoRenew: true })).status, 200);
    const { status, body } = await admin.get(path);
    t.equal(status, 200);
    t.match(body.data, { plan: 'premium', status: 'active', startedAt: /Z$/, expiresAt, autoRenew: true });
    t.ok(body.data.benefits.includes('export:planners'));
    t.strictSame(body.data.limits, { planners: null, exports: true, ai: true });
    t.strictSame((await somebody.get('/users/me/subscription')).body, body);
    t.strictSame((await somebody.get(path)).body, body, 'who reaches it by his id as well');
  });
  t.test('is shown to those who may read accounts, and to nobody else', async (t) => {
    t.equal((await service.anonymous.get(path)).status, 401);
    const nobody = `/users/${randomUUID()}/subscription`;
    for (const one of [path, nobody, '/users/nonsense/subscription'])
      t.match(await curious.get(one), { status: 403, body: { error: { reason: 'permission-missing' } } });
    await admin.post('/rbac/roles', { name: 'account_reader', permissions: ['read:users'] });
    await admin.post(`/rbac/users/${curious.accountId}/roles`, { roleName: 'account_reader' });
    const { body } = await eventually(
      () => curious.get(path),
      ({ status }) => status === 200,
    );
    t.match(body.data, { plan: 'premium' });
    t.equal((await curious.get(nobody)).status, 404);
    t.equal((await curious.get('/users/nonsense/subscription')).status, 422);
  });
  t.test('is shown while the account is deactivated, and not once it is erased', async (t) => {
    t.equal((await admin.delete(`/users/${somebody.accountId}`)).status, 200);
    t.match(await admin.get(path), { status: 200, body: { data: { plan: 'premium' } } });
    const personal = `/users/${somebody.accountId}/personal-data`;
    t.equal((await admin.delete(personal, { confirm: somebody.email })).status, 200);
    t.equal((await admin.get(path)).status, 404);
  });
});
