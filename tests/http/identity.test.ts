import t from 'tap';
import { eventually, sharedService } from '../support/service.ts';

const PASSWORD = 'Correct-horse-7';
const service = await sharedService();
const { anonymous, login, newcomer, user, verificationToken } = service;
const registration = (email: string) => ({ email, password: PASSWORD, displayName: 'Ada', acceptTerms: true });

t.test('registering', async (t) => {
  t.test('opens an account and shows neither password nor token', async (t) => {
    const { status, body } = await anonymous.post('/auth/register', registration('a@x.io'));
    t.equal(status, 201);
    t.strictSame(Object.keys(body.data).sort(), ['displayName', 'email', 'userId']);
    t.match(body.data, { userId: /^[0-9a-f-]{36}$/, email: 'a@x.io', displayName: 'Ada' });
  });
  t.test('needs the terms accepted and a password of every kind of character', async (t) => {
    const terms = await anonymous.post('/auth/register', { ...registration('b@x.io'), acceptTerms: false });
    t.equal(terms.status, 422);
    t.match(terms.body.error, { code: 'VALIDATION_ERROR', details: [{ field: 'acceptTerms' }] });
    const weak = await anonymous.post('/auth/register', { ...registration('b@x.io'), password: 'password1' });
    t.equal(weak.status, 422);
    t.match(weak.body.error.details, [
      { field: 'password', message: /upper-case/ },
      { field: 'password', message: /special/ },
    ]);
  });
  t.test('is refused for an address that is taken, however it is written', async (t) => {
    const { status, body } = await anonymous.post('/auth/register', registration('A@X.IO'));
    t.equal(status, 409);
    t.match(body.error, { code: 'CONFLICT', reason: 'email-taken', details: [{ field: 'email' }] });
  });
  t.test('opens one account when fifty ask for one address at once', async (t) => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => anonymous.post('/auth/register', registration('race@x.io'))),
    );
    t.equal(answers.filter(({ status }) => status === 201).length, 1);
    t.equal(answers.filter(({ status }) => status === 409).length, 49);
    const winner = answers.find(({ status }) => status === 201);
    t.equal((await login('race@x.io')).accountId, winner?.body.data.userId);
  });
  t.test('leaves no address, name or password in the clear in the log', async (t) => {
    const { rows } = await service.pool.query('select data, metadata from log.events');
    const text = JSON.stringify(rows);
    t.ok(rows.length > 10);
    for (const clear of ['a@x.io', 'race@x.io', '"Ada', PASSWORD]) t.notOk(text.includes(clear), clear);
  });
});

t.test('an account without a verified address', async (t) => {
  const fresh = await newcomer('Fresh');
  t.test('sees its profile', async (t) => {
    for (const path of ['/users/me', '/auth/me']) {
      const { status, body } = await fresh.get(path);
      t.equal(status, 200);
      t.match(body.data, { userId: fresh.accountId, displayName: 'Fresh', emailVerified: false });
    }
  });
  t.test('reaches nothing else', async (t) => {
    const { status, body } = await fresh.post('/sessions', { name: 'Sprint' });
    t.equal(status, 403);
    t.match(body.error, { code: 'FORBIDDEN', details: [{ field: 'emailVerified' }] });
  });
  t.test('verifies with the token of the mail, once', async (t) => {
    const token = await verificationToken(fresh.email);
    t.match(await anonymous.post('/auth/verify-email', { token }), {
      status: 200,
      body: { data: { emailVerified: true } },
    });
    t.match(await anonymous.post('/auth/verify-email', { token }), {
      status: 422,
      body: { error: { code: 'VALIDATION_ERROR', details: [{ field: 'token' }] } },
    });
    const { body } = await eventually(
      () => fresh.get('/users/me'),
      ({ body }) => body.data.emailVerified,
    );
    t.equal(body.data.emailVerified, true);
  });
  t.test('is not verified by made-up tokens', async (t) => {
    const other = await newcomer();
    const token = await verificationToken(other.email);
    const forged = `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`;
    for (const wrong of ['x', '0'.repeat(128), forged, 'f'.repeat(201)])
      t.equal((await anonymous.post('/auth/verify-email', { token: wrong })).status, 422);
  });
});

t.test('asking for another verification mail', async (t) => {
  const asker = await newcomer();
  await verificationToken(asker.email);
  const known = await anonymous.post('/auth/resend-verification', { email: asker.email });
  const unknown = await anonymous.post('/auth/resend-verification', { email: 'nobody@x.io' });
  t.equal(known.status, 200);
  t.strictSame(known.body, unknown.body, 'is answered alike for every address');
  const again = await anonymous.post('/auth/resend-verification', { email: asker.email });
  t.match(again, { status: 429, body: { error: { code: 'RATE_LIMIT_EXCEEDED' } } });
  t.ok(Number(again.headers.get('retry-after')) > 4 * 60);
});

t.test('logging in', async (t) => {
  const ada = await user('Ada Lovelace');
  t.test('gives a token of fifteen minutes that says who it is', async (t) => {
    const claims = JSON.parse(Buffer.from(ada.token?.split('.')[1] ?? '', 'base64url').toString());
    t.equal(claims.exp - claims.iat, 900);
    t.match(claims, { sub: ada.accountId, email: ada.email, role: String, permissions: Array });
  });
  t.test('sets cookies and answers with the same tokens', async (t) => {
    const { status, body, headers } = await anonymous.post('/auth/login', { email: ada.email, password: PASSWORD });
    t.equal(status, 200);
    t.match(body.data, {
      expiresIn: 900,
      user: { userId: ada.accountId, email: ada.email, displayName: 'Ada Lovelace' },
    });
    const [refresh = '', csrf = ''] = headers.getSetCookie();
    t.ok(refresh.includes(body.data.refreshToken));
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Max-Age=604800']) t.match(refresh, attribute);
    t.ok(csrf.includes(body.data.csrfToken));
    t.notMatch(csrf, 'HttpOnly');
  });
  t.test('is refused alike for a wrong password and an unknown address', async (t) => {
    const wrong = await anonymous.post('/auth/login', { email: ada.email, password: 'Wrong-horse-7' });
    const unknown = await anonymous.post('/auth/login', { email: 'nobody2@x.io', password: 'Wrong-horse-7' });
    t.equal(wrong.status, 401);
    t.strictSame([wrong.status, wrong.body], [unknown.status, unknown.body]);
  });
  t.test('locks after five failures, known address or not, and then even for the right password', async (t) => {
    const victim = await user();
    for (const email of [victim.email, 'nobody3@x.io']) {
      const attempt = (password: string) => anonymous.post('/auth/login', { email, password });
      for (let count = 1; count <= 4; count++) t.equal((await attempt('Wrong-horse-7')).status, 401);
      const fifth = await attempt('Wrong-horse-7');
      t.equal(fifth.status, 423);
      t.match(fifth.body.error, { code: 'ACCOUNT_LOCKED', message: /15 minutes/ });
      t.equal((await attempt(PASSWORD)).status, 423);
    }
    const admin = await service.admin();
    const mails = await eventually(
      () => admin.get(`/ops/outbox?recipient=${victim.email}`),
      ({ body }) => body.data.items[0].template === 'account-locked',
    );
    t.equal(mails.body.data.pagination.total, 2, 'one mail to verify, one about the lock');
  });
});

t.test('refreshing', async (t) => {
  const logIn = async () => {
    const somebody = await newcomer();
    const { body } = await anonymous.post('/auth/login', { email: somebody.email, password: PASSWORD });
    const { refreshToken, csrfToken } = body.data;
    return { somebody, refreshToken: String(refreshToken), csrfToken: String(csrfToken) };
  };
  t.test('changes the pair, and ends the session when a token comes twice', async (t) => {
    const { somebody, refreshToken } = await logIn();
    const first = await anonymous.post('/auth/refresh', { refreshToken });
    t.equal(first.status, 200);
    t.not(first.body.data.refreshToken, refreshToken);
    const authorization = `Bearer ${first.body.data.accessToken}`;
    t.equal((await anonymous.get('/users/me', { authorization })).status, 200);

    t.equal((await anonymous.post('/auth/refresh', { refreshToken })).status, 401);
    t.equal((await anonymous.post('/auth/refresh', { refreshToken: first.body.data.refreshToken })).status, 401);
    t.equal((await anonymous.get('/users/me', { authorization })).status, 401, 'its access token is refused at once');
    const { body } = await eventually(
      () => somebody.get('/auth/sessions'),
      ({ body }) => body.data.pagination.total === 1,
    );
    t.match(body.data.sessions, [{ current: true }]);
  });
  t.test('of one token at once lets one win and ends the session', async (t) => {
    const { refreshToken } = await logIn();
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => anonymous.post('/auth/refresh', { refreshToken })),
    );
    t.equal(answers.filter(({ status }) => status === 200).length, 1);
    const next = answers.find(({ status }) => status === 200)?.body.data.refreshToken;
    t.equal((await anonymous.post('/auth/refresh', { refreshToken: next })).status, 401);
  });
  t.test('by cookie needs the CSRF token', async (t) => {
    const { refreshToken, csrfToken } = await logIn();
    const cookie = `refresh-token=${refreshToken}; csrf-token=${csrfToken}`;
    t.equal((await anonymous.post('/auth/refresh', undefined, { cookie })).status, 403);
    t.equal((await anonymous.post('/auth/refresh', undefined, { cookie, 'x-csrf-token': 'x' })).status, 403);
    t.equal((await anonymous.post('/auth/refresh', undefined, { cookie, 'x-csrf-token': csrfToken })).status, 200);
  });
  t.test('is refused for nonsense', async (t) => {
    for (const refreshToken of ['', 'x', `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}.${'a'.repeat(43)}`])
      t.equal((await anonymous.post('/auth/refresh', { refreshToken })).status, 401);
    t.equal((await anonymous.post('/auth/refresh')).status, 401);
  });
});

t.test('ending sessions', async (t) => {
  t.test('by logging out: with the access token, the refresh token or the cookie', async (t) => {
    const somebody = await newcomer();
    t.equal((await somebody.post('/auth/logout')).status, 200);
    t.equal((await somebody.get('/users/me')).status, 401);
    for (const by of ['body', 'cookie'] as const) {
      const { body } = await anonymous.post('/auth/login', { email: somebody.email, password: PASSWORD });
      const { accessToken, refreshToken, csrfToken } = body.data;
      const cookie = { cookie: `refresh-token=${refreshToken}`, 'x-csrf-token': csrfToken };
      const answer =
        by === 'body'
          ? await anonymous.post('/auth/logout', { refreshToken })
          : await anonymous.post('/auth/logout', undefined, cookie);
      t.equal(answer.status, 200, by);
      if (by === 'cookie') {
        const cleared = answer.headers.getSetCookie();
        t.match(cleared[0], /^refresh-token=; Max-Age=0; Path=\/api\/v1\/auth;.* HttpOnly; Secure; SameSite=Strict$/);
        t.match(cleared[1], /^csrf-token=; Max-Age=0; Path=\/;.* Secure; SameSite=Strict$/);
      }
      t.equal((await anonymous.get('/users/me', { authorization: `Bearer ${accessToken}` })).status, 401, by);
    }
    t.equal((await anonymous.post('/auth/logout')).status, 401);
  });
  t.test('of one by its id makes its access token void', async (t) => {
    const here = await newcomer();
    const there = await login(here.email);
    const { body } = await here.get('/auth/sessions');
    const other = body.data.sessions.find(({ current }: { current: boolean }) => !current);
    const stranger = await newcomer();
    t.equal((await stranger.delete(`/auth/sessions/${other.id}`)).status, 404);
    t.equal((await here.delete(`/auth/sessions/${other.id}`)).status, 200);
    t.equal((await there.get('/users/me')).status, 401);
    t.equal((await here.delete(`/auth/sessions/${other.id}`)).status, 200, 'twice changes nothing');
  });
  t.test('of all, with or without the own one', async (t) => {
    const here = await newcomer();
    const there = await login(here.email);
    t.match((await here.delete('/auth/sessions?keepCurrent=true')).body, { data: { revoked: 1 } });
    t.equal((await there.get('/users/me')).status, 401);
    t.equal((await here.delete('/auth/sessions')).status, 200);
    t.equal((await here.get('/users/me')).status, 401);
  });
});

t.test('the commands behind log-in are out of reach', async (t) => {
  const admin = await service.admin();
  for (const name of [
    'StartLoginSession',
    'RecordLogin',
    'RegisterAdministrator',
    'StartEmailVerification',
    'StartPasswordReset',
    'EndLoginSessions',
    'RehashPassword',
    'NoteVerifiedNumber',
    'ReleaseEmail',
  ])
    t.equal((await admin.post(`/commands/${name}`, {})).status, 404, name);
});
