import { randomUUID } from 'node:crypto';
import t from 'tap';
import { ok } from '../../src/http/answers.ts';
import { rawBodyOf } from '../../src/http/body.ts';
import { createCounters } from '../../src/http/rateLimits/counters.ts';
import { addressOf } from '../../src/http/rateLimits/limiter.ts';
import { SLOTS, Window } from '../../src/http/rateLimits/window.ts';
import { testDatabase } from '../support/postgres.ts';
import { server } from './support/server.ts';

const routes: NonNullable<Parameters<typeof server>[1]>['routes'] = (app) => {
  app.get('/open', { config: { access: 'anyone' } }, async () => ok(null));
  app.post('/hook', { config: { access: 'anyone', webhook: true } }, async (request) => ok(rawBodyOf(request)));
  app.get('/mine', async () => ok(null));
  app.get('/status', { config: { polled: true } }, async () => ok(null));
  app.post('/files', { config: { exports: 'booking' } }, async () => ok(null));
  app.post('/other-files', { config: { exports: 'audit' } }, async () => ok(null));
};
const environment = { RATE_LIMIT_SCALE: '0.1', TRUST_PROXY: '1' };

t.test('a window', async (t) => {
  const window = new Window(100);
  window.add(100);
  window.add(101);
  t.equal(window.countAt(101), 2);
  t.equal(window.oldest(), 100);
  t.same(window.takePending(), [
    { slot: 100, count: 1 },
    { slot: 101, count: 1 },
  ]);
  t.same(window.takePending(), []);
  window.learn(101, 5);
  t.equal(window.countAt(101), 6);
  window.learn(101, 3);
  t.equal(window.countAt(101), 6, 'a count never falls');
  t.equal(window.countAt(100 + SLOTS), 5, 'the first slice has left');
  window.learn(100, 9);
  t.equal(window.countAt(100 + SLOTS), 5, 'nothing is learnt about a slice that has left');
  t.equal(window.countAt(101 + 3 * SLOTS), 0);
});

t.test('addresses', async (t) => {
  t.equal(addressOf('192.0.2.7'), '192.0.2.7');
  t.equal(addressOf('::ffff:192.0.2.7'), '192.0.2.7');
  t.equal(addressOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64');
  t.equal(addressOf('2001:0db8:0001:0002::9'), '2001:db8:1:2::/64');
  t.equal(addressOf('2001:db8::1'), '2001:db8:0:0::/64');
  t.equal(addressOf('::1'), '0:0:0:0::/64');
  t.equal(addressOf('fe80::1%eth0'), 'fe80:0:0:0::/64');
});

t.test('requests are limited', async (t) => {
  const { app, login } = await server(t, { routes, environment });
  const get = (url: string, headers: object = {}) => app.inject({ url: `/api/v1${url}`, headers: { ...headers } });
  const many = async (count: number, url: string, headers: object) => {
    const codes = [];
    for (let each = 0; each < count; each++) codes.push((await get(url, headers)).statusCode);
    return codes.filter((code) => code !== 429).length;
  };

  t.test('by address without login, unknown addresses of the service too', async (t) => {
    const headers = { 'x-forwarded-for': '192.0.2.1' };
    const first = await get('/open', headers);
    t.match(first.headers, { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '9' });
    t.ok(Number(first.headers['x-ratelimit-reset']) <= 900);
    t.equal(await many(5, '/nothing', headers), 5);
    t.equal(await many(20, '/open', headers), 4);
    const refused = await get('/open', headers);
    t.equal(refused.statusCode, 429);
    t.equal(refused.json().error.code, 'RATE_LIMIT_EXCEEDED');
    t.ok(Number(refused.headers['retry-after']) > 0);
    t.equal(refused.headers['x-ratelimit-remaining'], '0');
    t.equal((await get('/nothing', headers)).statusCode, 429);
    t.equal((await get('/open', { 'x-forwarded-for': '192.0.2.2' })).statusCode, 200, 'others are not');
    t.equal((await app.inject({ url: '/health', headers })).statusCode, 200, 'health is exempt');
  });

  t.test('before the body is looked at', async (t) => {
    const headers = { 'x-forwarded-for': '192.0.2.1', 'content-type': 'application/json' };
    const { statusCode } = await app.inject({ method: 'PUT', url: '/api/v1/boxes/1/label', headers, payload: '{' });
    t.equal(statusCode, 429);
  });

  t.test('by account when logged in, whatever the address', async (t) => {
    const { authorization } = login();
    t.equal(await many(6, '/mine', { authorization, 'x-forwarded-for': '192.0.2.3' }), 6);
    t.equal(await many(6, '/mine', { authorization, 'x-forwarded-for': '192.0.2.4' }), 4);
    t.equal((await get('/mine', { authorization: login().authorization })).statusCode, 200);
  });

  t.test('by the minute for larger plans', async (t) => {
    const { authorization } = login({ plan: 'premium' });
    const { headers } = await get('/mine', { authorization });
    t.equal(headers['x-ratelimit-limit'], '10', 'the bucket with the fewest requests left');
    t.equal(await many(20, '/mine', { authorization }), 9);
  });

  t.test('an invalid token counts to the address', async (t) => {
    const headers = { authorization: 'Bearer x', 'x-forwarded-for': '192.0.2.5' };
    t.equal(await many(20, '/mine', headers), 10);
  });

  t.test('notices of outside services count by address and minute, and keep their bodies to the byte', async (t) => {
    const tell = (address: string) =>
      app.inject({
        method: 'POST',
        url: '/api/v1/hook',
        headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
        payload: '{ "a":\t1.0 }',
      });
    const codes = [];
    for (let each = 0; each < 70; each++) codes.push((await tell('192.0.2.6')).statusCode);
    t.equal(codes.filter((code) => code === 200).length, 60);
    const answer = await tell('192.0.2.7');
    t.strictSame([answer.statusCode, answer.json().data], [200, '{ "a":\t1.0 }']);
  });

  t.test('polling counts in the minute alone', async (t) => {
    const { authorization } = login();
    t.equal(await many(20, '/status', { authorization }), 10);
  });
});

t.test('attempts at secrets', async (t) => {
  const { app, deps } = await server(t, {
    ownDatabase: true,
    environment: { RATE_LIMIT_SCALE: '1', TRUST_PROXY: '1' },
  });
  const attempt = (address: string, url = '/api/v1/boxes/open') =>
    app.inject({ method: 'POST', url, headers: { 'x-forwarded-for': address }, payload: { secret: 'a' } });

  t.test('pass five times in 15 minutes, however many come at once', async (t) => {
    const codes = (await Promise.all(Array.from({ length: 30 }, () => attempt('192.0.2.9')))).map(
      ({ statusCode }) => statusCode,
    );
    t.equal(codes.filter((code) => code === 200).length, 5);
    t.equal(codes.filter((code) => code === 429).length, 25);
    const { headers } = await attempt('192.0.2.9');
    t.match(headers, { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0' });
    t.ok(Number(headers['retry-after']) <= 900);
    t.equal((await attempt('192.0.2.9', '/api/v1/commands/OpenBox')).statusCode, 429, 'by whatever spelling');
    t.equal((await attempt('192.0.2.10')).statusCode, 200);
  });

  t.test('are refused when they cannot be counted', async (t) => {
    await deps.pool.query('drop function convene.rate_limit_admit');
    const { statusCode, json, headers } = await attempt('192.0.2.11');
    t.equal(statusCode, 503);
    t.equal(json().error.code, 'SERVICE_UNAVAILABLE');
    t.ok(headers['retry-after']);
  });
});

t.test('files pass ten times an hour, by account and context, however many come at once', async (t) => {
  const { app, login } = await server(t, { routes, ownDatabase: true, environment: { RATE_LIMIT_SCALE: '1' } });
  const { authorization } = login();
  const make = (url: string, who = authorization) =>
    app.inject({ method: 'POST', url: `/api/v1${url}`, headers: { authorization: who } });
  const codes = (await Promise.all(Array.from({ length: 20 }, () => make('/files')))).map(
    ({ statusCode }) => statusCode,
  );
  t.equal(codes.filter((code) => code === 200).length, 10);
  t.equal(codes.filter((code) => code === 429).length, 10);
  const { headers } = await make('/files');
  t.match(headers, { 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '0' });
  t.ok(Number(headers['retry-after']) > 900, 'longer than a quarter of an hour');
  t.equal((await make('/other-files')).statusCode, 200);
  t.equal((await make('/files', login().authorization)).statusCode, 200);
  t.equal((await make('/files', '')).statusCode, 401);
});

t.test('processes share their counts', async (t) => {
  const { pool } = await testDatabase(t, { migrate: true });
  const failures: unknown[] = [];
  const start = () => createCounters({ pool, secret: 'secret', failed: (error) => failures.push(error) });
  const [here, there] = [start(), start()];
  const [one, two] = [here.bucket('account', 900), there.bucket('account', 900)];
  const caller = randomUUID();
  const now = Date.now();
  for (let each = 0; each < 7; each++) one.add(caller, now);
  await here.exchange();
  // Only now: an exchange that happens by itself would hand it in before the others can be learnt.
  two.add(caller, now);
  await there.exchange();
  t.equal(two.standing(caller, 10, now).remaining, 2);
  one.add(caller, now);
  await here.exchange();
  t.equal(one.standing(caller, 10, now).remaining, 1);
  const { rows } = await pool.query('select key from convene.rate_limits');
  t.ok(rows.length > 0);
  t.notOk(
    rows.some(({ key }) => key.includes(caller)),
    'callers are not named in the table',
  );

  t.test('and go on for themselves when the database is lost', async (t) => {
    await pool.query('drop table convene.rate_limits');
    one.add(caller, now);
    await here.exchange();
    await here.exchange();
    t.equal(failures.length, 1, 'told once');
    t.equal(one.standing(caller, 10, now).remaining, 0);
  });
  await here.close();
  await there.close();
});
