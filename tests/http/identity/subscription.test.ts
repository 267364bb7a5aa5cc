import t from 'tap';
import { type Client, eventually, sharedService } from '../../support/service.ts';

const service = await sharedService();
const { anonymous, user, newcomer } = service;
const admin = await service.admin();

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
const put = ({ accountId }: Client, body: object, by = admin) => by.put(`/users/${accountId}/subscription`, body);
const planOf = async (client: Client) => (await client.get('/users/me/subscription')).body.data;
const rolesOf = async ({ accountId }: Client): Promise<readonly string[]> => {
  const { body } = await admin.get(`/rbac/users/${accountId}/roles`);
  return body.data.assignments.map(({ name }: { name: string }) => name);
};
const refused = ({ status, body }: { status: number; body: { error?: { reason?: string } } }) => [
  status,
  body.error?.reason,
];

t.test('every account begins on the free plan', async (t) => {
  const somebody = await newcomer();
  t.match(await somebody.get('/users/me/subscription'), {
    status: 200,
    body: {
      data: {
        plan: 'free',
        status: 'active',
        startedAt: null,
        expiresAt: null,
        autoRenew: false,
        benefits: [],
        limits: { planners: 5, exports: false, ai: false },
      },
    },
  });
  t.equal((await anonymous.get('/users/me/subscription')).status, 401);
});

t.test('an administrator puts an account on a plan', async (t) => {
  const somebody = await user();
  t.test('whose role follows it, and only it', async (t) => {
    const expiresAt = inDays(30);
    const answer = await put(somebody, { plan: 'premium', expiresAt, stripeCustomerId: 'cus_1' });
    t.match(answer, { status: 200, body: { data: { plan: 'premium', status: 'active', expiresAt } } });
    t.ok(answer.body.data.benefits.includes('export:planners'));
    t.strictSame(answer.body.data.limits, { planners: null, exports: true, ai: true });
    t.strictSame(await planOf(somebody), answer.body.data);

    await eventually(
      () => rolesOf(somebody),
      (roles) => roles.includes('premium') && !roles.includes('free'),
    );
    const roles = `/rbac/users/${somebody.accountId}/roles`;
    t.strictSame(refused(await admin.post(roles, { roleName: 'enterprise' })), [409, 'plan-role']);
    await eventually(
      () => somebody.get('/users/me'),
      ({ body }) => body.data?.permissions?.includes('export:planners'),
    );
    const profile = (await somebody.get('/users/me')).body.data;
    t.match(profile, { role: 'premium', subscription: { plan: 'premium', status: 'active', expiresAt } });
  });
  t.test('with nothing stored for what is so already', async (t) => {
    const { expiresAt } = await planOf(somebody);
    const before = (await admin.get(`/users/${somebody.accountId}`)).body.data.version;
    const again = await put(somebody, { plan: 'premium', expiresAt, stripeCustomerId: 'cus_1' });
    t.equal(again.status, 200);
    t.equal((await admin.get(`/users/${somebody.accountId}`)).body.data.version, before);
  });
  t.test('and nobody else does, himself least of all', async (t) => {
    t.equal((await put(somebody, { plan: 'enterprise', autoRenew: true }, somebody)).status, 403);
    t.equal((await put(somebody, { plan: 'enterprise', autoRenew: true }, anonymous)).status, 401);
    t.equal(
      (await somebody.patch('/users/me', { plan: 'enterprise', subscription: { plan: 'enterprise' } })).status,
      200,
    );
    t.equal((await planOf(somebody)).plan, 'premium', 'an update of the profile does not');
  });
  t.test('with fields that make sense', async (t) => {
    const fields = async (body: object) => {
      const { status, body: answer } = await put(somebody, body);
      return [status, answer.error?.details.map(({ field }: { field: string }) => field)];
    };
    t.strictSame(await fields({ plan: 'premium' }), [422, ['expiresAt']]);
    t.strictSame(await fields({ plan: 'premium', expiresAt: inDays(-1) }), [422, ['expiresAt']]);
    t.strictSame(await fields({ plan: 'gold', autoRenew: true }), [422, ['plan']]);
    t.strictSame(await fields({ plan: 'premium', autoRenew: 'yes' }), [422, ['autoRenew']]);
    const nobody = '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01';
    t.equal((await admin.put(`/users/${nobody}/subscription`, { plan: 'free' })).status, 404);
  });
});

t.test('a plan comes to its end by itself', async (t) => {
  const somebody = await user();
  // An end that is over before the plan begins is refused.
  await eventually(
    () => put(somebody, { plan: 'enterprise', expiresAt: new Date(Date.now() + 1_500).toISOString() }),
    ({ status }) => status === 200,
  );
  const ended = await eventually(
    () => planOf(somebody),
    ({ status }) => status === 'expired',
  );
  t.match(ended, { plan: 'free', status: 'expired', benefits: [] });
  await eventually(
    () => rolesOf(somebody),
    (roles) => roles.includes('free') && !roles.includes('enterprise'),
  );
});

t.test('cancelling', async (t) => {
  const cancel = (client: Client, body?: object) => client.post('/users/me/subscription/cancel', body);
  t.test('leaves the benefits until the end, and is done once', async (t) => {
    const somebody = await user();
    const expiresAt = inDays(9);
    await put(somebody, { plan: 'premium', expiresAt, autoRenew: true });
    t.match(await cancel(somebody), {
      status: 200,
      body: { data: { plan: 'premium', status: 'cancelled', expiresAt, autoRenew: false } },
    });
    t.strictSame(refused(await cancel(somebody)), [409, 'already-cancelled']);
    await eventually(
      () => rolesOf(somebody),
      (roles) => roles.includes('premium'),
    );
  });
  t.test('ends a plan without an end at once', async (t) => {
    const somebody = await user();
    await put(somebody, { plan: 'premium', autoRenew: true });
    t.match(await cancel(somebody), { status: 200, body: { data: { plan: 'free', status: 'expired' } } });
    await eventually(
      () => rolesOf(somebody),
      (roles) => roles.includes('free') && !roles.includes('premium'),
    );
  });
  t.test('is refused without a paid plan, and for others', async (t) => {
    const [somebody, other] = [await user(), await user()];
    t.strictSame(refused(await cancel(somebody)), [409, 'no-paid-plan']);
    await put(other, { plan: 'premium', autoRenew: true });
    t.equal((await cancel(somebody, { accountId: other.accountId })).status, 403);
    t.equal((await somebody.post('/commands/CancelSubscription', { accountId: other.accountId })).status, 403);
    t.equal((await admin.post('/commands/CancelSubscription', { accountId: other.accountId })).status, 200);
    t.equal((await somebody.post('/commands/ExpireSubscription', { accountId: other.accountId })).status, 404);
  });
});
