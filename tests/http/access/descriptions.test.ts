import t from 'tap';
import { testService } from '../../support/service.ts';

t.test('a built-in permission is described in other words', async (t) => {
  const service = await testService(t);
  const admin = await service.admin();
  const shown = async () => {
    const { body } = await admin.get('/rbac/permissions?q=read:users');
    return body.data.items;
  };
  const [before, ...others] = await shown();
  t.match(before, { name: 'read:users', builtIn: true, context: 'identity' });
  t.strictSame(others, []);
  const description = 'Look people up';
  t.match(await admin.put('/rbac/permissions/read:users', { description }), {
    status: 200,
    body: { data: { name: 'read:users', description } },
  });
  t.strictSame(await shown(), [{ ...before, description }], 'and shown so, once');
  t.equal((await admin.put('/rbac/permissions/fly:moon', { description })).status, 404);
  t.equal((await admin.delete('/rbac/permissions/read:users')).status, 409, 'it stays all the same');
  const somebody = await service.user();
  t.equal((await somebody.put('/rbac/permissions/read:users', { description: 'Mine' })).status, 403);
});
