import { randomUUID } from 'node:crypto';
import t from 'tap';
import { type Client, eventually, sharedService, testService } from '../../support/service.ts';

const service = await sharedService();
const { anonymous, user, newcomer, pool } = service;
const admin = await service.admin();

const make = (owner: Client, more: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  owner.post('/auth/api-keys', { name: 'Import', permissions: ['read:own-profile'], ...more }, headers);
const by = (key: string) => ({ 'x-api-key': key });

t.test('a new key', async (t) => {
  const owner = await user();
  const key = { 'idempotency-key': randomUUID() };
  const { status, body, headers } = await make(owner, {}, key);
  t.equal(status, 201);
  t.match(body.data, { name: 'Import', permissions: ['read:own-profile'], expiresAt: null });
  t.match(body.data.key, /^ak_live_[A-Za-z0-9_-]{32}$/);
  t.equal(body.data.prefix, body.data.key.slice(0, 12));
  t.equal(headers.get('cache-control'), 'no-store');

  t.test('is never shown again', async (t) => {
    const again = await make(owner, {}, key);
    t.equal(again.status, 201);
    t.equal(again.headers.get('idempotency-replayed'), 'true');
    const { key: _secret, ...rest } = body.data;
    t.strictSame(again.body.data, rest);
    const listed = await owner.get('/auth/api-keys');
    t.match(listed.body.data, { items: [{ id: body.data.id, prefix: body.data.prefix, revokedAt: null }] });
    t.notMatch(JSON.stringify(listed.body), body.data.key);
    t.notMatch(JSON.stringify(listed.body), /hash/i);
  });
  t.test('lies nowhere in the clear', async (t) => {
    const { rows } = await pool.query("select data::text as data from log.events where type = 'ApiKeyCreated'");
    t.ok(rows.length > 0);
    for (const { data } of rows) {
      t.notMatch(data, body.data.key);
      t.notMatch(data, 'Import', 'and neither does its name');
    }
    const read = await pool.query('select k::text as row from read.api_keys k');
    for (const { row } of read.rows) t.notMatch(row, body.data.key);
  });
  t.test('may do what it names and what its owner may, and nothing else', async (t) => {
    const secret = by(body.data.key);
    t.match(await anonymous.get('/users/me', secret), { status: 200, body: { data: { userId: owner.accountId } } });
    t.match((await anonymous.get('/rbac/me/permissions', secret)).body.data, { permissions: ['read:own-profile'] });
    const check = async (permission: string) =>
      (await anonymous.post('/rbac/check', { permission }, secret)).body.data.allowed;
    t.equal(await check('read:own-profile'), true);
    t.equal(await check('book:appointments'), false, 'its owner may, the key may not');
    t.match(await anonymous.call('PATCH', '/users/me', { displayName: 'Other' }, secret), {
      status: 403,
      body: { error: { code: 'FORBIDDEN', reason: 'permission-missing' } },
    });
  });
  t.test('is refused where no key is taken', async (t) => {
    const secret = by(body.data.key);
    const refused = { status: 403, body: { error: { code: 'FORBIDDEN', reason: 'api-key-not-allowed' } } };
    t.match(await anonymous.get('/auth/api-keys', secret), refused);
    t.match(await anonymous.post('/auth/api-keys', { name: 'x', permissions: ['read:own-profile'] }, secret), refused);
    t.match(await anonymous.post('/commands/CreateApiKey', {}, secret), refused);
    t.match(await anonymous.delete(`/auth/api-keys/${body.data.id}`, undefined, secret), refused);
    t.match(await anonymous.get('/rbac/roles', secret), refused);
  });
  t.test('tells when it was used', async (t) => {
    const { body: shown } = await eventually(
      () => owner.get('/auth/api-keys'),
      ({ body }) => body.data.items[0].lastUsedAt !== null,
    );
    const used = shown.data.items[0].lastUsedAt;
    t.ok(Date.parse(used) <= Date.now());
    await anonymous.get('/users/me', by(body.data.key));
    const { rows } = await pool.query('select count(*)::int as n from log.events where type like $1', ['ApiKey%']);
    t.equal(rows[0].n, 1, 'which is no event');
    t.equal((await owner.get('/auth/api-keys')).body.data.items[0].lastUsedAt, used, 'once a minute');
  });
});

t.test('a key that is none', async (t) => {
  for (const key of ['', 'x', 'ak_live_', `ak_live_${'a'.repeat(32)}`, 'a'.repeat(5000)]) {
    const { status, body } = await anonymous.get('/users/me', by(key));
    t.match({ status, code: body.error.code }, { status: 401, code: 'UNAUTHORIZED' }, key.slice(0, 20));
  }
});

t.test('asking for a key', async (t) => {
  const owner = await user();
  t.match(await make(owner, { permissions: ['*:*'] }), { status: 403, body: { error: { code: 'FORBIDDEN' } } });
  t.match(await make(owner, { permissions: ['fly:moon'] }), {
    status: 422,
    body: { error: { details: [{ field: 'permissions' }] } },
  });
  for (const wrong of [
    { permissions: [] },
    { name: '' },
    { expiresAt: '2020-01-01T00:00:00Z' },
    { expiresAt: new Date(Date.now() + 366 * 86_400_000).toISOString() },
    { expiresAt: 'tomorrow' },
  ])
    t.equal((await make(owner, wrong)).status, 422, JSON.stringify(wrong));
  t.equal((await anonymous.post('/auth/api-keys', {})).status, 401);
  t.equal((await make(await newcomer(), { permissions: ['read:own-profile'] })).status, 201, 'unverified too');
  for (const query of ['status=lost', 'limit=51', 'page=0', 'userId=x'])
    t.equal((await owner.get(`/auth/api-keys?${query}`)).status, 422, query);
});

t.test('twenty live keys are the most, however many are asked for at once', async (t) => {
  const owner = await user();
  const answers = await Promise.all(Array.from({ length: 30 }, () => make(owner)));
  t.equal(answers.filter(({ status }) => status === 201).length, 20);
  const refused = answers.filter(({ status }) => status !== 201);
  for (const answer of refused)
    t.match(answer, { status: 409, body: { error: { code: 'CONFLICT', reason: 'too-many-api-keys' } } });
  const { body } = await owner.get('/auth/api-keys?status=active&limit=50');
  t.equal(body.data.pagination.total, 20);
  t.equal(new Set(answers.flatMap(({ body }) => body.data?.key ?? [])).size, 20, 'no two alike');
  const [first] = body.data.items;
  t.equal((await owner.delete(`/auth/api-keys/${first.id}`)).status, 200);
  t.equal((await make(owner)).status, 201, 'one that was revoked makes room');
});

t.test('revoking a key', async (t) => {
  const owner = await user();
  const other = await user();
  const { id, key } = (await make(owner)).body.data;
  const works = async () => (await anonymous.get('/users/me', by(key))).status;
  t.equal(await works(), 200);
  t.equal((await other.delete(`/auth/api-keys/${id}`)).status, 404, 'is not for others');
  t.equal((await other.delete(`/auth/api-keys/${id}`, { accountId: owner.accountId })).status, 404);
  t.equal((await owner.delete(`/auth/api-keys/${randomUUID()}`)).status, 404);
  t.equal(await works(), 200);
  t.equal((await owner.delete(`/auth/api-keys/${id}`)).status, 200);
  t.match(await anonymous.get('/users/me', by(key)), { status: 401, body: { error: { reason: 'api-key-invalid' } } });
  t.equal((await owner.delete(`/auth/api-keys/${id}`)).status, 200, 'twice is the same');
  t.match((await owner.get('/auth/api-keys?status=revoked')).body.data.items, [{ id, revokedAt: String }]);
  t.match((await owner.get('/auth/api-keys?status=active')).body.data.items, []);

  t.test('is for administrators too', async (t) => {
    const second = (await make(owner)).body.data;
    t.match((await admin.get(`/auth/api-keys?userId=${owner.accountId}&status=active`)).body.data.items, [
      { id: second.id },
    ]);
    t.equal((await other.get(`/auth/api-keys?userId=${owner.accountId}`)).status, 403);
    t.equal((await other.get(`/auth/api-keys?userId=${randomUUID()}`)).status, 403);
    t.equal((await admin.get(`/auth/api-keys?userId=${randomUUID()}`)).status, 404);
    t.equal((await admin.delete(`/auth/api-keys/${second.id}`)).status, 200);
    t.equal((await anonymous.get('/users/me', by(second.key))).status, 401);
    t.equal((await admin.delete(`/auth/api-keys/${randomUUID()}`)).status, 404);
  });
});

t.test('a key ends with its time', async (t) => {
  const owner = await user();
  // One whose time is over before it is made is refused.
  const made = await eventually(
    () => make(owner, { expiresAt: new Date(Date.now() + 1_200).toISOString() }),
    ({ status }) => status === 201,
  );
  const { key, id, expiresAt } = made.body.data;
  await eventually(
    () => anonymous.get('/users/me', by(key)),
    ({ status }) => status === 401,
  );
  t.ok(Date.now() >= Date.parse(expiresAt), 'not before');
  t.match((await owner.get('/auth/api-keys?status=expired')).body.data.items, [{ id }]);
});

t.test('a key loses what its owner loses', async (t) => {
  const owner = await user();
  const role = (await admin.post('/rbac/roles', { name: 'key_reader', permissions: ['read:users'] })).body.data;
  const roles = `/rbac/users/${owner.accountId}/roles`;
  t.equal((await admin.post(roles, { roleId: role.id })).status, 201);
  const { body } = await eventually(
    () => make(owner, { permissions: ['read:users', 'read:own-profile'] }),
    ({ status }) => status === 201,
  );
  const held = async () =>
    (await anonymous.get('/rbac/me/permissions', by(body.data.key))).body.data.permissions.toSorted();
  t.strictSame(await held(), ['read:own-profile', 'read:users']);
  t.equal((await admin.delete(`${roles}/${role.id}`)).status, 200);
  t.strictSame(await held(), ['read:own-profile']);
});

t.test('what is done with a key says so', async (t) => {
  const owner = await user();
  const { key } = (await make(owner, { permissions: ['write:own-profile'] })).body.data;
  t.equal((await anonymous.call('PATCH', '/users/me', { displayName: 'By key' }, by(key))).status, 200);
  const { rows } = await pool.query(
    "select metadata::jsonb->'actor' as actor from log.events where type = 'ProfileUpdated' and stream = $1",
    [`account-${owner.accountId}`],
  );
  t.strictSame(rows, [{ actor: { id: owner.accountId, kind: 'api_key' } }]);
});

t.test('each key counts by itself, and those of one account together in the minute', async (t) => {
  const small = await testService(t, { RATE_LIMIT_SCALE: '1' });
  const { key } = (await (await small.admin()).post('/auth/api-keys', { name: 'x', permissions: ['*:*'] })).body.data;
  const { headers } = await small.anonymous.get('/users/me', by(key));
  t.ok(Number(headers.get('x-ratelimit-limit')) <= 500);
  const { headers: next } = await small.anonymous.get('/users/me', by(key));
  t.equal(Number(headers.get('x-ratelimit-remaining')) - Number(next.get('x-ratelimit-remaining')), 1);
});
