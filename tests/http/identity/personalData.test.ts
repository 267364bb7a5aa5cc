import t from 'tap';
import { type Answer, eventually, testService } from '../../support/service.ts';

t.test('personal data', async (t) => {
  const service = await testService(t);
  const { anonymous, user, newcomer, pool } = service;
  const admin = await service.admin();

  type Item = { context: string; stream: string; event: string; at: string; field: string; value: unknown };
  const itemsOf = ({ body }: Answer): readonly Item[] => body.data.items;
  const valuesOf = (answer: Answer) => itemsOf(answer).map(({ event, field, value }) => [`${event}.${field}`, value]);
  const readsNoted = async (): Promise<readonly { data: string; actor: string }[]> =>
    (
      await pool.query<{ data: string; actor: string }>(
        `select data, metadata::json #>> '{actor,id}' as actor from log.events where type = 'SensitiveDataRead' order by position`,
      )
    ).rows;

  t.test('everybody gets all that is stored about himself', async (t) => {
    const person = await user('Ada Weber', 'ada.weber@example.org');
    await anonymous.post(
      '/auth/login',
      { email: person.email, password: 'Wrong-horse-7' },
      { 'user-agent': 'Tried/1.0' },
    );
    await person.patch('/users/me', { displayName: 'Ada Lovelace' });
    await person.post('/users/me/phone-numbers', { number: '+4930123456', label: 'Office' });
    await person.post('/auth/mfa/setup', { password: 'Correct-horse-7' });
    const host = await user('Host');
    const session = (await host.post('/sessions', { name: 'Sprint' })).body.data;
    await person.post(`/sessions/${session.id}/join`, { displayName: 'A. L.' });
    await host.post(`/sessions/${session.id}/join`, { displayName: 'The host' });

    // What policies note of this holds personal data too, and is to be the same in both answers.
    await service.rest();
    const answer = await person.get('/users/me/personal-data');
    t.equal(answer.status, 200);
    t.equal(
      answer.headers.get('content-disposition'),
      `attachment; filename="personal-data-${person.accountId}.json"`,
      'as a file',
    );
    t.equal(answer.headers.get('cache-control'), 'no-store');
    t.match(answer.body.data, { userId: person.accountId, generatedAt: /Z$/ });
    t.test('from every context, with where it comes from', async (t) => {
      const values = valuesOf(answer);
      for (const [field, value] of [
        ['AccountRegistered.email', 'ada.weber@example.org'],
        ['AccountRegistered.displayName', 'Ada Weber'],
        ['ProfileUpdated.changed.displayName', 'Ada Lovelace'],
        ['PhoneNumberAdded.number', '+4930123456'],
        ['PhoneNumberAdded.label', 'Office'],
        ['LoginFailed.userAgent', 'Tried/1.0'],
        ['ParticipantJoined.displayName', 'A. L.'],
      ])
        t.ok(
          values.some(([name, found]) => name === field && found === value),
          `${field} is ${value}`,
        );
      for (const field of ['LoginSessionStarted.ip', 'LoginSucceeded.userAgent'])
        t.ok(
          values.some(([name]) => name === field),
          field,
        );
      for (const item of itemsOf(answer)) {
        t.match(item, { context: /^[a-z]+$/, stream: /^[A-Za-z]+-/, at: /^\d{4}-.*Z$/ });
        t.not(item.context, 'operations', `${item.stream} belongs to a context`);
      }
      t.ok(new Set(itemsOf(answer).map(({ context }) => context)).has('estimation'));
    });
    t.test('and nothing of others, and no secrets', async (t) => {
      const text = JSON.stringify(answer.body);
      t.notMatch(text, /The host/);
      t.notMatch(text, /passwordHash|backupCode|\$2[aby]\$/);
      t.notOk(
        itemsOf(answer).some(({ field }) => field === 'secret'),
        'not that of the second factor',
      );
      const stored = await pool.query(
        `select from log.events where type = 'MfaSetupStarted' and data like '%"secret"%'`,
      );
      t.ok(stored.rowCount, 'which is stored');
    });
    t.test('leaves no entry that it was read', async (t) => {
      t.strictSame(await readsNoted(), []);
      const own = await person.get(`/users/${person.accountId}/personal-data`);
      t.strictSame(valuesOf(own), valuesOf(answer), 'by the own id as well');
      t.strictSame(await readsNoted(), []);
    });
  });

  t.test('whoever has not verified an address reaches his own', async (t) => {
    const somebody = await newcomer('New');
    t.equal((await somebody.get('/users/me/personal-data')).status, 200);
    t.equal((await anonymous.get('/users/me/personal-data')).status, 401);
  });

  t.test('that of others', async (t) => {
    const [person, stranger] = [await user('Bea'), await user('Eve')];
    const path = `/users/${person.accountId}/personal-data`;
    const nobody = '/users/0198b1f0-8a52-7c3e-9d40-5f1c2a7b6e01/personal-data';
    t.test('is refused without the right, whether there is such an account or not', async (t) => {
      t.equal((await stranger.get(path)).status, 403);
      t.equal((await stranger.get(nobody)).status, 403);
      t.equal((await admin.get(nobody)).status, 404);
      t.strictSame(await readsNoted(), []);
    });
    t.test('is given to an administrator, and that is noted before', async (t) => {
      const answer = await admin.get(path);
      t.equal(answer.status, 200);
      t.ok(valuesOf(answer).some(([, value]) => value === 'Bea'));
      const [noted, ...more] = await readsNoted();
      t.equal(more.length, 0);
      t.equal(noted?.actor, admin.accountId);
      const data = JSON.parse(noted?.data ?? '{}');
      t.match(data, { actorId: admin.accountId, targetType: 'account', targetId: person.accountId });
      t.ok(data.fields.includes('AccountRegistered.email'));
      t.notMatch(noted?.data, /Bea/, 'names without values');
    });
    t.test('is not given when it cannot be noted', async (t) => {
      await pool.query(
        `create function refuse_reads() returns trigger language plpgsql as $$ begin
         if new.type = 'SensitiveDataRead' then raise exception 'no'; end if; return new;
       end $$`,
      );
      await pool.query(
        'create trigger refuse_reads before insert on log.events for each row execute function refuse_reads()',
      );
      const answer = await admin.get(path);
      t.equal(answer.status, 503);
      t.match(answer.body.error, { code: 'SERVICE_UNAVAILABLE', reason: 'read-not-recorded' });
      t.notMatch(JSON.stringify(answer.body), /Bea/);
      t.equal((await person.get('/users/me/personal-data')).status, 200, 'the own ones are');
      await pool.query('drop trigger refuse_reads on log.events');
      t.equal((await admin.get(path)).status, 200);
    });
    t.test('is gone with the erasure', async (t) => {
      await admin.delete(`/users/${person.accountId}`);
      t.equal((await admin.delete(path, { confirm: person.email })).status, 200);
      const answer = await eventually(
        () => admin.get(path),
        ({ status }) => status !== 503,
      );
      t.equal(answer.status, 404);
    });
  });

  t.test('a search for users is noted by the filters used, never by what was looked for', async (t) => {
    const before = (await readsNoted()).length;
    t.equal((await admin.get('/users/search?q=quetzal&plan=free&sort=email&page=1')).status, 200);
    t.equal((await admin.get('/users/search?limit=51')).status, 422);
    t.equal((await (await user()).get('/users/search')).status, 403);
    const noted = (await readsNoted()).slice(before);
    t.equal(noted.length, 1, 'once, and not where nothing was shown');
    t.match(JSON.parse(noted[0]?.data ?? '{}'), { targetType: 'account', targetId: null, fields: ['plan', 'q'] });
    t.notMatch(noted[0]?.data, /quetzal/);
  });
});
