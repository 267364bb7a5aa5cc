import { randomUUID } from 'node:crypto';
import t from 'tap';
import { type Client, eventually, sharedService } from '../../support/service.ts';

const PASSWORD = 'Correct-horse-7';
const service = await sharedService();
const { anonymous, newcomer, user, tokenIn, message } = service;

const fresh = (): string => `${randomUUID()}@example.net`;
const change = (client: Client, newEmail: string, password = PASSWORD) =>
  client.post('/auth/change-email', { newEmail, password });
const verify = (token: string) => anonymous.post('/auth/verify-email', { token });
const register = (email: string) =>
  anonymous.post('/auth/register', { email, password: PASSWORD, displayName: 'Ada', acceptTerms: true });
const logIn = (email: string) => anonymous.post('/auth/login', { email, password: PASSWORD });

t.test('verifying the address takes a token once', async (t) => {
  const somebody = await newcomer();
  const token = await service.verificationToken(somebody.email);
  const first = await verify(token);
  t.equal(first.status, 200);
  t.strictSame(first.body.data, { emailVerified: true });
  t.match(await verify(token), { status: 422, body: { error: { reason: 'token-invalid' } } });
});

t.test('changing the address', async (t) => {
  t.test('counts from the confirmation on; the old one hears of it and becomes free', async (t) => {
    const somebody = await user();
    const newEmail = fresh();
    const asked = await change(somebody, newEmail.toUpperCase());
    t.equal(asked.status, 200);
    t.strictSame(asked.body.data, { pendingEmail: newEmail });
    t.match((await message(somebody.email, 'email-change-notice')).text, /another e-mail address/);
    t.equal((await logIn(newEmail)).status, 401, 'not yet');
    t.equal((await register(newEmail)).status, 409, 'reserved meanwhile');
    t.match((await somebody.get('/users/me')).body.data, { email: somebody.email });

    const token = await tokenIn(newEmail, 'email-change');
    t.equal((await verify(token)).status, 200);
    t.match((await somebody.get('/users/me')).body.data, { email: newEmail, emailVerified: true });
    t.equal((await logIn(newEmail)).status, 200);
    t.equal((await logIn(somebody.email)).status, 401);
    t.equal((await verify(token)).status, 422, 'once');
    await eventually(
      () => register(somebody.email),
      ({ status }) => status === 201,
    );
  });
  t.test('needs the password, and an address that nobody has', async (t) => {
    const [somebody, other] = [await user(), await user()];
    const wrong = await change(somebody, other.email, 'Wrong-horse-7');
    t.match(wrong, { status: 403, body: { error: { reason: 'password-wrong' } } }, 'and tells nothing of the address');
    for (const taken of [other.email, somebody.email])
      t.match(await change(somebody, taken), {
        status: 409,
        body: { error: { code: 'CONFLICT', details: [{ field: 'newEmail' }] } },
      });
    t.match(await change(somebody, 'nobody'), { status: 422, body: { error: { details: [{ field: 'newEmail' }] } } });
    t.equal((await anonymous.post('/auth/change-email', {})).status, 401);
  });
  t.test('takes only the newest token', async (t) => {
    const somebody = await user();
    const [first, second] = [fresh(), fresh()];
    await change(somebody, first);
    await change(somebody, second);
    t.equal((await verify(await tokenIn(second, 'email-change'))).status, 200);
    const mails = (await (await service.admin()).get(`/ops/outbox?recipient=${first}`)).body.data.items;
    for (const { text } of mails) {
      const token = /token=(\w+)/.exec(text)?.[1] ?? '';
      t.equal((await verify(token)).status, 422);
    }
    t.match((await somebody.get('/users/me')).body.data, { email: second });
  });
  t.test('verifies an account whose first address was mistyped', async (t) => {
    const somebody = await newcomer();
    const newEmail = fresh();
    t.equal((await change(somebody, newEmail)).status, 200);
    await verify(await tokenIn(newEmail, 'email-change'));
    const profile = await somebody.get('/users/me');
    t.match(profile.body.data, { email: newEmail, emailVerified: true });
  });
  t.test('there and back again keeps both addresses the own', async (t) => {
    const somebody = await user();
    const away = fresh();
    await change(somebody, away);
    await verify(await tokenIn(away, 'email-change'));
    t.equal((await change(somebody, somebody.email)).status, 200);
    await verify(await tokenIn(somebody.email, 'email-change'));
    t.equal((await logIn(somebody.email)).status, 200);
    await eventually(
      () => register(away),
      ({ status }) => status === 201,
    );
    t.equal((await register(somebody.email)).status, 409);
  });
  t.test('of many to one address at once lets one have it', async (t) => {
    const people = await Promise.all(Array.from({ length: 6 }, () => newcomer()));
    const wanted = fresh();
    const answers = await Promise.all([...people.map((client) => change(client, wanted)), register(wanted)]);
    const won = answers.filter(({ status }) => status === 200 || status === 201);
    t.equal(won.length, 1);
    t.equal(answers.filter(({ status }) => status === 409).length, 6);
  });
});
