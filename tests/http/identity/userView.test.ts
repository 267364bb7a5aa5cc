import t from 'tap';
import { testService } from '../../support/service.ts';

t.test('an account shows administrators all that its holder sees, but its security', async (t) => {
  const service = await testService(t);
  const [admin, somebody] = [await service.admin(), await service.user('Ada')];
  const { security, ...profile } = (await somebody.get('/users/me')).body.data;
  t.ok(security);
  const shown = await admin.get(`/users/${somebody.accountId}`);
  t.equal(shown.status, 200);
  t.strictSame(shown.body.data, profile);
  t.match(profile.statistics, { totalPlanners: 0, streakDays: 0, lastActivity: null });
});
