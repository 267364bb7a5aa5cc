import t from 'tap';
import { eventually, sharedService } from '../../support/service.ts';

const PASSWORD = 'Correct-horse-7';
const service = await sharedService();
const { admin, anonymous, user } = service;

/** The code in the newest message to an address or number. */
const codeSentTo = async (recipient: string, channel: 'email' | 'sms', newest = 1): Promise<string> => {
  const query = `channel=${channel}&recipient=${encodeURIComponent(recipient)}&limit=50`;
  const ask = async () => {
    const { body } = await (await admin()).get(`/ops/outbox?${query}`);
    return (body.data.items as readonly { readonly template: string; readonly text: string }[])
      .filter(({ template }) => template === 'otp-code')
      .map(({ text }) => /\b\d{6}\b/.exec(text)?.[0] ?? '');
  };
  return (await eventually(ask, (codes) => codes.length >= newest))[0] ?? '';
};
const another = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

let numbers = 0;
const newNumber = (): string => `+4930555${String(10_000 + numbers++)}`;
/** Somebody with a verified telephone number. */
const reachable = async () => {
  const person = await user('Reachable');
  const number = newNumber();
  const { body } = await person.post('/users/me/phone-numbers', { number });
  const code = await codeSentTo(number, 'sms');
  const verified = await person.post(`/users/me/phone-numbers/${body.data.id}/verify`, { code });
  if (verified.status !== 200) throw new Error(JSON.stringify(verified.body));
  return { person, number };
};

t.test('a code by mail', async (t) => {
  const { email, accountId } = await user('Ada');
  const sent = await anonymous.post('/auth/send-otp', { email });
  t.equal(sent.status, 200);
  t.match(sent.body.data, { challengeId: /^[0-9a-f-]{36}$/, expiresIn: 300, resendAfter: 60 });
  const { challengeId } = sent.body.data;
  const code = await codeSentTo(email, 'email');

  t.test('is not sent again within a minute', async (t) => {
    const { status, headers, body } = await anonymous.post('/auth/send-otp', { email });
    t.equal(status, 429);
    t.equal(body.error.reason, 'code-sent-recently');
    t.ok(Number(headers.get('retry-after')) <= 60);
  });
  t.test('logs in once, by its challenge', async (t) => {
    t.equal((await anonymous.post('/auth/verify-otp', { challengeId, code: another(code) })).status, 401);
    const { status, body } = await anonymous.post('/auth/verify-otp', { challengeId, code });
    t.equal(status, 200);
    t.match(body.data, { accessToken: String, refreshToken: String, user: { userId: accountId } });
    t.equal((await anonymous.post('/auth/verify-otp', { challengeId, code })).status, 401);
  });
  t.test('logs exactly one in of many who have it', async (t) => {
    const other = await user('Eve');
    await anonymous.post('/auth/send-otp', { email: other.email });
    const secret = await codeSentTo(other.email, 'email');
    const tries = Array.from({ length: 4 }, () =>
      anonymous.post('/auth/login', { email: other.email, otpCode: secret }),
    );
    t.equal((await Promise.all(tries)).filter(({ status }) => status === 200).length, 1);
  });
});

t.test('whether anybody is known is not told', async (t) => {
  const unknown = await anonymous.post('/auth/send-otp', { email: 'nobody@example.org' });
  t.equal(unknown.status, 200);
  t.same(Object.keys(unknown.body.data).sort(), ['challengeId', 'expiresIn', 'resendAfter']);
  t.equal((await anonymous.post('/auth/send-otp', { email: 'nobody@example.org' })).status, 429, 'spaced all the same');
  const { challengeId } = unknown.body.data;
  for (let attempt = 1; attempt <= 4; attempt += 1)
    t.equal((await anonymous.post('/auth/verify-otp', { challengeId, code: '123456' })).status, 401);
  t.equal(
    (await anonymous.post('/auth/verify-otp', { challengeId, code: '123456' })).status,
    423,
    'locks all the same',
  );
  for (const identifier of [{ phoneNumber: '+4930999999' }, { agentCode: 'NOBODY1' }])
    t.equal((await anonymous.post('/auth/send-otp', identifier)).status, 200);
});

t.test('the fifth wrong code locks and voids', async (t) => {
  const { number } = await reachable();
  const sent = await anonymous.post('/auth/send-otp', { phoneNumber: number });
  const code = await codeSentTo(number, 'sms', 2);
  const verify = (guess: string) =>
    anonymous.post('/auth/verify-otp', { challengeId: sent.body.data.challengeId, code: guess });
  for (let attempt = 1; attempt <= 4; attempt += 1) t.equal((await verify(another(code))).status, 401);
  t.equal((await verify(another(code))).status, 423);
  t.not((await verify(code)).status, 200);
});

t.test('logging in by telephone number', async (t) => {
  const { person, number } = await reachable();
  t.test('takes the password', async (t) => {
    const { status, body } = await anonymous.post('/auth/login', { phoneNumber: number, password: PASSWORD });
    t.equal(status, 200);
    t.equal(body.data.user.userId, person.accountId);
  });
  t.test('takes a code', async (t) => {
    await anonymous.post('/auth/send-otp', { phoneNumber: number });
    const otpCode = await codeSentTo(number, 'sms', 2);
    t.equal((await anonymous.post('/auth/login', { phoneNumber: number, otpCode })).status, 200);
  });
  t.test('is not for a number that nobody has verified', async (t) => {
    const unverified = newNumber();
    await person.post('/users/me/phone-numbers', { number: unverified });
    t.equal((await anonymous.post('/auth/login', { phoneNumber: unverified, password: PASSWORD })).status, 401);
  });
});

t.test('what a log-in takes', async (t) => {
  const email = 'a@x.io';
  for (const [body, field] of [
    [{ password: PASSWORD }, 'email'],
    [{ email, agentCode: 'A1', password: PASSWORD }, 'email'],
    [{ email }, 'password'],
    [{ agentCode: 'A1' }, 'password'],
    [{ email, password: PASSWORD, otpCode: '123456' }, 'password'],
    [{ email, otpCode: '12345' }, 'otpCode'],
  ] as const) {
    const { status, body: answered } = await anonymous.post('/auth/login', body);
    t.equal(status, 422, JSON.stringify(body));
    t.match(answered.error.details, [{ field }]);
  }
  const { status, body } = await anonymous.post('/auth/verify-otp', { code: '123456' });
  t.equal(status, 422);
  t.match(body.error.details, [{ field: 'challengeId' }]);
});

t.test('codes lie nowhere in the log', async (t) => {
  const { email } = await user('Grace');
  await anonymous.post('/auth/send-otp', { email });
  const code = await codeSentTo(email, 'email');
  const { rows } = await service.pool.query<{ text: string }>('select data as text from log.events');
  t.ok(rows.length > 10);
  t.notOk(rows.some(({ text }) => text.includes(`"${code}"`)));
});
