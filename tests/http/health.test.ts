import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { ok } from '../../src/http/answers.ts';
import type { CircuitState } from '../../src/integrations/circuit.ts';
import type { ProjectionStatus } from '../../src/projections/status.ts';
import { server } from './support/server.ts';

/** Milliseconds that a machine may be late with what takes two seconds and less, and still sooner than what takes five. */
const SLOW_MS = 4_900;

const projection = (more: Partial<ProjectionStatus>): ProjectionStatus => ({
  name: 'boxes',
  version: 1,
  position: 7n,
  lagEvents: 0,
  lagSeconds: 0,
  state: 'live',
  parked: 0,
  retrying: 0,
  incomplete: false,
  lastError: null,
  ...more,
});

t.test('health of a service that works', async (t) => {
  const { app, login } = await server(t, { deps: { progress: async () => [projection({})] } });
  const operator = { authorization: login({ permissions: ['read:operations'] }).authorization };
  for (const prefix of ['', '/api/v1']) {
    const get = async (path: string, headers: object = {}) => {
      const { statusCode, json } = await app.inject({ url: `${prefix}${path}`, headers: { ...headers } });
      t.equal(statusCode, 200, `${prefix}${path}`);
      return json().data;
    };
    t.match(await get('/health'), { status: 'ok', version: /^\d+\.\d+/, uptime: Number });
    t.same(await get('/health/live'), { status: 'ok' });
    t.same(await get('/health/ready'), { status: 'ready' });
    t.same(Object.keys(await get('/health/database')).sort(), ['responseMs', 'status']);
    t.same(Object.keys(await get('/health/system')), ['status']);
    t.same(Object.keys(await get('/health/comprehensive')).sort(), ['responseMs', 'status']);
    t.match(await get('/health/database', operator), {
      status: 'ok',
      responseMs: Number,
      pool: { size: Number, used: Number, idle: Number, waiting: 0, max: 10 },
      statistics: { connections: Number },
      eventStore: { status: 'ok' },
    });
    t.match(await get('/health/system', operator), {
      cpuPercent: Number,
      memoryPercent: Number,
      eventLoopLagMs: Number,
    });
    t.match(await get('/health/comprehensive', operator), {
      status: 'ok',
      database: { status: 'ok' },
      projections: [{ name: 'boxes', position: '7', lagSeconds: 0, parked: 0 }],
    });
  }
});

t.test('a projection far behind', async (t) => {
  const { app } = await server(t, { deps: { progress: async () => [projection({ lagSeconds: 11 })] } });
  t.equal((await app.inject('/health/ready')).statusCode, 503);
  t.equal((await app.inject('/health')).statusCode, 200);
  t.equal((await app.inject('/health/comprehensive')).json().data.status, 'ok', 'up to a minute');
});

t.test('parked streams', async (t) => {
  const { app } = await server(t, { deps: { progress: async () => [projection({ parked: 2 })] } });
  t.equal((await app.inject('/health/ready')).statusCode, 200, 'do not count for readiness');
  t.equal((await app.inject('/health/comprehensive')).json().data.status, 'degraded');
});

t.test('an outside service that is kept from being called', async (t) => {
  const circuit = (service: string, state: CircuitState) => ({ service, state: () => state });
  const circuits = [circuit('smtp', 'closed'), circuit('twilio', 'open')];
  const { app, login } = await server(t, { deps: { circuits } });
  t.equal((await app.inject('/health/ready')).statusCode, 200, 'does not count for readiness');
  const { authorization } = login({ permissions: ['read:operations'] });
  const { data } = (await app.inject({ url: '/health/comprehensive', headers: { authorization } })).json();
  t.match(data, {
    status: 'degraded',
    services: [
      { name: 'smtp', circuit: 'closed' },
      { name: 'twilio', circuit: 'open' },
    ],
  });
});

t.test('a log out of reach', async (t) => {
  let lost = false;
  const store = { head: () => (lost ? Promise.reject(new Error('lost')) : Promise.resolve(0n)) };
  const { app } = await server(t, { deps: { store: store as never } });
  lost = true;
  for (const url of ['/health', '/health/database', '/health/comprehensive', '/api/v1/health']) {
    const { statusCode, json } = await app.inject(url);
    t.equal(statusCode, 503, url);
    t.equal(json().data.status, 'down');
  }
  t.equal((await app.inject('/health/ready')).statusCode, 503);
  t.equal((await app.inject('/health/live')).statusCode, 200);
  t.equal((await app.inject('/health/system')).statusCode, 200);
});

t.test('a log that does not answer is given up after two seconds', async (t) => {
  let stuck = false;
  const store = { head: () => (stuck ? new Promise<bigint>(() => undefined) : Promise.resolve(0n)) };
  const { app } = await server(t, { deps: { store: store as never } });
  stuck = true;
  const start = performance.now();
  t.equal((await app.inject('/health')).statusCode, 503);
  const took = performance.now() - start;
  t.ok(took > 1_900 && took < SLOW_MS, `${Math.round(took)} ms`);
});

t.test('an offer to speak HTTP/2 is passed over, whatever route it is made to', async (t) => {
  const { app } = await server(t);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as { port: number };
  const ask = async (path: string) => {
    const socket = connect(port, '127.0.0.1');
    const offer = 'Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk';
    socket.write(`GET ${path} HTTP/1.1\r\nHost: here\r\n${offer}\r\n\r\n`);
    return Buffer.concat(await socket.toArray()).toString();
  };
  const health = await ask('/health');
  t.match(health, /^HTTP\/1\.1 200 .*x-frame-options: SAMEORIGIN.*"status":"ok"/is);
  t.match(await ask('/nowhere'), /^HTTP\/1\.1 404 .*"NOT_FOUND"/is);
});

t.test('rights that cannot be read hold up nobody who asks for health', async (t) => {
  const { app, login } = await server(t, {
    deps: { rights: { of: () => new Promise(() => undefined) } },
    routes: (routes) => routes.get('/mine', async () => ok(null)),
  });
  const { authorization } = login({ permissions: ['read:operations'] });
  const start = performance.now();
  for (const url of ['/health', '/health/database', '/health/live']) {
    const { statusCode, json } = await app.inject({ url, headers: { authorization } });
    t.equal(statusCode, 200, url);
    t.notOk('pool' in json().data, 'only the status');
  }
  const took = performance.now() - start;
  t.ok(took < SLOW_MS, `${Math.round(took)} ms`);
  t.equal((await app.inject({ url: '/api/v1/mine', headers: { authorization } })).statusCode, 503);
});

t.test('metrics', async (t) => {
  const { app, login } = await server(t, {
    environment: { METRICS_TOKEN: 'metrics-token-of-test' },
    deps: { progress: async () => [projection({ lagSeconds: 3 })] },
  });
  const { authorization, accountId } = login({ permissions: ['write:boxes'] });
  const boxId = '018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01';
  await app.inject({
    method: 'PUT',
    url: `/api/v1/boxes/${boxId}/label?x=1`,
    headers: { authorization },
    payload: { label: 'a' },
  });
  await app.inject('/somewhere/else');
  const { statusCode, headers, body } = await app.inject('/metrics');
  t.equal(statusCode, 200);
  t.match(headers['content-type'], /^text\/plain/);
  t.match(
    body,
    /convene_http_request_duration_seconds_count\{method="PUT",route="\/api\/v1\/boxes\/:boxId\/label",status="201"\} 1/,
  );
  t.match(body, /route="unknown",status="404"/);
  t.match(body, /convene_projection_lag_seconds\{projection="boxes"\} 3/);
  t.match(body, /convene_http_requests_in_flight 1/, 'this one alone');
  t.notMatch(body, new RegExp(`${boxId}|${accountId}|somewhere|@`));

  const from = (remoteAddress: string, headers: object = {}) =>
    app.inject({ url: '/metrics', remoteAddress, headers: { ...headers } });
  t.equal((await from('192.0.2.1')).statusCode, 401);
  t.equal((await from('127.0.0.1', { 'x-forwarded-for': '192.0.2.1' })).statusCode, 401);
  t.equal((await from('192.0.2.1', { authorization: 'Bearer metrics-token-of-test' })).statusCode, 200);
  t.equal((await from('192.0.2.1', { authorization: 'Bearer metrics-token-of-tesT' })).statusCode, 401);
});

t.test('the request log', async (t) => {
  const { app, login, lines } = await server(t, { environment: { TRUST_PROXY: '1' } });
  const { authorization, accountId } = login({ permissions: ['write:boxes'] });
  const { headers } = await app.inject({
    method: 'PUT',
    url: '/api/v1/boxes/018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01/label?token=hunter2',
    headers: { authorization, 'user-agent': 'test', 'x-forwarded-for': '192.0.2.77' },
    payload: { label: 'hunter3' },
  });
  t.match(lines().at(-1), {
    msg: 'request',
    method: 'PUT',
    route: '/api/v1/boxes/:boxId/label',
    status: 201,
    durationMs: Number,
    userId: accountId,
    correlationId: headers['x-correlation-id'],
    ip: '192.0.2.0',
    userAgent: 'test',
  });
  t.notMatch(JSON.stringify(lines()), /hunter|Bearer|192\.0\.2\.77/);
});

t.test('stopping', async (t) => {
  const entered = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const { app } = await server(t, {
    routes: (app) => {
      app.get('/slow', { config: { access: 'anyone' } }, async () => {
        entered.resolve();
        await released.promise;
        return ok('done');
      });
    },
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const running = fetch(`${url}/api/v1/slow`);
  await entered.promise;
  const closed = app.close();
  while (app.server.listening) await setImmediate();
  t.equal(app.draining(), true);
  const { port } = new URL(url);
  const probe = connect(Number(port), '127.0.0.1');
  const refused = await Promise.race([once(probe, 'error').then(() => true), once(probe, 'connect').then(() => false)]);
  probe.destroy();
  t.equal(refused, true, 'no new connections');
  released.resolve();
  const answer = await running;
  t.equal(answer.status, 200);
  t.same(await answer.json(), { success: true, data: 'done' });
  t.equal(answer.headers.get('connection'), 'close');
  await closed;
});

t.test('readiness ends with the order to stop', async (t) => {
  const { app } = await server(t);
  t.equal((await app.inject('/health/ready')).statusCode, 200);
  app.drain();
  t.equal((await app.inject('/health/ready')).statusCode, 503);
  t.equal((await app.inject('/health/live')).statusCode, 200);
});

t.test('what is no HTTP', async (t) => {
  const { app } = await server(t);
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  const say = async (text: string) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.end(text);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    return answer;
  };
  const garbage = await say('hello\r\n\r\n');
  t.match(garbage, /^HTTP\/1\.1 400 /);
  t.match(garbage, /"code":"BAD_REQUEST"/);
  t.match(garbage, /x-frame-options: SAMEORIGIN/i);
  t.match(garbage, /x-correlation-id: [0-9a-f-]{36}\r\n/);
  t.match(await say(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431 /);
});
