import { randomUUID } from 'node:crypto';
import t from 'tap';
import { createTally, GATHER_MS, MOST, MOST_DENIALS, type Refusal, SINGLY } from '../../src/http/refusals/tally.ts';
import { type Answer, eventually, testService } from '../support/service.ts';

const MINUTE = 60_000;
const start = Date.parse('2027-03-01T09:30:00Z');
const refusal = (of: Partial<Refusal> = {}): Refusal => ({
  code: 'UNAUTHORIZED',
  reason: 'login-required',
  permission: undefined,
  method: 'GET',
  path: '/api/v1/users/me',
  resourceId: undefined,
  ip: '203.0.113.7',
  address: '203.0.113.7',
  accountId: undefined,
  origin: { actor: { id: 'anonymous', kind: 'anonymous' }, correlationId: 'c' },
  ...of,
});
const denial = (of: Partial<Refusal> = {}) =>
  refusal({ code: 'FORBIDDEN', reason: 'permission-missing', permission: 'read:roles', accountId: 'a', ...of });

t.test('the tally of a minute', async (t) => {
  t.test('tells repeats of a denial once, shortly after the first', async (t) => {
    const tally = createTally();
    for (let n = 0; n < 3; n += 1) tally.note(denial(), start + n);
    t.strictSame(tally.take(start + GATHER_MS - 1), []);
    t.match(tally.take(start + GATHER_MS), [{ kind: 'denied', count: 3, minute: start, continues: undefined }]);
    t.strictSame(tally.take(start + MINUTE), [], 'and no more of it');
  });
  t.test('adds later repeats at the end of the minute, as more of the first', async (t) => {
    const tally = createTally();
    tally.note(denial(), start);
    const [first] = tally.take(start + GATHER_MS);
    for (let n = 0; n < 5; n += 1) tally.note(denial(), start + 5_000);
    t.strictSame(tally.take(start + MINUTE - 1), []);
    t.match(tally.take(start + MINUTE), [{ count: 5, minute: start, continues: first?.id }]);
    tally.note(denial(), start + MINUTE);
    t.match(tally.take(start + 2 * MINUTE), [{ count: 1, minute: start + MINUTE, continues: undefined }]);
  });
  t.test('keeps accounts, permissions and paths apart', async (t) => {
    const tally = createTally();
    for (const other of [{}, { accountId: 'b' }, { permission: 'x:y' }, { path: '/other' }])
      tally.note(denial(other), start);
    t.equal(tally.take(start + GATHER_MS).length, 4);
  });
  t.test('names what was asked for only when it was always the same', async (t) => {
    const tally = createTally();
    tally.note(denial({ resourceId: 'one' }), start);
    tally.note(denial({ resourceId: 'one', accountId: 'b' }), start);
    tally.note(denial({ resourceId: 'two', accountId: 'b' }), start);
    const ids = tally.take(start + GATHER_MS).map((told) => told.refusal?.resourceId);
    t.strictSame(ids, ['one', undefined]);
  });
  t.test('tells the first refusals of a kind one by one and the rest by a number', async (t) => {
    const tally = createTally();
    for (let n = 0; n < SINGLY + 7; n += 1) tally.note(refusal(), start);
    t.strictSame(
      tally.take(start).map(({ count }) => count),
      Array.from({ length: SINGLY }, () => 1),
    );
    t.match(tally.take(start + MINUTE), [{ count: 7, minute: start, refusal: { code: 'UNAUTHORIZED' } }]);
  });
  t.test('tells all refusals above the most of a minute by one number', async (t) => {
    const tally = createTally();
    for (let n = 0; n < MOST + 50; n += 1) tally.note(refusal({ address: String(n) }), start);
    t.equal(tally.take(start).length, MOST);
    const told = tally.take(start + MINUTE);
    t.match(told, [{ count: 50, kind: 'refused' }]);
    t.equal(told[0]?.refusal, undefined);
  });
  t.test('holds no more than so many denials', async (t) => {
    const tally = createTally();
    for (let n = 0; n < MOST_DENIALS + 3; n += 1) tally.note(denial({ accountId: String(n) }), start);
    const told = tally.take(start + MINUTE);
    t.equal(told.length, MOST_DENIALS + 1);
    t.match(told.at(-1), { kind: 'refused', count: 3 });
  });
  t.test('hands out everything at a stop', async (t) => {
    const tally = createTally();
    for (let n = 0; n < SINGLY + 1; n += 1) tally.note(refusal(), start);
    tally.note(denial(), start);
    t.equal(tally.take(start, true).length, SINGLY + 2);
    t.strictSame(tally.take(start + MINUTE), []);
  });
});

type Item = { readonly id: string; readonly [name: string]: unknown };
const items = ({ body }: Answer): Item[] => body.data.items;
const some = (answer: Answer): boolean => items(answer).length > 0;

t.test('refused requests', async (t) => {
  const service = await testService(t);
  const admin = await service.admin();
  const carla = await service.user('Carla');

  await t.test('for want of a permission are entries of audit trail and access log', async (t) => {
    for (let n = 0; n < 3; n += 1) t.equal((await carla.get('/rbac/roles')).status, 403);
    const log = await eventually(
      () => admin.get(`/rbac/audit-log?type=access_denied&actorId=${carla.accountId}`),
      some,
    );
    // One as a rule; more where a minute of the clock ended in between.
    for (const item of items(log))
      t.match(item, {
        type: 'access_denied',
        actorId: carla.accountId,
        subjectId: carla.accountId,
        actorName: 'Carla',
        permission: 'read:roles',
        path: '/api/v1/rbac/roles',
        reason: 'permission-missing',
        ip: '127.0.0.1',
      });
    const total = items(log).reduce((sum, { count }) => sum + Number(count), 0);
    t.ok(total >= 1 && total <= 3);
    const trail = await admin.get(`/audit/logs?action=access_denied&userId=${carla.accountId}&ip=127.0.0.1`);
    t.match(
      items(trail).find(({ id }) => id === items(log)[0]?.id),
      {
        outcome: 'refused',
        code: 'FORBIDDEN',
        method: 'GET',
        path: '/api/v1/rbac/roles',
        context: 'access',
        targetType: 'account',
        targetId: carla.accountId,
        actorType: 'user',
        ip: '127.0.0.1',
      },
    );
    t.strictSame(items(await admin.get('/audit/logs?action=access_denied&ip=192.0.2.1')), []);
    const detail = await admin.get(`/audit/logs/${items(log)[0]?.id}`);
    t.match(detail, { status: 200, body: { data: { hash: /^[0-9a-f]{64}$/, previousHash: /^[0-9a-f]{64}$/ } } });
    t.notMatch(JSON.stringify(detail.body), 'ipHash');
  });

  await t.test('on an object the caller may see are entries with the permission of that object', async (t) => {
    t.equal((await carla.get(`/rbac/users/${admin.accountId}/roles`)).status, 403);
    const search = `/rbac/audit-log?type=access_denied&permission=read:roles&subjectId=${carla.accountId}&limit=50`;
    const log = await eventually(
      () => admin.get(search),
      (answer) => items(answer).some(({ path }) => String(path).includes('/rbac/users/')),
    );
    t.match(
      items(log).find(({ path }) => String(path).includes('/rbac/users/')),
      { permission: 'read:roles', subjectId: carla.accountId },
    );
  });

  await t.test('without a login are entries of strangers, their address sealed', async (t) => {
    t.equal((await service.anonymous.get('/users/me')).status, 401);
    const trail = await eventually(() => admin.get('/audit/logs?action=request_refused&outcome=refused'), some);
    t.match(items(trail)[0], {
      userId: null,
      actorType: 'external',
      code: 'UNAUTHORIZED',
      method: 'GET',
      path: '/api/v1/users/me',
      ip: '127.0.0.1',
      count: 1,
    });
    const { rows } = await service.pool.query(
      `select data from log.events where type in ('RequestRefused', 'AccessDenied')`,
    );
    t.ok(rows.length >= 2);
    for (const { data } of rows) t.notMatch(data, '127.0.0.1');
    const keys = await service.pool.query(`select from convene.subject_keys where subject like 'month:____-__'`);
    t.equal(keys.rowCount, 1);
  });

  await t.test('leave nothing beside a failed log-in', async (t) => {
    const email = `${randomUUID()}@example.org`;
    t.equal((await service.anonymous.post('/auth/login', { email, password: 'Wrong-horse-7' })).status, 401);
    // What is recorded of a later request shows that the recorder has come past the log-in.
    t.equal((await service.anonymous.get('/auth/me')).status, 401);
    const paths = async () =>
      items(await admin.get('/audit/logs?action=request_refused&limit=100')).map(({ path }) => path);
    const all = await eventually(paths, (list) => list.includes('/api/v1/auth/me'));
    t.notOk(all.includes('/api/v1/auth/login'));
  });

  await t.test('share few streams', async (t) => {
    for (let n = 0; n < 40; n += 1) await service.anonymous.get('/auth/sessions');
    const count = async () => {
      const { rows } = await service.pool.query(
        `select count(*)::int as events, count(distinct stream)::int as streams from log.events where type = 'RequestRefused'`,
      );
      return rows[0] as { events: number; streams: number };
    };
    const { streams } = await eventually(count, ({ events }) => events >= 20);
    t.ok(streams <= 3, `${streams} streams`);
  });

  await t.test('that were only counted so far are stored at the stop', async (t) => {
    await service.stop();
    const { rows } = await service.pool.query(`select count(*)::int as events from log.events
      where type = 'RequestRefused' and data like '%/api/v1/auth/sessions%'`);
    t.ok(rows[0].events >= 21, `${rows[0].events} entries, the last with the rest`);
  });
});
