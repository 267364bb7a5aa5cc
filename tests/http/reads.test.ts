import t from 'tap';
import { z } from 'zod';
import { answer, found, listAnswer, offsetOf, ok, page, paginated, sorted } from '../../src/http/answers.ts';
import { fieldsOf, single } from '../../src/http/etag.ts';
import { ReadModelBehind } from '../../src/projections/caughtUp.ts';
import type { AnyProjection } from '../../src/projections/projection.ts';
import { server } from './support/server.ts';

const Box = z.object({ boxId: z.uuid(), label: z.string(), size: z.int() });
const box = { boxId: '018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01', label: 'Books', size: 3 };
const boxes = { name: 'boxes' } as AnyProjection;

const routes: NonNullable<Parameters<typeof server>[1]>['routes'] = (app) => {
  const open = { access: 'anyone' } as const;
  app.get(
    '/boxes',
    {
      config: open,
      schema: {
        querystring: z.object({ ...page({ limit: 2, max: 5 }), ...sorted(['label', 'size'], 'desc') }),
        response: { 200: listAnswer('boxes', Box) },
      },
    },
    async ({ query }) => {
      const all = Array.from({ length: 5 }, (_, size) => ({ ...box, label: `${query.sort} ${query.order}`, size }));
      return paginated('boxes', all.slice(offsetOf(query), offsetOf(query) + query.limit), all.length, query);
    },
  );
  app.get(
    '/boxes/:boxId',
    {
      config: open,
      schema: {
        params: z.object({ boxId: z.uuid() }),
        querystring: z.object(fieldsOf(Box)),
        response: { 200: answer(Box) },
      },
    },
    async (request, reply) =>
      single(request, reply, found(request.params.boxId === box.boxId ? box : undefined, 'box'), 7),
  );
  app.get('/box', { config: open }, async (request, reply) => single(request, reply, box));
  app.get('/mine', { config: { reads: [boxes] } }, async () => ok(null));
  app.get('/ours', { config: { ...open, reads: [boxes] } }, async () => ok(null));
};

t.test('a list', async (t) => {
  const { app } = await server(t, { routes });
  const get = async (query: string) => (await app.inject(`/api/v1/boxes${query}`)).json();
  t.match(await get(''), {
    success: true,
    data: {
      boxes: [{ label: 'label desc', size: 0 }, { size: 1 }],
      pagination: { page: 1, limit: 2, total: 5, pages: 3, hasNext: true, hasPrev: false },
    },
  });
  t.match((await get('?page=3&sort=size&order=asc')).data, {
    boxes: [{ label: 'size asc', size: 4 }],
    pagination: { page: 3, hasNext: false, hasPrev: true },
  });
  t.match((await get('?page=99')).data, { boxes: [], pagination: { page: 99, total: 5, hasNext: false } });
  for (const [query, field] of [
    ['?page=0', 'page'],
    ['?page=-1', 'page'],
    ['?page=1.5', 'page'],
    ['?page=', 'page'],
    ['?page=1e3', 'page'],
    ['?page=99999999999999999999', 'page'],
    ['?limit=6', 'limit'],
    ['?limit=0', 'limit'],
    ['?limit=ten', 'limit'],
    ['?limit=1&limit=2', 'limit'],
    ['?sort=colour', 'sort'],
    ['?order=up', 'order'],
  ] as const) {
    const { error } = await get(query);
    t.equal(error?.code, 'VALIDATION_ERROR', query);
    t.equal(error?.details[0]?.field, field, query);
  }
});

t.test('a single read', async (t) => {
  const { app } = await server(t, { routes });
  const url = `/api/v1/boxes/${box.boxId}`;
  const get = (query = '', headers: object = {}) => app.inject({ url: `${url}${query}`, headers: { ...headers } });
  const first = await get();
  t.same(first.json(), { success: true, data: box });
  t.equal(first.headers.etag, '"7"');
  for (const tag of ['"7"', 'W/"7"', '"1", "7"', '*']) {
    const { statusCode, body, headers } = await get('', { 'if-none-match': tag });
    t.equal(statusCode, 304, tag);
    t.equal(body, '');
    t.equal(headers.etag, '"7"');
  }
  t.equal((await get('', { 'if-none-match': '"6"' })).statusCode, 200);
  t.same((await get('?fields=label,size')).json().data, { label: 'Books', size: 3 });
  t.equal((await get('?fields=label,colour')).statusCode, 422);
  t.equal((await get('?fields=')).statusCode, 422);
  for (const query of ['fields=', 'fields=1&fields=2']) {
    const elsewhere = await app.inject(`/api/v1/box?${query}`);
    t.match(elsewhere.json().data, { label: 'Books', size: 3 }, `${query}: ignored by routes that do not know it`);
  }
  t.equal((await app.inject('/api/v1/boxes/1')).statusCode, 422, 'a malformed id');
  const missing = await app.inject('/api/v1/boxes/018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e02');
  t.equal(missing.statusCode, 404);
  t.match(missing.json().error, { code: 'NOT_FOUND', message: 'No such box', details: [] });
});

t.test('a query sees what its caller did before', async (t) => {
  const waited: [string, bigint][] = [];
  let behind = false;
  const { app, login } = await server(t, {
    routes,
    deps: {
      caughtUp: async (projections, position) => {
        waited.push([projections.map(({ name }) => name).join(), position]);
        if (behind) throw new ReadModelBehind(['boxes']);
      },
    },
  });
  const { authorization } = login({ permissions: ['write:boxes'] });
  const get = (headers: object = {}, url = '/api/v1/mine') => app.inject({ url, headers: { ...headers } });

  t.equal((await get({ authorization })).statusCode, 200);
  t.same(waited, [], 'nothing to wait for');
  await app.inject({
    method: 'PUT',
    url: `/api/v1/boxes/${box.boxId}/label`,
    headers: { authorization },
    payload: { label: 'Books' },
  });
  await get({ authorization });
  t.same(waited.splice(0), [['boxes', 42n]], 'its own write through this process');
  await get({ authorization: login().authorization });
  t.same(waited, [], 'not that of others');
  await get({ 'consistency-token': '50' }, '/api/v1/ours');
  await get({ authorization, 'consistency-token': '50' });
  await get({ authorization, 'consistency-token': '7' });
  t.same(
    waited.map(([, position]) => position),
    [50n, 50n, 42n],
    'the later of token and own write',
  );

  for (const token of ['x', '-1', '1.5', '', '9'.repeat(30)]) {
    const { statusCode, json } = await get({ 'consistency-token': token }, '/api/v1/ours');
    t.equal(statusCode, 400, token);
    t.equal(json().error.code, 'BAD_REQUEST');
  }
  behind = true;
  const late = await get({ authorization });
  t.equal(late.statusCode, 503);
  t.equal(late.json().error.code, 'READ_MODEL_BEHIND');
  t.equal(late.headers['retry-after'], '1');
});
