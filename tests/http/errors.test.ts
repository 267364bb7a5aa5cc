import fc from 'fast-check';
import type { InjectOptions } from 'fastify';
import t from 'tap';
import { z } from 'zod';
import { ok, page } from '../../src/http/answers.ts';
import { problemOf } from '../../src/http/errors.ts';
import { runs } from '../support/random.ts';
import { server } from './support/server.ts';

const routes: NonNullable<Parameters<typeof server>[1]>['routes'] = (app, { pool }) => {
  app.post(
    '/shelves/:shelfId',
    {
      config: { access: 'anyone' },
      schema: {
        params: z.object({ shelfId: z.uuid() }),
        querystring: z.object(page()),
        body: z.object({ rules: z.array(z.object({ priority: z.int(), at: z.iso.datetime() })) }),
      },
    },
    async () => ok(null),
  );
  app.get('/raw/:id', { config: { access: 'anyone' } }, async ({ params }) => {
    const { id } = params as { id: string };
    return ok((await pool.query('select $1::uuid as id', [id])).rows);
  });
  app.get('/text', { config: { access: 'anyone' } }, async ({ query }) => {
    const { q } = query as { q?: string };
    return ok((await pool.query('select $1::text as q', [String(q)])).rows);
  });
};

t.test('errors have one envelope', async (t) => {
  const { app, lines } = await server(t, { routes });
  const url = '/api/v1/shelves/018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01';
  const of = async (request: InjectOptions | string) => {
    const { statusCode, json } = await app.inject(request);
    const body = json();
    t.equal(body.success, false);
    t.type(body.error.message, 'string');
    t.ok(Array.isArray(body.error.details));
    return { is: `${statusCode} ${body.error.code}`, ...body.error };
  };
  t.equal((await of('/nothing')).is, '404 NOT_FOUND');
  t.equal((await of('/api/v1/nothing')).is, '404 NOT_FOUND');
  t.equal((await of({ method: 'DELETE', url })).is, '404 NOT_FOUND', 'a wrong method');
  t.equal((await of({ method: 'POST', url: '/API/v1/shelves/1' })).is, '404 NOT_FOUND', 'case counts');
  const odd = { 'content-type': 'text/plain' };
  t.equal((await of({ method: 'POST', url: '/nothing', payload: 'x', headers: odd })).is, '404 NOT_FOUND');
  const zipped = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  t.equal((await of({ method: 'POST', url, payload: 'x', headers: zipped })).is, '415 UNSUPPORTED_MEDIA_TYPE');
  t.equal((await of('/api/v1/raw/%zz')).is, '400 BAD_REQUEST');
  t.equal((await of('/api/v1/raw/nonsense')).is, '422 VALIDATION_ERROR', 'what only the database refuses');
  t.equal((await of('/api/v1/text?q=%00')).is, '422 VALIDATION_ERROR', 'a NUL byte');
  t.equal((await of({ method: 'POST', url: '/api/v1/shelves/1', payload: { rules: [] } })).is, '422 VALIDATION_ERROR');
  const { is, details } = await of({
    method: 'POST',
    url,
    payload: {
      rules: [
        { priority: 'high', at: '2026-01-01T00:00:00Z' },
        { priority: 1, at: 'tomorrow' },
      ],
    },
  });
  t.equal(is, '422 VALIDATION_ERROR');
  t.same(
    details.map(({ field }: { field: string }) => field),
    ['rules.0.priority', 'rules.1.at'],
  );
  t.notOk(
    lines().some(({ level }) => level === 50),
    'none of it is our defect',
  );
});

t.test('lost connections are told from defects', async (t) => {
  const code = (code: string, more: object = {}) => problemOf(Object.assign(new Error('x'), { code, ...more }))?.code;
  for (const lost of ['ECONNREFUSED', 'ECONNRESET', '57P01', '08006', '53300'])
    t.equal(code(lost), 'SERVICE_UNAVAILABLE', lost);
  t.equal(problemOf(new Error('Connection terminated unexpectedly'))?.code, 'SERVICE_UNAVAILABLE');
  t.equal(code('22P02', { severity: 'ERROR' }), 'VALIDATION_ERROR');
  t.equal(code('22009', { severity: 'ERROR' }), 'VALIDATION_ERROR', 'a year of five digits');
  t.equal(code('22012', { severity: 'ERROR' }), undefined, 'a division by zero is ours');
  t.equal(code('42P01', { severity: 'ERROR' }), undefined);
  t.equal(problemOf(new TypeError('x')), undefined);
  t.equal(problemOf(undefined), undefined);
  t.equal(problemOf('thrown text'), undefined);
});

t.test('a defect is logged once and answered without detail', async (t) => {
  const { app, lines } = await server(t, {
    routes: (app) => {
      app.get('/broken', { config: { access: 'anyone' } }, async () => {
        throw new Error('someone@example.org broke it');
      });
    },
  });
  const { statusCode, body, headers } = await app.inject('/api/v1/broken?password=hunter2');
  t.equal(statusCode, 500);
  t.notMatch(body, /broke it/);
  const logged = lines().filter(({ level }) => level === 50);
  t.equal(logged.length, 1);
  t.match(logged[0], { route: '/api/v1/broken', method: 'GET', correlationId: headers['x-correlation-id'] });
  t.notMatch(JSON.stringify(lines()), /hunter2/);
});

t.test('nothing that a client sends is a defect', async (t) => {
  const { app, login, lines } = await server(t, { routes });
  const { authorization } = login({ permissions: ['write:boxes'] });
  const header = fc.string({ unit: 'binary-ascii', maxLength: 40 }).map((text) => text.replace(/\p{Cc}/gu, ''));
  const path = fc.array(
    fc.oneof(
      fc.webSegment(),
      fc.constantFrom('api', 'v1', 'boxes', 'label', '..', '%00', '%ff', '__proto__', 'commands'),
    ),
    { maxLength: 5 },
  );
  const cases = runs(200);
  let seen = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
      fc.oneof(
        path.map((parts) => `/${parts.join('/')}`),
        fc.constantFrom(
          '/api/v1/boxes/018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01/label',
          '/api/v1/commands/LabelBox',
          '/api/v1/shelves/018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01',
          '/api/v1/text?q=x',
          '/api/v1/raw/x',
        ),
      ),
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.constantFrom('', '{', '[]', '{"label":"\\u0000","rules":[{}]}', '{"__proto__":{}}'),
      ),
      fc.constantFrom('application/json', 'application/json; charset=utf-7', 'text/html', 'multipart/form-data', 'x'),
      fc.record(
        {
          'if-match': header,
          'idempotency-key': header,
          'consistency-token': header,
          'x-correlation-id': header,
          traceparent: header,
          cookie: header,
          'accept-encoding': header,
          origin: header,
        },
        { requiredKeys: [] },
      ),
      fc.boolean(),
      async (method, url, payload, type, headers, loggedIn) => {
        const body = method === 'GET' || method === 'HEAD' ? {} : { payload };
        const { statusCode } = await app.inject({
          method: method as 'GET',
          url,
          headers: { ...headers, 'content-type': type, ...(loggedIn ? { authorization } : {}) },
          ...body,
        });
        seen += 1;
        return statusCode < 500;
      },
    ),
    cases,
  );
  t.ok(seen >= cases.numRuns);
  t.notOk(lines().some(({ level }) => level === 50));
});
