import { randomUUID } from 'node:crypto';
import t from 'tap';
import { eventually, testService } from '../../support/service.ts';

const PASSWORD = 'Correct-horse-7';
const WRONG = 'Wrong-horse-7';
t.test('hostile callers', async (t) => {
  const service = await testService(t, { PASSWORD_COST: '8' });
  const { anonymous, newcomer } = service;

  const account = (email: string, more: object = {}) => ({
    email,
    password: PASSWORD,
    displayName: 'Somebody',
    acceptTerms: true,
    ...more,
  });
  const loginOf = async (email: string) =>
    (await anonymous.post('/auth/login', { email, password: PASSWORD })).body.data as Readonly<Record<string, string>>;

  t.test('a registration gives itself nothing', async (t) => {
    const email = 'mallory@example.org';
    const greedy = {
      role: 'admin',
      roles: ['admin'],
      permissions: ['*:*'],
      plan: 'enterprise',
      subscription: { plan: 'enterprise' },
      emailVerified: true,
      status: 'active',
      accountId: randomUUID(),
      userId: randomUUID(),
      __proto__: { permissions: ['*:*'] },
    };
    t.equal((await anonymous.post('/auth/register', account(email, greedy))).status, 201);
    const mallory = await service.login(email);
    t.not(mallory.accountId, greedy.accountId);
    const { body } = await mallory.get('/users/me');
    t.match(body.data, { emailVerified: false, subscription: { plan: 'free' } });
    t.notOk(body.data.roles.includes('admin') || body.data.permissions.includes('*:*'));
    t.equal((await mallory.get('/users/search')).status, 403);
  });

  t.test('nothing else than an access token in its header is a login', async (t) => {
    const { email } = await newcomer();
    const { accessToken = '', refreshToken = '', csrfToken = '' } = await loginOf(email);
    const me = (headers: Record<string, string>, query = '') => anonymous.get(`/users/me${query}`, headers);
    t.equal((await me({ authorization: `Bearer ${accessToken}` })).status, 200);
    t.equal((await me({ authorization: `bearer  ${accessToken}` })).status, 200, 'the scheme has no case (RFC 9110)');
    const [header = '', claims = '', signature = ''] = accessToken.split('.');
    const no: Readonly<Record<string, Record<string, string>>> = {
      'a refresh token': { authorization: `Bearer ${refreshToken}` },
      'a CSRF token': { authorization: `Bearer ${csrfToken}` },
      'another scheme': { authorization: `Basic ${accessToken}` },
      'no scheme': { authorization: accessToken },
      'two tokens in one': { authorization: `Bearer ${accessToken}, Bearer ${accessToken}` },
      'a cookie': { cookie: `access-token=${accessToken}; token=${accessToken}; refresh-token=${refreshToken}` },
      'a cookie with the CSRF header': { cookie: `refresh-token=${refreshToken}`, 'x-csrf-token': csrfToken },
      'an access token as API key': { 'x-api-key': accessToken },
      'another header': { 'x-access-token': accessToken, 'proxy-authorization': `Bearer ${accessToken}` },
      'a name that a proxy would vouch for': { 'x-forwarded-user': email, 'x-remote-user': email },
      'a signature cut short': { authorization: `Bearer ${header}.${claims}.${signature.slice(0, -2)}` },
      'no signature': { authorization: `Bearer ${header}.${claims}.` },
    };
    for (const [what, headers] of Object.entries(no)) t.equal((await me(headers)).status, 401, what);
    for (const query of ['access_token', 'token', 'authorization'])
      t.equal((await me({}, `?${query}=${accessToken}`)).status, 401, `${query} in the address`);
    t.equal((await anonymous.post('/auth/refresh', { refreshToken: csrfToken })).status, 401);
    t.equal((await anonymous.post('/auth/refresh', { refreshToken: accessToken })).status, 422, 'none is that long');
  });

  t.test('the cookie of a refresh token', async (t) => {
    const [ada, eve] = [await newcomer(), await newcomer()];
    const [mine, hers] = [await loginOf(ada.email), await loginOf(eve.email)];
    const refresh = (cookie: string, csrf?: string, more: Record<string, string> = {}) =>
      anonymous.post('/auth/refresh', undefined, {
        cookie,
        ...(csrf === undefined ? {} : { 'x-csrf-token': csrf }),
        ...more,
      });
    const cookie = `refresh-token=${mine.refreshToken}`;
    const no: Readonly<Record<string, readonly [cookie: string, csrf?: string | undefined]>> = {
      'without the header': [cookie],
      'with the CSRF token as cookie alone': [`${cookie}; csrf-token=${mine.csrfToken}`],
      'with a pair of cookie and header that somebody made up': [
        `${cookie}; csrf-token=${'0'.repeat(64)}`,
        '0'.repeat(64),
      ],
      "with somebody else's CSRF token, cookie and header alike": [
        `${cookie}; csrf-token=${hers.csrfToken}`,
        hers.csrfToken,
      ],
      'with an empty header': [`${cookie}; csrf-token=`, ''],
      'with as many characters in the header, but more bytes': [cookie, '\u00E9'.repeat(64)],
    };
    for (const [what, [given, csrf]] of Object.entries(no))
      t.match(await refresh(given, csrf), { status: 403, body: { error: { reason: 'csrf-token-missing' } } }, what);
    t.equal((await anonymous.post('/auth/logout', undefined, { cookie })).status, 403, 'logging out neither');
    const planted = await refresh(`refresh-token=${hers.refreshToken}; ${cookie}`, mine.csrfToken);
    t.equal(planted.status, 403, 'a cookie planted before it puts nobody into a strange session');
    const form = await anonymous.post('/auth/refresh', `refreshToken=${mine.refreshToken}`, {
      'content-type': 'application/x-www-form-urlencoded',
      cookie,
    });
    t.equal(form.status, 415, 'no page of another site can send it as a form');
    const right = await refresh(cookie, mine.csrfToken, { origin: 'https://evil.example.org' });
    t.equal(right.status, 200);
    t.equal(right.headers.get('access-control-allow-origin'), null, 'and no other site reads the answer');
  });

  t.test('headers that pretend', async (t) => {
    const { email } = await newcomer();
    const person = await service.login(email);
    await anonymous.post(
      '/auth/login',
      { email, password: WRONG },
      {
        'x-forwarded-for': '203.0.113.99',
        forwarded: 'for=203.0.113.99',
        'x-real-ip': '203.0.113.99',
        'user-agent': `curl\u0085${'x'.repeat(5_000)}`,
      },
    );
    const { body } = await eventually(
      () => person.get('/users/me/login-history'),
      ({ body }) => body.data.items[0].success === false,
    );
    const { items } = body.data;
    t.notMatch(items[0].ip, '203.0.113.99', 'no proxy is trusted that is not configured');
    t.ok(items[0].userAgent.length <= 400);

    for (const name of ['x-http-method-override', 'x-method-override', 'x-http-method'])
      t.equal((await person.post('/users/me', {}, { [name]: 'DELETE' })).status, 404, name);
    for (const name of ['x-original-url', 'x-rewrite-url'])
      t.equal((await anonymous.get('/auth/oauth', { [name]: '/api/v1/users/search' })).status, 200, name);

    await anonymous.post('/auth/forgot-password', { email }, { 'x-forwarded-host': 'evil.example.org' });
    const { text } = await service.message(email, 'password-reset');
    t.notMatch(text, 'evil.example.org', 'links lead to the service, whatever the request called it');
  });

  t.test('whether there is an account cannot be told', async (t) => {
    const fresh = (count: number): readonly string[] =>
      Array.from({ length: count }, () => `${randomUUID()}@example.org`);
    const registered = async (count: number): Promise<readonly string[]> => {
      const addresses = fresh(count);
      for (const email of addresses) {
        const { status } = await anonymous.post('/auth/register', account(email));
        if (status !== 201) throw new Error(`Registering answered ${status}`);
      }
      return addresses;
    };

    t.test('by an answer', async (t) => {
      const [[there = ''], [absent = '']] = [await registered(1), fresh(1)];
      const bodies: Readonly<Record<string, (email: string) => object>> = {
        '/auth/login': (email) => ({ email, password: WRONG }),
        '/auth/send-otp': (email) => ({ email }),
        '/auth/verify-otp': (email) => ({ email, code: '123456' }),
        '/auth/forgot-password': (email) => ({ email }),
        '/auth/resend-verification': (email) => ({ email }),
      };
      const varies = new Set([
        'date',
        'x-correlation-id',
        'consistency-token',
        'x-ratelimit-remaining',
        'x-ratelimit-reset',
        'retry-after',
        'etag',
      ]);
      for (const [path, bodyOf] of Object.entries(bodies)) {
        const [one, other] = [await anonymous.post(path, bodyOf(there)), await anonymous.post(path, bodyOf(absent))];
        const plain = ({ status, headers, body }: typeof one) => ({
          status,
          headers: [...headers].filter(([name]) => !varies.has(name)),
          names: [...headers.keys()],
          body: JSON.parse(JSON.stringify(body).replaceAll(/"challengeId":"[^"]*"/g, '"challengeId":"any"')),
        });
        t.same(plain(one), plain(other), path);
      }
    });

    t.test('by the time that it takes', async (t) => {
      const took = async (email: string): Promise<number> => {
        const since = performance.now();
        const { status } = await anonymous.post('/auth/login', { email, password: WRONG });
        if (status !== 401) throw new Error(`Logging in answered ${status}`);
        return performance.now() - since;
      };
      const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length / 2] ?? 0;
      const measured = async () => {
        const [known, unknown] = [await registered(4), fresh(4)];
        const times: { readonly known: number[]; readonly unknown: number[] } = { known: [], unknown: [] };
        // Four times each, because the fifth failure locks; by turns, so that whatever else runs slows both alike.
        for (let round = 0; round < 4; round += 1)
          for (let index = 0; index < 4; index += 1) {
            times.known.push(await took(known[index] ?? ''));
            times.unknown.push(await took(unknown[index] ?? ''));
          }
        return { there: middle(times.known), absent: middle(times.unknown) };
      };
      type Measured = Awaited<ReturnType<typeof measured>>;
      const isAlike = ({ there, absent }: Measured): boolean => absent / there > 0.6 && absent / there < 1.6;
      let last = await measured();
      // What else runs may come between all the same. A difference that is there shows every time.
      for (let more = 4; more > 0 && !isAlike(last); more -= 1) last = await measured();
      const { there, absent } = last;
      t.ok(there > 5, `the hash is what takes time: ${there.toFixed(1)} ms`);
      t.ok(isAlike(last), `${there.toFixed(1)} ms known, ${absent.toFixed(1)} ms unknown`);
    });
  });
});
