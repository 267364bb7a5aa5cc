import t from 'tap';
import { inDays, practice } from '../../support/practice.ts';
import { ADMIN, type Client, client, eventually, testService } from '../../support/service.ts';

const PASSWORD = 'Correct-horse-7';
t.test('deactivation', async (t) => {
  const service = await testService(t);
  const { anonymous, login, user, newcomer } = service;
  const admin = await service.admin();

  const logIn = (email: string, password = PASSWORD) => anonymous.post('/auth/login', { email, password });
  const refused = ({ status, body }: { status: number; body: { error?: { reason?: string } } }) => [
    status,
    body.error?.reason,
  ];
  const deactivate = ({ accountId }: Client, by: Client = admin, body: object = {}) =>
    by.delete(`/users/${accountId}`, body);

  /** Another administrator, counted. */
  const administrator = async (): Promise<Client> => {
    const somebody = await user();
    const { status } = await admin.post(`/rbac/users/${somebody.accountId}/roles`, { roleName: 'admin' });
    if (status !== 201) throw new Error(`no administrator: ${status}`);
    await eventually(
      () => somebody.get('/users/search'),
      ({ status }) => status === 200,
    );
    return somebody;
  };

  t.test('an administrator deactivates an account', async (t) => {
    const somebody = await user('Gone');
    const refreshToken = (await logIn(somebody.email)).body.data.refreshToken;
    const answer = await deactivate(somebody, admin, { reason: 'Left us' });
    t.match(answer, { status: 200, body: { data: { deletedAt: /Z$/ } } });
    t.test('which ends its sessions and its log-in, with the right secret alone told why', async (t) => {
      t.equal((await somebody.get('/users/me')).status, 401);
      t.equal((await anonymous.post('/auth/refresh', { refreshToken })).status, 401);
      t.equal((await logIn(somebody.email)).status, 403);
      t.equal((await logIn(somebody.email, 'Wrong-horse-7')).status, 401);
    });
    t.test('and is refused a second time', async (t) => {
      t.strictSame(refused(await deactivate(somebody)), [409, 'already-deactivated']);
      const { body } = await admin.get(`/users/${somebody.accountId}`);
      t.match(body.data, { status: 'deactivated', deletedAt: answer.body.data.deletedAt });
    });
    t.test('and opens it again', async (t) => {
      const path = `/users/${somebody.accountId}/reactivate`;
      t.equal((await anonymous.post(path)).status, 401);
      t.equal((await (await user()).post(path)).status, 403);
      t.match(await admin.post(path), { status: 200, body: { data: { status: 'active', deletedAt: null } } });
      t.strictSame(refused(await admin.post(path)), [409, 'not-deactivated']);
      const back = await login(somebody.email);
      t.equal((await back.get('/users/me')).body.data.roles.includes('free'), true, 'with its roles');
      t.equal((await somebody.get('/users/me')).status, 401, 'but the sessions of before are over');
    });
  });

  t.test('accounts that are not there', async (t) => {
    const nobody = '0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01';
    t.equal((await admin.delete(`/users/${nobody}`, {})).status, 404);
    t.equal((await admin.post(`/users/${nobody}/reactivate`)).status, 404);
    const stranger = await user();
    t.equal((await stranger.delete(`/users/${nobody}`, {})).status, 403, 'as for accounts that are');
    t.equal((await deactivate(await user(), stranger)).status, 403);
    t.equal((await deactivate(stranger, anonymous)).status, 401);
  });

  t.test('one closes the own account with its password', async (t) => {
    const [one, other] = [await newcomer(), await user()];
    t.strictSame(refused(await one.delete('/users/me', { password: 'Wrong-horse-7' })), [403, 'password-wrong']);
    t.strictSame(refused(await one.delete('/users/me')), [403, 'password-wrong']);
    t.match(await one.delete('/users/me', { password: PASSWORD }), {
      status: 200,
      body: { data: { deletedAt: /Z$/ } },
    });
    t.equal((await one.get('/users/me')).status, 401);
    t.equal((await deactivate(other, other, { password: PASSWORD })).status, 200, 'by its id as well');
    await service.message(other.email, 'account-deactivated');
  });

  t.test('an API key of a deactivated account opens nothing, not even after it is opened again', async (t) => {
    const somebody = await user();
    const permissions = ['read:own-profile'];
    const { body } = await somebody.post('/auth/api-keys', { name: 'Mine', permissions });
    const withKey = () => anonymous.get('/users/me', { 'x-api-key': body.data.key });
    t.equal((await withKey()).status, 200);
    await deactivate(somebody);
    t.equal((await withKey()).status, 401);
    await admin.post(`/users/${somebody.accountId}/reactivate`);
    t.equal((await withKey()).status, 401);
  });

  t.test('the account leaves what it takes part in', async (t) => {
    const { newProvider, openSlots, freeSlots } = practice(service);
    const [client, doctor, host] = [await user('Client'), await newProvider(), await user('Host')];
    const day = inDays(3);
    await openSlots(doctor, day);
    const [slot] = await freeSlots(client, doctor, day);
    const booked = await client.post('/appointments', { slotId: slot?.slotId, notes: 'Knee' });
    t.equal(booked.status, 201);
    const session = (await host.post('/sessions', { name: 'Sprint' })).body.data;
    t.equal((await client.post(`/sessions/${session.id}/join`)).status, 200);

    t.equal((await deactivate(client)).status, 200);
    const appointment = await eventually(
      () => doctor.get(`/appointments/${booked.body.data.id}`),
      ({ body }) => body.data?.status === 'CANCELLED',
    );
    t.match(appointment.body.data.cancellation, { by: 'system', reason: 'account closed' });
    const free = await eventually(
      () => freeSlots(host, doctor, day),
      (slots) => slots.some(({ slotId }) => slotId === slot?.slotId),
    );
    t.ok(free.length > 0, 'and the slot is free again');
    const left = await eventually(
      () => host.get(`/sessions/${session.id}/status`),
      ({ body }) => body.data.participants.length === 1,
    );
    t.equal(left.status, 200);
  });

  t.test('the last administrator', async (t) => {
    t.test('is not deactivated, by himself neither', async (t) => {
      t.strictSame(refused(await admin.delete('/users/me', { password: ADMIN.password })), [409, 'last-administrator']);
      t.equal((await admin.get('/users/me')).status, 200);
      t.strictSame(
        refused(await admin.delete('/users/me/personal-data', { confirm: ADMIN.email, password: ADMIN.password })),
        [409, 'last-administrator'],
      );
      t.strictSame(refused(await admin.delete('/users/me', { password: 'Wrong-horse-7' })), [403, 'password-wrong']);
    });
    t.test('stays when two are deactivated at once, whoever asks', async (t) => {
      for (let round = 1; round <= 3; round++) {
        const other = await administrator();
        const answers = await Promise.all([
          deactivate(other),
          admin.delete('/users/me', { password: ADMIN.password }),
          deactivate(admin, other),
        ]);
        const done = answers.filter(({ status }) => status === 200);
        t.equal(done.length, 1, `round ${round}: ${JSON.stringify(answers.map(refused))}`);
        const survivor = answers[0]?.status === 200 ? admin : other;
        t.equal((await survivor.get('/users/search')).status, 200);
        if (survivor === admin) continue;
        t.equal((await survivor.post(`/users/${admin.accountId}/reactivate`)).status, 200);
        const again = await login(ADMIN.email, ADMIN.password);
        Object.assign(admin, { ...again });
        t.equal((await deactivate(survivor)).status, 200);
      }
    });
    t.test('counts again once reactivated, with the role kept', async (t) => {
      const other = await administrator();
      t.equal((await deactivate(other)).status, 200);
      t.equal((await admin.post(`/users/${other.accountId}/reactivate`)).status, 200);
      const back = await login(other.email);
      t.equal((await back.get('/users/search')).status, 200);
      t.equal((await deactivate(admin, back)).status, 200, 'so that the other may go');
      t.strictSame(refused(await back.delete('/users/me', { password: PASSWORD })), [409, 'last-administrator']);
    });
  });
});

t.test('what follows a deactivation by policy leaves alone who logs in once the account is open again', async (t) => {
  const service = await testService(t);
  const [somebody, admin] = [await service.user(), await service.admin()];
  const { accountId, email } = somebody;
  t.equal((await admin.delete(`/users/${accountId}`, {})).status, 200);
  t.equal((await admin.post(`/users/${accountId}/reactivate`)).status, 200);
  const { token } = await service.login(email);
  await service.rest();
  await service.stop();
  // As if it had been far behind.
  await service.pool.query(
    `update convene.checkpoints set position = e.position - 1 from log.events e
     where kind = 'policy' and name = 'identity-sessions' and e.type = 'AccountDeactivated'`,
  );
  const later = await testService(t, service.environment);
  await later.rest();
  t.equal((await client(later.api, { accountId, email, token: token ?? '' }).get('/users/me')).status, 200);
});
