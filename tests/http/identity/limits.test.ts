import { randomUUID } from 'node:crypto';
import t from 'tap';
import { type Answer, testService } from '../../support/service.ts';

const PASSWORD = 'Correct-horse-7';
const MINUTE = 60_000;
t.test('limits of what takes a secret', async (t) => {
  const service = await testService(t, { RATE_LIMIT_SCALE: '1', TRUST_PROXY: '1' });
  const { anonymous } = service;

  let addresses = 0;
  /** An address that nobody has asked from. */
  const elsewhere = (): Record<string, string> => {
    addresses += 1;
    return { 'x-forwarded-for': `198.51.100.${addresses}` };
  };

  const registered = async (): Promise<string> => {
    const email = `${randomUUID()}@example.org`;
    const account = { email, password: PASSWORD, displayName: 'Somebody', acceptTerms: true };
    const { status } = await anonymous.post('/auth/register', account, elsewhere());
    if (status !== 201) throw new Error(`Registering answered ${status}`);
    return email;
  };
  const tooMany = ({ status, headers, body }: Answer): boolean =>
    status === 429 && body.error.reason === 'rate-limit' && Number(headers.get('retry-after')) > 0;

  t.test('whatever takes a secret', async (t) => {
    const none = randomUUID();
    const routes: Readonly<Record<string, readonly string[]>> = {
      RegisterAccount: ['/auth/register'],
      VerifyEmail: ['/auth/verify-email'],
      RequestEmailVerification: ['/auth/resend-verification'],
      LogIn: ['/auth/login'],
      SendOtp: ['/auth/send-otp'],
      VerifyOtp: ['/auth/verify-otp'],
      RequestPasswordReset: ['/auth/forgot-password'],
      ResetPassword: ['/auth/reset-password'],
      VerifyMfaChallenge: ['/mfa/verify'],
      CompleteOAuthSignIn: ['/auth/google', '/auth/oauth/google', '/auth/oauth/github'],
      VerifyPhoneNumber: [`/users/me/phone-numbers/${none}/verify`],
    };
    for (const [command, paths] of Object.entries(routes)) {
      const from = elsewhere();
      const spellings = [...paths, `/commands/${command}`, ...paths.map((path) => `${path}/`)];
      const answers: Answer[] = [];
      for (let index = 0; index < 6; index += 1)
        answers.push(await anonymous.post(spellings[index % spellings.length] ?? '', {}, from));
      t.notOk(answers.slice(0, 5).some(tooMany), `${command}: five pass`);
      const sixth = answers[5];
      t.ok(sixth !== undefined && tooMany(sixth), `${command}: the sixth does not, however it is spelled`);
      t.match(Object.fromEntries(sixth?.headers ?? []), { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0' });
      t.ok(Number(sixth?.headers.get('x-ratelimit-reset')) <= 900);
      t.notOk(tooMany(await anonymous.post(spellings[0] ?? '', {}, elsewhere())), `${command}: others may`);
    }
  });

  t.test('two processes count attempts at secrets together', async (t) => {
    const there = (await service.secondNode()).anonymous;
    const from = elsewhere();
    const attempt = (index: number) =>
      (index % 2 === 0 ? anonymous : there).post('/auth/forgot-password', { email: 'nobody' }, from);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => attempt(index)));
    t.equal(answers.filter((answer) => !tooMany(answer)).length, 5);
  });

  t.test('a locked account', async (t) => {
    const email = await registered();
    const from = elsewhere();
    const attempt = (password: string, address = elsewhere()) =>
      anonymous.post('/auth/login', { email, password }, address);
    const statuses: number[] = [];
    for (let index = 0; index < 5; index += 1) statuses.push((await attempt('Wrong-horse-7', from)).status);
    t.same(statuses, [401, 401, 401, 401, 423]);
    t.ok(tooMany(await attempt(PASSWORD, from)), 'the limit is counted before the lock');
    const locked = await attempt(PASSWORD);
    t.equal(locked.status, 423, 'wherever the right password comes from');
    t.ok(Number(locked.headers.get('retry-after')) > 14 * 60, 'and it says until when');
    await service.setAhead(14 * MINUTE);
    t.equal((await attempt(PASSWORD)).status, 423, 'for 15 minutes');
    await service.setAhead(15 * MINUTE + 1_000);
    t.equal((await attempt(PASSWORD)).status, 200);
    t.equal((await attempt('Wrong-horse-7')).status, 401, 'and counting begins anew');
  });

  t.test('codes for one address', async (t) => {
    const email = await registered();
    const since = 16 * MINUTE;
    const ask = () => anonymous.post('/auth/send-otp', { email }, elsewhere());
    for (let count = 0; count < 5; count += 1) {
      await service.setAhead(since + count * 61_000);
      t.equal((await ask()).status, 200, `code ${count + 1}`);
    }
    const early = await ask();
    t.equal(early.status, 429, 'a minute lies between two');
    await service.setAhead(since + 5 * 61_000);
    const sixth = await ask();
    t.match([sixth.status, sixth.body.error.code], [429, 'RATE_LIMIT_EXCEEDED'], 'five an hour');
    await service.setAhead(since + 60 * MINUTE + 1_000);
    t.equal((await ask()).status, 200);
  });

  t.test('requests', async (t) => {
    const asked = async (count: number, ask: () => Promise<Answer>): Promise<number> => {
      let passed = 0;
      for (let index = 0; index < count; index += 1) if ((await ask()).status !== 429) passed += 1;
      return passed;
    };
    t.test('without a login: 100 in 15 minutes by address', async (t) => {
      const from = elsewhere();
      t.equal(await asked(103, () => anonymous.get('/auth/oauth', from)), 100);
      t.match(Object.fromEntries((await anonymous.get('/auth/oauth', from)).headers), {
        'x-ratelimit-limit': '100',
        'x-ratelimit-remaining': '0',
        'retry-after': /^\d+$/,
      });
      t.equal((await anonymous.get('/auth/oauth', elsewhere())).status, 200);
    });
    t.test('of an account on the free plan: 100 in 15 minutes, wherever from', async (t) => {
      const email = await registered();
      const { body } = await anonymous.post('/auth/login', { email, password: PASSWORD }, elsewhere());
      const authorization = `Bearer ${body.data.accessToken}`;
      t.equal(await asked(103, () => anonymous.get('/users/me', { authorization, ...elsewhere() })), 100);
    });
    t.test('of an administrator: 100 in a minute', async (t) => {
      const admin = await service.admin();
      const first = await admin.get('/users/me');
      t.equal(first.headers.get('x-ratelimit-limit'), '100', 'the narrower of both');
      t.equal(await asked(103, () => admin.get('/users/me')), 99);
      t.ok(Number((await admin.get('/users/me')).headers.get('retry-after')) <= 60);
    });
  });
});
