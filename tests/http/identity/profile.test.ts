import t from 'tap';
import { eventually, sharedService } from '../../support/service.ts';

const service = await sharedService();
const { anonymous, newcomer, user } = service;
const admin = await service.admin();

t.test('the own profile', async (t) => {
  const ada = await user('Ada');
  t.test('says everything there is to say', async (t) => {
    const { status, body, headers } = await ada.get('/users/me');
    t.equal(status, 200);
    t.match(body.data, {
      userId: ada.accountId,
      email: ada.email,
      displayName: 'Ada',
      photoURL: null,
      phoneNumber: null,
      emailVerified: true,
      phoneVerified: false,
      status: 'active',
      role: 'free',
      roles: ['free'],
      permissions: Array,
      preferences: { theme: 'auto', notifications: { email: true, push: true, reminder: true }, timezone: 'UTC' },
      subscription: { plan: 'free', status: 'active', startedAt: null, expiresAt: null, autoRenew: false },
      statistics: {
        totalPlanners: 0,
        totalTasks: 0,
        completedTasks: 0,
        streakDays: 0,
        longestStreak: 0,
        lastActivity: null,
      },
      security: { mfaEnabled: false, passwordChangedAt: null, lastLoginAt: /Z$/ },
      createdAt: /Z$/,
      updatedAt: /Z$/,
      version: Number,
    });
    t.equal(headers.get('etag'), `"${body.data.version}"`);
    t.strictSame((await ada.get('/auth/me')).body, body);
    t.notMatch(JSON.stringify(body), /\$2[aby]\$/);
  });
  t.test('is told again when the roles changed, though the account did not', async (t) => {
    const before = await ada.get('/users/me');
    const etag = before.headers.get('etag') ?? '';
    const roles = `/rbac/users/${ada.accountId}/roles`;
    t.equal((await admin.post(roles, { roleName: 'customer' })).status, 201);
    const { status, headers, body } = await eventually(
      () => ada.get('/users/me', { 'if-none-match': etag }),
      ({ status, body }) => status !== 200 || body.data.roles.includes('customer'),
    );
    t.equal(status, 200);
    t.ok(body.data.roles.includes('customer'));
    t.equal(headers.get('etag'), etag);
    const { assignments } = (await admin.get(roles)).body.data;
    const { roleId } = assignments.find(({ name }: { name: string }) => name === 'customer');
    t.equal((await admin.delete(`${roles}/${roleId}`)).status, 200);
    await eventually(
      () => ada.get('/users/me'),
      ({ body }) => !body.data.roles.includes('customer'),
    );
  });
  t.test('is changed in part by PATCH', async (t) => {
    const { status, body } = await ada.patch('/users/me', {
      displayName: 'Ada L.',
      photoURL: 'https://example.org/ada.png',
      preferences: { theme: 'dark', notifications: { push: false } },
    });
    t.equal(status, 200);
    t.match(body.data, {
      userId: ada.accountId,
      displayName: 'Ada L.',
      preferences: { theme: 'dark', notifications: { email: true, push: false, reminder: true } },
      version: Number,
    });
    const again = await ada.patch('/users/me', { timezone: 'Europe/Berlin' });
    const profile = (await ada.get('/users/me')).body.data;
    t.match(profile, {
      displayName: 'Ada L.',
      photoURL: 'https://example.org/ada.png',
      timezone: 'Europe/Berlin',
      preferences: { theme: 'dark', timezone: 'Europe/Berlin' },
      version: again.body.data.version,
    });
  });
  t.test('takes no fields that are not for its holder to set', async (t) => {
    const before = (await ada.get('/users/me')).body.data;
    const grab = {
      role: 'admin',
      roles: ['admin'],
      permissions: ['*:*'],
      plan: 'enterprise',
      subscription: { plan: 'enterprise' },
      emailVerified: true,
      phoneVerified: true,
      email: 'root@example.org',
      status: 'active',
      passwordHash: 'x',
      mfaEnabled: true,
    };
    const shown = ({
      version: _version,
      updatedAt: _at,
      photoURL: _photo,
      timezone: _zone,
      preferences: _some,
      ...rest
    }: typeof before) => rest;
    t.equal((await ada.patch('/users/me', grab)).status, 200);
    t.equal((await ada.put('/users/me', { ...grab, displayName: before.displayName })).status, 200);
    t.equal((await ada.patch('/users/me/preferences', grab)).status, 200);
    t.equal((await ada.post('/commands/UpdateProfile', grab)).status, 200);
    t.strictSame(shown((await ada.get('/users/me')).body.data), shown(before));
    const fresh = await newcomer();
    await fresh.patch('/users/me', grab);
    t.match((await fresh.get('/users/me')).body.data, { emailVerified: false, subscription: { plan: 'free' } });
    t.notMatch((await fresh.get('/users/me')).body.data.roles, ['admin']);
    const registration = {
      ...grab,
      email: 'grab@x.io',
      password: 'Correct-horse-7',
      displayName: 'G',
      acceptTerms: true,
    };
    const { body } = await anonymous.post('/auth/register', registration);
    const registered = await eventually(
      () => admin.get(`/users/${body.data.userId}`),
      ({ status }) => status === 200,
    );
    t.match(registered.body.data, { emailVerified: false, subscription: { plan: 'free' } });
  });
  t.test('is replaced by PUT: what is missing is as on the first day', async (t) => {
    await ada.patch('/users/me', { photoURL: 'https://example.org/ada.png', timezone: 'Europe/Berlin' });
    const { status, body } = await ada.put('/users/me', { displayName: 'Ada' });
    t.equal(status, 200);
    t.match(body.data, { displayName: 'Ada', photoURL: null, timezone: 'UTC', email: ada.email });
    t.match(await ada.put('/users/me', { timezone: 'UTC' }), {
      status: 422,
      body: { error: { details: [{ field: 'displayName' }] } },
    });
  });
  t.test('stays as it is when the change was meant for another version', async (t) => {
    const { version } = (await ada.get('/users/me')).body.data;
    for (const method of ['PATCH', 'PUT']) {
      const stale = await ada.call(method, '/users/me', { displayName: 'Late', version: version - 1 });
      t.match(stale, { status: 409, body: { error: { code: 'CONFLICT', reason: 'stale-version' } } }, method);
      const header = { 'if-match': `"${version - 1}"` };
      t.equal((await ada.call(method, '/users/me', { displayName: 'Late' }, header)).status, 412, method);
    }
    const current = await ada.patch('/users/me', { displayName: 'Ada B.', version }, { 'if-match': `"${version}"` });
    t.equal(current.status, 200);
    t.equal(current.body.data.version, version + 1);
  });
  t.test('is not touched by what changes nothing', async (t) => {
    const { version, displayName } = (await ada.get('/users/me')).body.data;
    const same = await ada.patch('/users/me', { displayName, preferences: {} });
    t.equal(same.body.data.version, version);
  });
  t.test('refuses what no profile may hold', async (t) => {
    const bad = {
      displayName: '',
      photoURL: 'http://example.org/a.png',
      timezone: 'Nowhere',
      'preferences.theme': 'blue',
    };
    for (const [field, value] of Object.entries(bad)) {
      const body = field.includes('.') ? { preferences: { theme: value } } : { [field]: value };
      t.match(await ada.patch('/users/me', body), { status: 422, body: { error: { details: [{ field }] } } });
    }
    t.equal((await ada.patch('/users/me', { photoURL: null })).status, 200);
    t.equal((await anonymous.patch('/users/me', {})).status, 401);
  });
});

t.test('preferences', async (t) => {
  const bob = await newcomer('Bob');
  t.test('are replaced by PUT, with defaults for what is missing', async (t) => {
    const before = (await bob.get('/users/me/preferences')).body.data;
    t.match(await bob.put('/users/me/preferences', { theme: 'blue' }), {
      status: 422,
      body: { error: { code: 'VALIDATION_ERROR', details: [{ field: 'theme' }] } },
    });
    const { status, body } = await bob.put('/users/me/preferences', { notifications: false });
    t.equal(status, 200);
    t.strictSame(body.data, { ...before, notifications: { email: false, push: false, reminder: false } });
    await bob.put('/users/me/preferences', {
      theme: 'light',
      timeFormat: '12h',
      language: 'de',
      timezone: 'asia/kolkata',
    });
    const after = (await bob.get('/users/me/preferences')).body.data;
    t.strictSame(after, { ...before, theme: 'light', timeFormat: '12h', language: 'de', timezone: 'Asia/Kolkata' });
    const reset = (await bob.put('/users/me/preferences', {})).body.data;
    t.strictSame(
      reset,
      { ...before, language: 'de', timezone: 'Asia/Kolkata' },
      'language and zone stay those of the account',
    );
    t.match((await bob.get('/users/me')).body.data, { language: 'de', timezone: 'Asia/Kolkata' });
  });
  t.test('are changed in part by PATCH', async (t) => {
    await bob.patch('/users/me/preferences', { notifications: true, accentColor: '#00ff00' });
    const { body } = await bob.patch('/users/me/preferences', { notifications: { reminder: false } });
    t.match(body.data, { accentColor: '#00ff00', notifications: { email: true, push: true, reminder: false } });
  });
  t.test('refuse what they cannot hold', async (t) => {
    const bad = {
      accentColor: 'red',
      defaultView: 'x'.repeat(31),
      notifications: 'loud',
      language: 'german',
      timezone: '+02:00',
      dateFormat: '',
      timeFormat: '25h',
    };
    for (const [field, value] of Object.entries(bad))
      t.match(
        await bob.patch('/users/me/preferences', { [field]: value }),
        { status: 422, body: { error: { details: [{ field }] } } },
        field,
      );
  });
});

t.test('the login history', async (t) => {
  const carl = await newcomer('Carl');
  await anonymous.post('/auth/login', { email: carl.email, password: 'Wrong-horse-7' }, { 'user-agent': 'a test' });
  const read = (query = '') => carl.get(`/users/me/login-history${query}`);
  t.test('tells every attempt, newest first', async (t) => {
    const { status, body } = await service.login(carl.email).then(() => read());
    t.equal(status, 200);
    t.match(body.data.items, [
      { success: true, reason: null, ip: String, timestamp: /Z$/ },
      { success: false, reason: 'wrong_secret', userAgent: 'a test' },
      { success: true },
    ]);
    t.match(body.data.pagination, { total: 3, page: 1 });
  });
  t.test('is narrowed by result and time, and paged', async (t) => {
    t.equal((await read('?success=false')).body.data.pagination.total, 1);
    t.equal((await read('?from=2100-01-01')).body.data.pagination.total, 0);
    t.equal((await read('?to=2020-01-01')).body.data.pagination.total, 0);
    const second = await read('?page=2&limit=2');
    t.match(second.body.data, { items: [{ success: true }], pagination: { pages: 2, hasPrev: true } });
    t.equal(second.body.data.items.length, 1);
    t.equal((await read('?success=perhaps')).status, 422);
    t.equal((await anonymous.get('/users/me/login-history')).status, 401);
  });
  t.test('is shown to administrators too', async (t) => {
    const { body } = await admin.get(`/users/${carl.accountId}/login-history`);
    t.equal(body.data.pagination.total, 3);
    const stranger = await user();
    t.equal((await stranger.get(`/users/${carl.accountId}/login-history`)).status, 403);
    t.equal((await admin.get('/users/00000000-0000-4000-8000-000000000000/login-history')).status, 404);
  });
});
