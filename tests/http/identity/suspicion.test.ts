import t from 'tap';
import { eventually, testService } from '../../support/service.ts';

t.test('signs of suspicion', async (t) => {
  const service = await testService(t);
  const { anonymous, user, pool } = service;
  const admin = await service.admin();
  const password = 'Correct-horse-7';

  type Detected = {
    readonly accountId?: string;
    readonly pattern: string;
    readonly ip: unknown;
    readonly ipKey: string;
    readonly evidence: Readonly<Record<string, unknown>>;
    readonly at: string;
  };
  const detected = async (pattern: string): Promise<readonly Detected[]> => {
    const { rows } = await pool.query("select data from log.events where type = 'SuspiciousActivityDetected'");
    return rows.map(({ data }) => JSON.parse(data)).filter((one) => one.pattern === pattern);
  };
  /** Told at most once in each hour of the clock, one of which may end in the middle of this. */
  const isOnceAnHour = (all: readonly Detected[]): boolean =>
    all.length > 0 && new Set(all.map(({ at }) => at.slice(0, 13))).size === all.length;
  const found = (pattern: string, count: number) =>
    eventually(
      () => detected(pattern),
      (all) => all.length >= count,
    );
  /** Every policy has come to the end of the log as it is now. */
  const settled = async (): Promise<void> => {
    const { rows } = await pool.query('select max(position)::bigint as head from log.events');
    await eventually(
      () => pool.query("select min(position)::bigint as at from convene.checkpoints where kind = 'policy'"),
      (at) => BigInt(at.rows[0].at) >= BigInt(rows[0].head),
    );
  };

  t.test('a log-in on a device that was not seen before', async (t) => {
    const person = await user();
    const logIn = (headers: Record<string, string>, more = {}) =>
      anonymous.post('/auth/login', { email: person.email, password, ...more }, headers);
    t.equal((await logIn({ 'user-agent': 'phone' })).status, 200);
    const [first] = await found('new_device', 1);
    t.match(first, { accountId: person.accountId, ipKey: person.accountId, evidence: { sessionId: String } });
    t.notMatch(JSON.stringify(first), '127.0.0.1', 'the address is sealed');
    const mails = async () => {
      const recipient = encodeURIComponent(person.email);
      const { body } = await admin.get(`/ops/outbox?channel=email&recipient=${recipient}&limit=50`);
      return body.data.items.filter((mail: unknown) => JSON.stringify(mail).includes('new device'));
    };
    t.equal((await eventually(mails, ({ length }) => length > 0)).length, 1, 'its holder is told');
    t.equal((await logIn({ 'user-agent': 'phone' })).status, 200);
    t.equal((await logIn({ 'user-agent': 'phone 2' }, { deviceId: 'tablet' })).status, 200);
    t.equal((await logIn({ 'user-agent': 'phone 3' }, { deviceId: 'tablet' })).status, 200);
    t.equal((await eventually(mails, ({ length }) => length > 1)).length, 2, 'once for each device');
    t.ok(isOnceAnHour(await detected('new_device')), 'and the suspicion is told once an hour');
  });

  t.test('a refresh token that is used again', async (t) => {
    const person = await user();
    const login = await anonymous.post('/auth/login', { email: person.email, password });
    const { refreshToken } = login.body.data;
    t.equal((await anonymous.post('/auth/refresh', { refreshToken })).status, 200);
    t.equal((await anonymous.post('/auth/refresh', { refreshToken })).status, 401);
    const all = await found('refresh_reuse', 1);
    t.equal(all.length, 1);
    t.match(all[0], { accountId: person.accountId });
  });

  t.test('passwords that are tried on many accounts', async (t) => {
    const people = await Promise.all([user(), user(), user()]);
    const fail = async (index: number): Promise<void> => {
      const { email = '' } = people[index % 3] ?? {};
      t.equal((await anonymous.post('/auth/login', { email, password: 'Wrong-horse-7' })).status, 401);
    };
    for (let index = 0; index < 9; index += 1) await fail(index);
    await settled();
    t.strictSame(await detected('password_spray'), [], 'nine are not enough');
    await fail(9);
    const [spray] = await found('password_spray', 1);
    t.match(spray, { evidence: { times: 10, things: 3 } });
    t.match(spray?.ipKey, /^month:\d{4}-\d{2}$/);
    t.notOk('accountId' in (spray ?? {}));
    await fail(10);
    await settled();
    t.ok(isOnceAnHour(await detected('password_spray')), 'once an hour');
  });

  t.test('an account that is locked again and again', async (t) => {
    const LOCK = 15 * 60_000;
    const person = await user();
    const lockOut = async (round: number): Promise<void> => {
      await service.setAhead(round * LOCK);
      for (const status of [401, 401, 401, 401, 423])
        t.equal(
          (await anonymous.post('/auth/login', { email: person.email, password: 'Wrong-horse-7' })).status,
          status,
        );
      await settled();
    };
    await lockOut(1);
    await lockOut(2);
    t.strictSame(await detected('many_lockouts'), [], 'two locks are not enough');
    await lockOut(3);
    const [told] = await found('many_lockouts', 1);
    const { accountId } = person;
    t.match(told, { accountId, ipKey: accountId, ip: null, evidence: { times: 3, things: 1 } });
    await lockOut(4);
    t.ok(isOnceAnHour(await detected('many_lockouts')), 'once an hour');
  });
});
