import t from 'tap';
import { findInDump } from '../../support/dump.ts';
import { testService } from '../../support/service.ts';

const [FIRST, SECOND, THIRD] = ['Correct-horse-7', 'Another-horse-8', 'Third-horse-9'] as const;
/** How every hash of bcrypt begins. */
const BCRYPT = ['$2a$', '$2b$', '$2y$'];

t.test('hashes of passwords', async (t) => {
  const service = await testService(t);
  const { pool } = service;
  const isClean = async (when: string): Promise<void> => {
    const { rows, found } = await findInDump(pool, BCRYPT);
    t.strictSame(found, [], `lie nowhere in the database ${when}`);
    t.ok(rows > 100);
  };
  /** Types of the person's events that have a hash, in the order of the log, each with where its key lies. */
  const sealed = async (accountId: string) => {
    const { rows } = await pool.query<{ type: string; data: string }>(
      `select type, data from log.events where stream = $1 and data like '%"passwordHash"%' order by position`,
      [`account-${accountId}`],
    );
    return rows.map(({ type, data }) => [type, JSON.parse(data).passwordHash.$pii?.[0]]);
  };

  const person = await service.user();
  await isClean('after a registration');
  const change = { currentPassword: FIRST, newPassword: SECOND };
  t.equal((await person.post('/auth/change-password', change)).status, 200);
  t.equal((await service.anonymous.post('/auth/forgot-password', { email: person.email })).status, 200);
  const token = await service.tokenIn(person.email, 'password-reset');
  t.equal((await service.anonymous.post('/auth/reset-password', { token, newPassword: THIRD })).status, 200);
  await service.stop();

  // Another process, so that nothing is in memory, with another cost, so that the log-in hashes anew.
  const { anonymous, login, admin } = await testService(t, { ...service.environment, PASSWORD_COST: '5' });
  const logIn = async (password: string) =>
    (await anonymous.post('/auth/login', { email: person.email, password })).status;
  t.strictSame([await logIn(FIRST), await logIn(SECOND)], [401, 401], 'those of before count no more');
  const somewhere = await login(person.email, THIRD);
  t.strictSame(
    await sealed(person.accountId),
    ['AccountRegistered', 'PasswordChanged', 'PasswordResetCompleted', 'PasswordRehashed'].map((type) => [
      type,
      person.accountId,
    ]),
    'are sealed under the key of the person in every event that has one',
  );
  t.equal(await logIn(THIRD), 200, 'the one of the same password at another cost counts');
  await isClean('after every kind of change');

  t.test('are told to nobody', async (t) => {
    const root = await admin();
    const events = await root.get(`/audit/streams/account/${person.accountId}/events`);
    t.match(JSON.stringify(events.body), 'PasswordRehashed');
    for (const { status, body } of [
      events,
      await root.get(`/audit/streams/account/${person.accountId}/state`),
      await somewhere.get('/users/me/personal-data'),
    ]) {
      t.equal(status, 200);
      t.notMatch(JSON.stringify(body), /\$2[aby]\$|passwordHash/);
    }
  });

  t.test('are gone with the key, and nothing logs in any more', async (t) => {
    const body = { confirm: person.email, password: THIRD };
    t.equal((await somewhere.delete('/users/me/personal-data', body)).status, 200);
    t.strictSame([await logIn(THIRD), await logIn(SECOND), await logIn('deleted')], [401, 401, 401]);
    const { rowCount } = await pool.query('select from convene.subject_keys where subject = $1 and wrapped is null', [
      person.accountId,
    ]);
    t.equal(rowCount, 1);
    const { found } = await findInDump(pool, BCRYPT);
    t.strictSame(found, []);
  });
});
