import { randomUUID } from 'node:crypto';
import t from 'tap';
import { postgresEventStore } from '../../../src/eventstore/postgres/index.ts';
import { requestRebuild } from '../../../src/projections/control.ts';
import { projections } from '../../../src/projections/index.ts';
import { findInDump } from '../../support/dump.ts';
import { inDays, practice } from '../../support/practice.ts';
import { type Client, eventually, testService } from '../../support/service.ts';

const PASSWORD = 'Correct-horse-7';
t.test('erasure', async (t) => {
  const service = await testService(t, { TRUST_PROXY: '1' });
  const { anonymous, user, pool } = service;
  const admin = await service.admin();

  const refused = ({ status, body }: { status: number; body: { error?: { reason?: string } } }) => [
    status,
    body.error?.reason,
  ];
  const erase = ({ accountId }: Client, by: Client, body: object) =>
    by.delete(`/users/${accountId}/personal-data`, body);

  /** What nobody else is called, and where it came from. */
  const CANARIES = {
    name: 'Quetzal Nightingale',
    newName: 'Quetzal Hummingbird',
    email: 'quetzal.nightingale@canary.example',
    phone: '+4915550147236',
    label: 'nightingale-line',
    photo: 'https://canary.example/nightingale.png',
    notes: 'nightingale has a sore wing',
    cancelReason: 'nightingale flew south',
    sessionName: 'Nightjar',
    deviceId: 'nightingale-device',
    deviceName: 'nightingale-tablet',
    ip: '203.0.113.77',
    failedIp: '203.0.113.78',
    userAgent: 'NightingaleBrowser/7.7',
    keyName: 'nightingale-key',
    bio: 'nightingale sings at dusk',
    customer: 'cus_nightingale',
  } as const;
  const canaries = Object.values(CANARIES).filter((text) => text !== CANARIES.deviceId);

  /** Somebody who has left something everywhere. */
  const livedIn = async (): Promise<Client> => {
    const { email, ip, userAgent } = CANARIES;
    const headers = { 'x-forwarded-for': ip, 'user-agent': userAgent };
    const registration = { email, password: PASSWORD, displayName: CANARIES.name, acceptTerms: true };
    t.equal((await anonymous.post('/auth/register', registration, headers)).status, 201);
    const token = await service.verificationToken(email);
    t.equal((await anonymous.post('/auth/verify-email', { token }, headers)).status, 200);
    const failed = { 'x-forwarded-for': CANARIES.failedIp, 'user-agent': userAgent };
    t.equal((await anonymous.post('/auth/login', { email, password: 'Wrong-horse-7' }, failed)).status, 401);
    const device = { deviceId: CANARIES.deviceId, deviceName: CANARIES.deviceName };
    t.equal((await anonymous.post('/auth/login', { email, password: PASSWORD, ...device }, headers)).status, 200);
    const person = await service.login(email);
    await eventually(
      () => person.get('/appointments'),
      ({ status }) => status === 200,
    );
    t.equal((await person.patch('/users/me', { displayName: CANARIES.newName, photoURL: CANARIES.photo })).status, 200);
    const phone = { number: CANARIES.phone, label: CANARIES.label };
    const added = await person.post('/users/me/phone-numbers', phone);
    t.equal(added.status, 201);
    const code = await service.codeTo(CANARIES.phone);
    t.equal((await person.post(`/users/me/phone-numbers/${added.body.data.id}/verify`, { code })).status, 200);
    const key = { name: CANARIES.keyName, permissions: ['read:own-profile'] };
    t.equal((await person.post('/auth/api-keys', key)).status, 201);
    const plan = { plan: 'premium', autoRenew: true, stripeCustomerId: CANARIES.customer };
    t.equal((await admin.put(`/users/${person.accountId}/subscription`, plan)).status, 200);

    const profile = { accountId: person.accountId, displayName: CANARIES.name, bio: CANARIES.bio, location: 'Here' };
    t.equal((await admin.post('/provider/profiles', profile)).status, 201);
    await eventually(
      () => person.get('/provider/availability'),
      ({ status }) => status === 200,
    );
    const { newProvider, openSlots, freeSlots } = practice(service);
    const doctor = await newProvider();
    const day = inDays(3);
    await openSlots(doctor, day);
    const slots = await freeSlots(person, doctor, day);
    const first = await person.post('/appointments', { slotId: slots[0]?.slotId, notes: CANARIES.notes });
    t.equal(first.status, 201);
    t.equal(
      (await person.delete(`/appointments/${first.body.data.id}`, { reason: CANARIES.cancelReason })).status,
      200,
    );
    t.equal((await person.post('/appointments', { slotId: slots[1]?.slotId, notes: CANARIES.notes })).status, 201);
    const host = await user('Host');
    const session = (await host.post('/sessions', { name: 'Sprint' })).body.data;
    const join = { displayName: CANARIES.sessionName };
    t.equal((await person.post(`/sessions/${session.id}/join`, join)).status, 200);
    return person;
  };

  t.test('erasing an account', async (t) => {
    t.test('is refused while it is open, without the address, and to others', async (t) => {
      const [somebody, stranger] = [await user(), await user()];
      const confirm = somebody.email;
      t.strictSame(refused(await erase(somebody, stranger, { confirm })), [403, 'permission-missing']);
      t.strictSame(refused(await erase(somebody, anonymous, { confirm })), [401, 'login-required']);
      t.strictSame(refused(await erase(somebody, admin, { confirm })), [409, 'account-active']);
      t.equal((await admin.delete(`/users/${somebody.accountId}`)).status, 200);
      const wrong = await erase(somebody, admin, { confirm: stranger.email });
      t.match(wrong, { status: 422, body: { error: { details: [{ field: 'confirm' }] } } });
      t.equal((await erase(somebody, admin, {})).status, 422);

      const key = { 'idempotency-key': 'once' };
      const path = `/users/${somebody.accountId}/personal-data`;
      const done = await admin.delete(path, { confirm: confirm.toUpperCase() }, key);
      t.match(done, { status: 200, body: { data: { erasedAt: /Z$/ } } });
      t.strictSame(
        (await admin.delete(path, { confirm: confirm.toUpperCase() }, key)).body,
        done.body,
        'a repeat is the same',
      );
      t.equal((await admin.get(`/users/${somebody.accountId}`)).status, 404);
      t.equal((await erase(somebody, admin, { confirm })).status, 404);
      t.equal((await admin.post(`/users/${somebody.accountId}/reactivate`)).status, 404);
    });

    t.test('by its holder needs the password, and the address is free afterwards', async (t) => {
      const email = 'phoenix@canary.example';
      const somebody = await user('Phoenix', email);
      const mine = (password: string) => somebody.delete('/users/me/personal-data', { confirm: email, password });
      t.strictSame(refused(await mine('Wrong-horse-7')), [403, 'password-wrong']);
      t.match(await mine(PASSWORD), { status: 200, body: { data: { erasedAt: /Z$/ } } });
      t.equal((await somebody.get('/users/me')).status, 401);
      t.equal((await anonymous.post('/auth/login', { email, password: PASSWORD })).status, 401);
      const again = await user('Phoenix the second', email);
      t.not(again.accountId, somebody.accountId);
      const { rows } = await pool.query('select display_name, email from read.accounts where account_id = $1', [
        somebody.accountId,
      ]);
      t.strictSame(rows, [{ display_name: 'deleted user', email: 'deleted' }]);
    });
  });

  t.test('of an erased person nothing is left in the whole database', async (t) => {
    const person = await livedIn();
    // Every read model shows it, and no mail is on its way: such a one would be forgotten ten minutes later only.
    await service.rest();
    const before = await findInDump(pool, canaries);
    const kinds = new Set(before.found.map(({ text }) => text));
    // Otherwise the search afterwards would prove nothing.
    for (const text of [CANARIES.email, CANARIES.newName, CANARIES.phone, CANARIES.notes, CANARIES.ip, CANARIES.bio])
      t.ok(kinds.has(text), `${text} is there before`);
    t.ok(before.rows > 300);
    const logged = before.found.filter(({ table }) => table === 'log.events');
    t.strictSame(logged, [], 'and never in the bytes of the log');

    const { body: told } = await person.get('/users/me/personal-data');
    const values = new Set(told.data.items.map(({ value }: { value: unknown }) => value));
    t.strictSame(
      canaries.filter((text) => !values.has(text)),
      [],
      'and the person is told all of it',
    );

    const done = await person.delete('/users/me/personal-data', { confirm: person.email, password: PASSWORD });
    t.equal(done.status, 200);
    const { rows } = await pool.query(
      'select subject from convene.subject_keys where subject = $1 and wrapped is null',
      [person.accountId],
    );
    t.equal(rows.length, 1, 'the answer means that the key is gone');
    await service.rest();
    t.strictSame((await findInDump(pool, canaries)).found, [], 'after the erasure');

    const names = projections.map(({ name }) => name);
    t.ok(names.length > 10);
    for (const name of names) await requestRebuild(pool, name);
    await eventually(
      () => pool.query('select from convene.projection_control where rebuild'),
      ({ rowCount }) => rowCount === 0,
    );
    const after = await findInDump(pool, canaries);
    t.strictSame(after.found, [], 'nor after that');
    t.ok(after.rows > 300);

    t.test('while acts and ids stay', async (t) => {
      const { rows } = await pool.query<{ action: string }>(
        'select action from read.audit_entries where account_id = $1',
        [person.accountId],
      );
      const actions = rows.map(({ action }) => action);
      for (const action of ['account_registered', 'appointment_booked', 'participant_left', 'account_erased'])
        t.ok(actions.includes(action), action);
    });
    t.test('and address and number are free', async (t) => {
      const again = await user('Somebody else', person.email);
      t.not(again.accountId, person.accountId);
      const { rows } = await pool.query<{ type: string }>(
        `select type from log.events where stream like 'verifiedPhone-%' order by position`,
      );
      t.strictSame(
        rows.map(({ type }) => type),
        ['PhoneNumberClaimed', 'PhoneNumberReleased'],
      );
    });
  });

  t.test('an erasure that a crash cut off behind its event is finished by itself', async (t) => {
    const somebody = await user('Half gone');
    const store = postgresEventStore({ connectionString: service.connectionString });
    t.teardown(() => store.close());
    const stream = `account-${somebody.accountId}`;
    const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1 });
    const { rows } = await pool.query<{ data: string }>(
      `select data from log.events where stream = $1 and type = 'AccountRegistered'`,
      [stream],
    );
    const { emailHash } = JSON.parse(rows[0]?.data ?? '{}');
    const at = new Date().toISOString();
    const failures = 'f'.repeat(64);
    const metadata = {
      schemaVersion: 1,
      commandId: randomUUID(),
      command: 'EraseAccount',
      correlationId: randomUUID(),
      actor: { id: somebody.accountId, kind: 'user' },
    };
    const events = [
      ['AccountDeactivated', { accountId: somebody.accountId, by: 'owner', at }],
      ['AccountErased', { accountId: somebody.accountId, by: 'owner', emailHash, identifierHashes: [failures], at }],
    ].map(([type, data]) => ({
      id: randomUUID(),
      type: String(type),
      data: JSON.stringify(data),
      metadata: JSON.stringify(metadata),
    }));
    t.match(await store.append(stream, last?.revision ?? 0, events), { ok: true });
    await eventually(
      async () =>
        (
          await pool.query(
            `select from convene.subject_keys where wrapped is null and subject in ($1, $3)
           and exists (select from log.events where stream = $2 and type = 'EmailReleased')`,
            [somebody.accountId, `emailClaim-${emailHash}`, failures],
          )
        ).rowCount,
      (count) => count === 2,
    );
    t.equal((await somebody.get('/users/me')).status, 401);
    const again = await user('All new', somebody.email);
    t.not(again.accountId, somebody.accountId);
  });
});
