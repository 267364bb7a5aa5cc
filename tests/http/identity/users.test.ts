import t from 'tap';
import { type Answer, type Client, eventually, testService } from '../../support/service.ts';

t.test('accounts for administrators', async (t) => {
  const service = await testService(t, {}, { people: false });
  const { anonymous, newcomer, user } = service;
  const admin = await service.admin();
  const NOBODY = '00000000-0000-4000-8000-000000000000';

  const holding = async (client: Client, ...permissions: readonly string[]): Promise<void> => {
    const name = `role_${client.accountId.replaceAll('-', '').slice(-12)}`;
    await admin.post('/rbac/roles', { name, description: 'For a test', permissions });
    await admin.post(`/rbac/users/${client.accountId}/roles`, { roleName: name });
    await eventually(
      () => client.get('/users/me'),
      ({ body }) => body.data.roles.includes(name),
    );
  };

  t.test('searching for accounts', async (t) => {
    const [ada, bob] = [
      await user('Ada 100%_sure', 'ada.search@x.io'),
      await newcomer('Bob Search', 'bob.search@x.io'),
    ];
    t.equal((await bob.post('/users/me/phone-numbers', { number: '+4930555123' })).status, 201);
    const search = (query: string) => admin.get(`/users/search?${query}`);
    await eventually(
      () => search('q=30555123'),
      ({ body }) => body.data.users.length === 1,
    );
    const names = ({ body }: Answer): readonly string[] =>
      body.data.users.map(({ displayName }: { displayName: string }) => displayName);

    t.test('is for those who may read accounts', async (t) => {
      t.equal((await ada.get('/users/search')).status, 403);
      t.equal((await anonymous.get('/users/search')).status, 401);
      const reader = await user();
      await holding(reader, 'read:users');
      t.equal((await reader.get('/users/search')).status, 200);
    });
    t.test('answers in pages of 50 at most', async (t) => {
      t.equal((await search('limit=51')).status, 422);
      const { status, body } = await search('limit=50');
      t.equal(status, 200);
      const { total } = body.data.pagination;
      t.ok(total >= 4);
      t.strictSame(body.data.pagination, { page: 1, limit: 50, total, pages: 1, hasNext: false, hasPrev: false });
      t.match(
        body.data.users.find(({ userId }: { userId: string }) => userId === ada.accountId),
        {
          email: ada.email,
          displayName: 'Ada 100%_sure',
          phoneNumber: null,
          roles: ['free'],
          plan: 'free',
          status: 'active',
          emailVerified: true,
          lastLoginAt: /Z$/,
          createdAt: /Z$/,
        },
      );
      t.equal((await search('page=99')).body.data.users.length, 0);
    });
    t.test('finds text in name, address and number, and takes % and _ as they are', async (t) => {
      t.strictSame(names(await search('q=ADA.SEARCH')), ['Ada 100%_sure']);
      t.strictSame(names(await search('q=bob%20se')), ['Bob Search']);
      t.strictSame(names(await search('q=30555')), ['Bob Search']);
      t.strictSame(names(await search(`q=${encodeURIComponent('0%_s')}`)), ['Ada 100%_sure']);
      t.strictSame(names(await search(`q=${encodeURIComponent('%%')}`)), []);
      t.strictSame(names(await search(`q=${encodeURIComponent('a_a')}`)), []);
      t.strictSame(names(await search(`q=${encodeURIComponent("'; drop table")}`)), []);
      t.equal((await search('q=a')).status, 422);
    });
    t.test('is narrowed by role, plan, subscription, status and time', async (t) => {
      t.strictSame(names(await search('role=admin')), ['Administrator']);
      t.strictSame(names(await search('role=nobody')), []);
      t.strictSame(names(await search('q=search&plan=premium')), []);
      t.equal(names(await search('q=search&plan=free&subscriptionStatus=active')).length, 2);
      t.strictSame(names(await search('q=search&status=locked')), []);
      await admin.post(`/users/${bob.accountId}/lock`, {});
      t.strictSame(names(await search('q=search&status=locked')), ['Bob Search']);
      t.strictSame(names(await search('q=search&status=active')), ['Ada 100%_sure']);
      t.strictSame(names(await search('status=deactivated')), []);
      t.strictSame(names(await search('createdTo=2020-01-01')), []);
      t.match(await search('createdFrom=2020-01-02&createdTo=2020-01-01'), {
        status: 422,
        body: { error: { details: [{ field: 'createdTo' }] } },
      });
      t.equal(names(await search('q=search&createdFrom=2020-01-01&createdTo=2100-01-01')).length, 2);
      for (const bad of [
        'plan=gold',
        'status=x',
        'sort=password',
        'order=up',
        'createdFrom=never',
        'subscriptionStatus=x',
      ])
        t.equal((await search(bad)).status, 422, bad);
    });
    t.test('is sorted as asked', async (t) => {
      t.strictSame(names(await search('q=search')), ['Bob Search', 'Ada 100%_sure'], 'newest first by default');
      t.strictSame(names(await search('q=search&sort=createdAt&order=asc')), ['Ada 100%_sure', 'Bob Search']);
      t.strictSame(names(await search('q=search&sort=email&order=desc')), ['Bob Search', 'Ada 100%_sure']);
      t.strictSame(names(await search('q=search&sort=displayName&order=asc')), ['Ada 100%_sure', 'Bob Search']);
      const silent = {
        email: 'silent.search@x.io',
        password: 'Correct-horse-7',
        displayName: 'Silent',
        acceptTerms: true,
      };
      await anonymous.post('/auth/register', silent);
      for (const order of ['asc', 'desc']) {
        const sorted = await eventually(
          () => search(`q=search&sort=lastLoginAt&order=${order}`),
          (answer) => names(answer).length === 3,
        );
        t.equal(names(sorted).at(-1), 'Silent', 'who never logged in comes last');
      }
    });
  });

  t.test('an account by its id', async (t) => {
    const [eve, other] = [await user('Eve'), await user('Other')];
    t.test('is shown to its holder and to those who may read accounts, without security detail', async (t) => {
      for (const client of [eve, admin]) {
        const { status, body } = await client.get(`/users/${eve.accountId}`);
        t.equal(status, 200);
        t.match(body.data, { userId: eve.accountId, email: eve.email, displayName: 'Eve', status: 'active' });
        t.notOk('security' in body.data);
      }
      for (const id of [other.accountId, NOBODY]) t.equal((await eve.get(`/users/${id}`)).status, 403);
      t.equal((await admin.get(`/users/${NOBODY}`)).status, 404);
      t.equal((await admin.get('/users/nonsense')).status, 422);
    });
    t.test('is out of reach of accounts without a verified address, even the own one', async (t) => {
      const fresh = await newcomer();
      t.equal((await fresh.get(`/users/${fresh.accountId}`)).status, 403);
      t.equal((await fresh.put(`/users/${fresh.accountId}`, { displayName: 'X' })).status, 403);
    });
    t.test('is changed by its holder and by those who may change accounts', async (t) => {
      t.match(await eve.put(`/users/${eve.accountId}`, { displayName: 'Eve A.' }), {
        status: 200,
        body: { data: { displayName: 'Eve A.' } },
      });
      t.equal((await eve.put(`/users/${other.accountId}`, { displayName: 'Mine' })).status, 403);
      t.equal((await eve.put(`/users/${other.accountId}`, {})).status, 403, 'before the input is looked at');
      const body = { accountId: other.accountId, displayName: 'Mine' };
      t.equal((await eve.post('/commands/UpdateProfile', body)).status, 403);
      t.equal((await eve.post('/commands/ReplacePreferences', { accountId: other.accountId })).status, 403);
      await holding(eve, 'write:users');
      const changed = await eve.put(`/users/${other.accountId}`, { displayName: 'Other B.', role: 'admin' });
      t.match(changed, { status: 200, body: { data: { displayName: 'Other B.', roles: ['free'] } } });
      t.equal((await eve.put(`/users/${NOBODY}`, { displayName: 'X' })).status, 404);
      t.equal(
        (await eve.put(`/users/${other.accountId}/preferences`, {})).status,
        403,
        'preferences are for administrators',
      );
    });
    t.test('has preferences that its holder and administrators reach', async (t) => {
      const path = `/users/${other.accountId}/preferences`;
      t.equal((await eve.get(path)).status, 403);
      t.match(await admin.put(path, { theme: 'dark' }), { status: 200, body: { data: { theme: 'dark' } } });
      t.match(await other.get(path), { status: 200, body: { data: { theme: 'dark' } } });
      t.equal((await admin.get(`/users/${NOBODY}/preferences`)).status, 404);
      t.equal((await admin.put(`/users/${NOBODY}/preferences`, {})).status, 404);
    });
  });

  t.test('the login sessions of an account', async (t) => {
    const [person, stranger] = [await user('Ada'), await user('Eve')];
    const of = (userId: string) => `/auth/sessions?userId=${userId}`;
    const { status, body } = await admin.get(of(person.accountId));
    t.equal(status, 200);
    t.match(body.data.sessions, [{ method: 'password', current: false }]);
    t.match((await person.get(of(person.accountId))).body.data.sessions, [{ current: true }]);
    t.equal((await stranger.get(of(person.accountId))).status, 403);
    t.equal((await stranger.get(of(NOBODY))).status, 403, 'whether it exists or not');
    t.equal((await admin.get(of(NOBODY))).status, 404);
  });

  t.test('locking', async (t) => {
    const lock = (client: Client, id: string, body: object = {}) => client.post(`/users/${id}/lock`, body);
    const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000).toISOString();
    t.test('ends sessions and keeps out until an administrator unlocks', async (t) => {
      const mallory = await user('Mallory');
      const until = inMinutes(60);
      const locked = await lock(admin, mallory.accountId, { until, reason: 'breach' });
      t.match(locked, { status: 200, body: { data: { status: 'locked', lockedUntil: until } } });
      t.equal((await mallory.get('/users/me')).status, 401);
      const attempt = () => anonymous.post('/auth/login', { email: mallory.email, password: 'Correct-horse-7' });
      t.equal((await attempt()).status, 423);
      t.match((await admin.get(`/users/${mallory.accountId}`)).body.data, { status: 'locked', lockedUntil: until });
      await service.message(mallory.email, 'account-locked');

      const unlock = () => admin.post(`/users/${mallory.accountId}/unlock`);
      t.match(await unlock(), { status: 200, body: { data: { status: 'active', lockedUntil: null } } });
      t.equal((await attempt()).status, 200);
      t.match(await unlock(), { status: 409, body: { error: { reason: 'not-locked' } } });
    });
    t.test('after failures is ended by an administrator too', async (t) => {
      const clumsy = await user();
      const attempt = (password: string) => anonymous.post('/auth/login', { email: clumsy.email, password });
      for (let count = 1; count <= 5; count++) await attempt('Wrong-horse-7');
      t.equal((await attempt('Correct-horse-7')).status, 423);
      t.equal((await clumsy.get('/users/me')).status, 200, 'sessions stay');
      await eventually(
        () => admin.post(`/users/${clumsy.accountId}/unlock`),
        ({ status }) => status === 200,
      );
      t.equal((await attempt('Correct-horse-7')).status, 200);
    });
    t.test('ends by itself when its time comes', async (t) => {
      const patient = await user();
      // An end that is over before the lock begins is refused.
      await eventually(
        () => lock(admin, patient.accountId, { until: new Date(Date.now() + 1_500).toISOString() }),
        ({ status }) => status === 200,
      );
      await eventually(
        () =>
          service.pool.query(`select 1 from log.events where stream = $1 and type = 'AccountUnlocked'`, [
            `account-${patient.accountId}`,
          ]),
        ({ rows }) => rows.length === 1,
      );
      const answer = await anonymous.post('/auth/login', { email: patient.email, password: 'Correct-horse-7' });
      t.equal(answer.status, 200);
    });
    t.test('is refused for the past, the far future, oneself, nobody, and by others', async (t) => {
      const victim = await user();
      const id = victim.accountId;
      for (const until of [inMinutes(-1), inMinutes(31 * 24 * 60), 'soon'])
        t.match(await lock(admin, id, { until }), { status: 422, body: { error: { details: [{ field: 'until' }] } } });
      t.equal((await lock(admin, id, { reason: 'spite' })).status, 422);
      t.match(await lock(admin, admin.accountId), { status: 409, body: { error: { reason: 'own-account' } } });
      t.equal((await lock(admin, NOBODY)).status, 404);
      t.equal((await lock(victim, id)).status, 403);
      t.equal((await victim.post(`/users/${id}/unlock`)).status, 403);
      t.equal((await admin.post(`/users/${NOBODY}/unlock`)).status, 404);
    });
  });
});
