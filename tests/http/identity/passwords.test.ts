import t from 'tap';
import { type Client, eventually, testService } from '../../support/service.ts';

const PASSWORD = 'Correct-horse-7';
const NEXT = 'Another-horse-8';
t.test('passwords', async (t) => {
  const service = await testService(t);
  const { anonymous, login, newcomer, user, tokenIn } = service;

  const logIn = (email: string, password = PASSWORD) => anonymous.post('/auth/login', { email, password });
  const forgot = (email: string) => anonymous.post('/auth/forgot-password', { email });
  const reset = (token: string, newPassword = NEXT) => anonymous.post('/auth/reset-password', { token, newPassword });
  const refreshTokenOf = async ({ email }: Client) => (await logIn(email)).body.data.refreshToken as string;

  /** What an answer tells about itself, without what differs in every answer. */
  const told = ({ status, body, headers }: Awaited<ReturnType<typeof forgot>>) => ({
    status,
    body,
    headers: [...headers.keys()].sort(),
    etag: headers.get('etag'),
  });

  t.test('asking for another password', async (t) => {
    t.test('is answered alike for every address', async (t) => {
      const known = await user();
      const [one, other] = [await forgot(known.email), await forgot('nobody@x.io')];
      t.equal(one.status, 200);
      t.strictSame(told(one), told(other));
      const { rows } = await service.pool.query(
        `select type, count(*)::int from log.events where type = 'PasswordResetAsked' group by type`,
      );
      t.match(rows, [{ count: 2 }], 'and leaves one event each, so that it takes as long');
    });
    t.test('is allowed three times an hour, known or not', async (t) => {
      const known = await user();
      for (const email of [known.email, 'nobody2@x.io']) {
        for (let count = 1; count <= 3; count++) t.equal((await forgot(email)).status, 200);
        const fourth = await forgot(email);
        t.match(fourth, { status: 429, body: { error: { code: 'RATE_LIMIT_EXCEEDED', reason: 'asked-often' } } });
        t.ok(Number(fourth.headers.get('retry-after')) > 3_500);
      }
    });
    t.test('needs an address', async (t) => {
      t.match(await forgot('nobody'), { status: 422, body: { error: { details: [{ field: 'email' }] } } });
    });
  });

  t.test('asking for another verification mail tells nothing by its headers either', async (t) => {
    const known = await newcomer();
    const ask = (email: string) => anonymous.post('/auth/resend-verification', { email });
    t.strictSame(told(await ask(known.email)), told(await ask('nobody3@x.io')));
  });

  t.test('choosing another password by mail', async (t) => {
    t.test('takes the token once, refuses weak passwords, and ends every session', async (t) => {
      const somebody = await user();
      const refreshToken = await refreshTokenOf(somebody);
      await forgot(somebody.email);
      const token = await tokenIn(somebody.email, 'password-reset');

      t.match(await reset(token, 'password1'), {
        status: 422,
        body: { error: { details: [{ field: 'newPassword' }] } },
      });
      t.match(await reset(token, PASSWORD), { status: 422, body: { error: { reason: 'password-same' } } });
      t.equal((await reset(token)).status, 200);
      t.match(await reset(token, 'Third-horse-9'), {
        status: 422,
        body: { error: { reason: 'token-invalid', details: [{ field: 'token' }] } },
      });
      t.equal((await anonymous.post('/auth/refresh', { refreshToken })).status, 401);
      t.equal((await somebody.get('/users/me')).status, 401);
      t.equal((await logIn(somebody.email)).status, 401, 'the old password counts no more');
      t.equal((await logIn(somebody.email, NEXT)).status, 200);
      await service.message(somebody.email, 'password-changed');
    });
    t.test('takes only the newest token', async (t) => {
      const somebody = await user();
      await forgot(somebody.email);
      const first = await tokenIn(somebody.email, 'password-reset');
      await forgot(somebody.email);
      const second = await tokenIn(somebody.email, 'password-reset', 2);
      t.not(first, second);
      t.equal((await reset(first)).status, 422);
      t.equal((await reset(second)).status, 200);
    });
    t.test('is refused for tokens of another kind, forged or cut', async (t) => {
      const somebody = await newcomer();
      const other = await service.verificationToken(somebody.email);
      for (const token of [other, '0'.repeat(128), other.slice(1), 'x'])
        t.equal((await reset(token)).status, 422, token.slice(0, 8));
      await forgot(somebody.email);
      const token = await tokenIn(somebody.email, 'password-reset');
      t.equal((await anonymous.post('/auth/verify-email', { token })).status, 422, 'and verifies no address');
    });
    t.test('ends a lock and forgets the failures', async (t) => {
      const somebody = await user();
      for (let count = 1; count <= 5; count++) await logIn(somebody.email, 'Wrong-horse-7');
      t.equal((await logIn(somebody.email)).status, 423);
      await forgot(somebody.email);
      t.equal((await reset(await tokenIn(somebody.email, 'password-reset'))).status, 200);
      t.equal((await logIn(somebody.email, NEXT)).status, 200);
    });
    t.test('is refused for passwords that are tried first', async (t) => {
      const somebody = await user();
      await forgot(somebody.email);
      const answer = await reset(await tokenIn(somebody.email, 'password-reset'), 'P@ssw0rd123');
      t.equal(answer.status, 422);
      t.match(answer.body.error.details, [{ field: 'newPassword', message: /tried first/ }]);
      const registration = { email: 'weak@x.io', password: 'Welcome1!', displayName: 'Weak', acceptTerms: true };
      t.match(await anonymous.post('/auth/register', registration), {
        status: 422,
        body: { error: { details: [{ field: 'password', message: /tried first/ }] } },
      });
    });
  });

  t.test('changing the password', async (t) => {
    const change = (client: Client, currentPassword: string, newPassword = NEXT) =>
      client.post('/auth/change-password', { currentPassword, newPassword });
    t.test('ends every other session', async (t) => {
      const here = await newcomer();
      const there = await login(here.email);
      const { status, body } = await change(here, PASSWORD);
      t.equal(status, 200);
      t.match(body.data, { passwordChangedAt: /Z$/ });
      t.equal((await there.get('/users/me')).status, 401);
      const profile = await here.get('/users/me');
      t.equal(profile.body.data.security.passwordChangedAt, body.data.passwordChangedAt);
      t.equal((await logIn(here.email)).status, 401);
      t.equal((await logIn(here.email, NEXT)).status, 200);
      await service.message(here.email, 'password-changed');
      // The policy comes along behind the command, and leaves the own session alone too.
      await eventually(
        () => here.get('/auth/sessions'),
        ({ body }) => body.data.sessions.some(({ current }: { current: boolean }) => current),
      );
    });
    t.test('needs the current one, and a new one that is good and different', async (t) => {
      const somebody = await newcomer();
      t.match(await change(somebody, 'Wrong-horse-7'), { status: 403, body: { error: { reason: 'password-wrong' } } });
      t.match(await change(somebody, PASSWORD, PASSWORD), {
        status: 422,
        body: { error: { reason: 'password-same' } },
      });
      t.match(await change(somebody, PASSWORD, 'weak'), {
        status: 422,
        body: { error: { details: [{ field: 'newPassword' }] } },
      });
      t.equal((await logIn(somebody.email)).status, 200);
      t.equal((await anonymous.post('/auth/change-password', {})).status, 401);
    });
    t.test('of two at once lets one win', async (t) => {
      const somebody = await newcomer();
      const answers = await Promise.all([change(somebody, PASSWORD), change(somebody, PASSWORD, 'Third-horse-9')]);
      t.strictSame(answers.map(({ status }) => status).sort(), [200, 403]);
    });
  });

  t.test('a password hashed at another cost is hashed anew when its holder logs in', async (t) => {
    const somebody = await newcomer();
    await service.stop();
    const dearer = await testService(t, {
      ...service.environment,
      PASSWORD_COST: '5',
    });
    t.equal(
      (await dearer.anonymous.post('/auth/login', { email: somebody.email, password: 'Wrong-horse-7' })).status,
      401,
    );
    await dearer.login(somebody.email);
    await dearer.login(somebody.email);
    const { rows } = await service.pool.query(
      `select type from log.events where type = 'PasswordRehashed' and stream = $1`,
      [`account-${somebody.accountId}`],
    );
    t.equal(rows.length, 1, 'once, and not for a wrong password');
  });
});
