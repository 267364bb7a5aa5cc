import { generate } from 'otplib';
import t from 'tap';
import { type Client, eventually, sharedService } from '../../support/service.ts';

const PASSWORD = 'Correct-horse-7';
const service = await sharedService();
const { anonymous, user } = service;

/** The code of the time step so many steps from now. */
const codeOf = (secret: string, steps = 0): Promise<string> =>
  generate({ secret, epoch: Math.floor(Date.now() / 1000) + steps * 30 });

const logIn = (email: string, more: object = {}) =>
  anonymous.post('/auth/login', { email, password: PASSWORD, ...more });

/** Somebody with a second factor that is on: its secret and backup codes. The code of the step before now is used up. */
const protectedUser = async () => {
  const person = await user('Mfa');
  const { body } = await person.post('/auth/mfa/setup', { password: PASSWORD });
  const { secret, backupCodes } = body.data as { secret: string; backupCodes: readonly string[] };
  // Where a step ends between the making of the code and its check, the step before is one too many back.
  await eventually(
    async () => person.post('/auth/mfa/verify-setup', { code: await codeOf(secret, -1) }),
    ({ status }) => status === 200,
  );
  return { person, secret, backupCodes };
};
const answer = (challengeToken: string, more: object) => anonymous.post('/mfa/verify', { challengeToken, ...more });
const challengeOf = async ({ email }: Client, more: object = {}): Promise<string> => {
  const { body } = await logIn(email, more);
  return body.data.challengeToken;
};

t.test('setting it up', async (t) => {
  const person = await user('Newcomer');
  t.test('needs the password', async (t) => {
    const { status, body } = await person.post('/mfa/setup', { password: 'wrong' });
    t.equal(status, 403);
    t.match(body.error, { reason: 'password-wrong', details: [{ field: 'password' }] });
  });
  t.test('shows secret, QR code and backup codes once, on both paths', async (t) => {
    for (const path of ['/auth/mfa/setup', '/mfa/setup']) {
      const key = { 'idempotency-key': `setup-${path}` };
      const { status, body } = await person.post(path, { password: PASSWORD }, key);
      t.equal(status, 200);
      t.match(body.data, { method: 'totp', secret: /^[A-Z2-7]{32}$/, qrCode: /^data:image\/png;base64,/ });
      t.equal(new Set(body.data.backupCodes).size, 10);
      for (const code of body.data.backupCodes) t.match(code, /^\d{8}$/);
      const again = await person.post(path, { password: PASSWORD }, key);
      t.equal(again.headers.get('idempotency-replayed'), 'true');
      t.notOk('secret' in again.body.data || 'backupCodes' in again.body.data, 'the repeat shows no secret');
    }
  });
  t.test('is confirmed by a code of the secret that the service keeps', async (t) => {
    const { body } = await person.post('/auth/mfa/setup', { password: PASSWORD });
    const { secret } = body.data;
    const other = await person.post('/auth/mfa/verify-setup', { code: await codeOf(secret), secret: 'A'.repeat(32) });
    t.equal(other.status, 422);
    t.match(other.body.error.details, [{ field: 'secret' }]);
    t.equal((await person.post('/auth/mfa/verify-setup', { code: '000000' })).status, 422);
    t.equal((await person.get('/mfa/backup-codes')).status, 409);
    const confirmed = await person.post('/mfa/verify', { code: await codeOf(secret), secret });
    t.equal(confirmed.status, 200);
    t.same(confirmed.body.data, { mfaEnabled: true });
    t.match((await person.get('/mfa/backup-codes')).body.data, { total: 10, remaining: 10 });
    t.equal((await person.post('/auth/mfa/setup', { password: PASSWORD })).status, 409);
    t.equal((await person.post('/auth/mfa/verify-setup', { code: await codeOf(secret, 1) })).status, 409);
  });
  t.test('is for those who are logged in', async (t) => {
    t.equal((await anonymous.post('/mfa/setup', { password: PASSWORD })).status, 401);
    t.equal((await anonymous.post('/mfa/verify', { code: '123456' })).status, 401);
  });
});

t.test('logging in with it', async (t) => {
  const { person, secret, backupCodes } = await protectedUser();
  t.test('asks for the code and opens no session before', async (t) => {
    const { status, headers, body } = await logIn(person.email);
    t.equal(status, 200);
    t.match(body.data, { mfaRequired: true, methods: ['totp'], expiresIn: 300 });
    t.notOk('accessToken' in body.data);
    t.equal(headers.get('set-cookie'), null);
  });
  t.test('refuses a wrong code, and accepts the right one once', async (t) => {
    const challengeToken = await challengeOf(person);
    t.equal((await answer(challengeToken, { code: '000000' })).status, 401);
    const code = await codeOf(secret);
    const opened = await answer(challengeToken, { code });
    t.equal(opened.status, 200);
    t.match(opened.body.data, { accessToken: String, refreshToken: String, user: { userId: person.accountId } });
    t.equal((await answer(challengeToken, { code: await codeOf(secret, 1) })).status, 401, 'the challenge is answered');
    t.equal((await answer(await challengeOf(person), { code })).status, 401, 'the code was used');
  });
  t.test('lets exactly one of many have the same backup code', async (t) => {
    const tokens = await Promise.all(Array.from({ length: 5 }, () => challengeOf(person)));
    const [backupCode = ''] = backupCodes;
    const answers = await Promise.all(tokens.map((token) => answer(token, { backupCode })));
    t.equal(answers.filter(({ status }) => status === 200).length, 1);
    t.match((await person.get('/mfa/backup-codes')).body.data, { remaining: 9 });
  });
  t.test('believes no token that it did not make', async (t) => {
    const forged = `${crypto.randomUUID()}.${'0'.repeat(64)}`;
    t.equal((await answer(forged, { code: await codeOf(secret, 1) })).status, 401);
    t.equal((await answer('garbage', { code: '123456' })).status, 401);
  });
});

t.test('the fifth wrong code locks', async (t) => {
  const { person, secret } = await protectedUser();
  const challengeToken = await challengeOf(person);
  for (let attempt = 1; attempt <= 4; attempt += 1)
    t.equal((await answer(challengeToken, { code: '000000' })).status, 401);
  const fifth = await answer(challengeToken, { code: '000000' });
  t.equal(fifth.status, 423);
  t.match(fifth.body.error, { code: 'ACCOUNT_LOCKED', message: /15 minutes/ });
  t.equal((await answer(challengeToken, { code: await codeOf(secret) })).status, 401, 'the challenge is void');
  t.equal((await logIn(person.email)).status, 423);
});

t.test('a trusted device', async (t) => {
  const { person, secret } = await protectedUser();
  const device = { deviceId: 'laptop-1', deviceName: 'Laptop' };
  const trusted = await answer(await challengeOf(person, device), { code: await codeOf(secret), trustDevice: true });
  t.equal(trusted.status, 200);
  t.match((await person.get('/users/me/devices')).body.data.items, [{ deviceId: 'laptop-1' }]);
  t.match((await logIn(person.email, device)).body.data, { accessToken: String });
  t.match((await logIn(person.email, { deviceId: 'laptop-2' })).body.data, { mfaRequired: true });
  t.equal((await person.delete('/users/me/devices/laptop-1')).status, 200);
  t.equal((await person.delete('/users/me/devices/laptop-1')).status, 404);
  t.match((await logIn(person.email, device)).body.data, { mfaRequired: true });
});

t.test('turning it off', async (t) => {
  const { person, backupCodes } = await protectedUser();
  const [first = '', second = ''] = backupCodes;
  const wrong = await person.delete('/auth/mfa', { password: 'wrong', code: first });
  t.equal(wrong.status, 403);
  t.match((await logIn(person.email)).body.data, { mfaRequired: true }, 'it is still on');
  const renewed = await person.post('/mfa/backup-codes', { password: PASSWORD, code: first });
  t.equal(renewed.status, 201);
  t.equal(renewed.body.data.backupCodes.length, 10);
  t.equal(
    (await person.delete('/auth/mfa', { password: PASSWORD, code: second })).status,
    403,
    'the old codes are void',
  );
  const off = await person.delete('/auth/mfa', { password: PASSWORD, code: renewed.body.data.backupCodes[0] });
  t.equal(off.status, 200);
  t.same(off.body.data, { mfaEnabled: false });
  t.match((await logIn(person.email)).body.data, { accessToken: String });
  t.equal((await person.delete('/auth/mfa', { password: PASSWORD, code: '123456' })).status, 409);
});

t.test('the key of its secret lasts as long as the secret counts', async (t) => {
  const { person, backupCodes } = await protectedUser();
  /** Whether the key of each secret that was ever offered is still there, in the order of the offers. */
  const kept = async (): Promise<readonly boolean[]> => {
    const { rows } = await service.pool.query<{ kept: boolean }>(
      `select k.wrapped is not null and k.erased_at is null as kept from log.events e
       join convene.subject_keys k on k.subject = e.data::json ->> 'secretKey'
       where e.stream = $1 and e.type = 'MfaSetupStarted' order by e.revision`,
      [`account-${person.accountId}`],
    );
    return rows.map(({ kept }) => kept);
  };
  t.same(await kept(), [true]);
  await person.delete('/auth/mfa', { password: PASSWORD, code: backupCodes[0] });
  t.same(await kept(), [false], 'turned off');
  for (const _ of [1, 2]) t.equal((await person.post('/auth/mfa/setup', { password: PASSWORD })).status, 200);
  t.same(await kept(), [false, false, true], 'another offer takes the place of one');
  t.equal((await person.delete('/users/me/personal-data', { confirm: person.email, password: PASSWORD })).status, 200);
  t.same(await kept(), [false, false, false], 'erased with the account');
});

t.test('no secret of it lies in the clear anywhere', async (t) => {
  const { secret, backupCodes } = await protectedUser();
  const { rows } = await service.pool.query(
    `select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'
     and table_schema in ('log', 'read', 'convene')`,
  );
  t.ok(rows.length > 20, `looked into ${rows.length} tables`);
  for (const { table_schema, table_name } of rows) {
    const { rows: found } = await service.pool.query(
      `select 1 from "${table_schema}"."${table_name}" as r where r::text like any($1) limit 1`,
      [[`%${secret}%`, ...backupCodes.map((code) => `%"${code}"%`)]],
    );
    t.equal(found.length, 0, `${table_schema}.${table_name}`);
  }
});
