import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { z } from 'zod';
import { bindings as all } from '../../src/commands/bindings.ts';
import { answer, listAnswer, page, sorted } from '../../src/http/answers.ts';
import type { App } from '../../src/http/app.ts';
import { fieldsOf } from '../../src/http/etag.ts';
import { routes as contexts } from '../../src/http/routes/index.ts';
import { server } from './support/server.ts';

type Document = {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
};
type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: { name?: string; in?: string; schema?: object; required?: boolean; $ref?: string }[];
  readonly security: object[];
  readonly requestBody?: { readonly content: Record<string, { schema: object; example: unknown }> };
  readonly responses: Record<
    string,
    { content?: Record<string, { schema: object; example?: unknown }>; $ref?: string }
  >;
};

const Box = z.object({ boxId: z.uuid(), label: z.string() });
const boxes = (app: App) => {
  const example = { boxId: '018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01', label: 'Books' };
  app.get(
    '/boxes',
    {
      config: { access: 'read:boxes', apiKey: true },
      schema: {
        summary: 'Boxes',
        querystring: z.object({ ...page(), ...sorted(['label', 'createdAt']) }),
        response: { 200: listAnswer('boxes', Box, example) },
      },
    },
    async () => ({}) as never,
  );
  app.get(
    '/boxes/:boxId',
    {
      schema: {
        summary: 'One box',
        params: z.object({ boxId: z.uuid() }),
        querystring: z.object(fieldsOf(Box)),
        response: { 200: answer(Box) },
      },
    },
    async () => ({}) as never,
  );
};

const documentOf = async (app: App): Promise<Document> => (await app.inject('/docs/openapi.json')).json();

t.test('the API document of a small service', async (t) => {
  const { app } = await server(t, { routes: boxes });
  const { openapi, paths } = await documentOf(app);
  t.match(openapi, /^3\.1/);

  t.test('describes a command', async (t) => {
    const put = paths['/api/v1/boxes/{boxId}/label']?.put;
    t.match(put, {
      operationId: 'putBoxesBoxIdLabel',
      summary: 'Labels a box',
      security: [{ accessToken: [] }],
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: { properties: { label: { type: 'string' } } }, example: { label: 'Books' } },
        },
      },
    });
    t.notMatch(put?.requestBody, { content: { 'application/json': { schema: { properties: { boxId: {} } } } } });
    t.match(put?.parameters[0], { name: 'boxId', in: 'path', required: true, schema: { format: 'uuid' } });
    for (const status of ['201', '400', '401', '403', '404', '409', '412', '413', '415', '422', '429', '500', '503'])
      t.ok(put?.responses[status], status);
    t.match(paths['/api/v1/commands/LabelBox']?.post?.requestBody?.content['application/json']?.example, {
      boxId: /^[0-9a-f-]{36}$/,
      label: 'Books',
    });
  });

  t.test('describes a query', async (t) => {
    const get = paths['/api/v1/boxes']?.get;
    t.match(get?.security, [{ accessToken: [] }, { apiKey: [] }]);
    const limit = get?.parameters.find(({ name }) => name === 'limit');
    t.same(limit?.schema, { type: 'integer', minimum: 1, maximum: 50, default: 10 });
    t.equal(limit?.required, false);
    t.match(get?.responses['200']?.content?.['application/json']?.example, {
      success: true,
      data: { boxes: [{ label: 'Books' }] },
    });
  });

  t.test('leaves internal commands out', async (t) => {
    t.notOk(Object.keys(paths).some((path) => path.includes('seal') || path.includes('SealBox')));
  });
});

t.test('the API document of the service', async (t) => {
  const served: string[] = [];
  const { app } = await server(t, {
    bindings: all,
    routes: async (app, deps) => {
      app.addHook('onRoute', ({ method, url, schema }) => {
        const hidden = (schema as { hide?: boolean } | undefined)?.hide === true;
        if (!hidden) for (const each of [method].flat()) if (each !== 'HEAD') served.push(`${each} ${url}`);
      });
      for (const context of contexts) await context(app, deps);
    },
  });
  const document = await documentOf(app);

  t.test('is valid', async (t) => {
    const { valid, errors } = await new Validator().validate(document as never);
    t.ok(valid, JSON.stringify(errors)?.slice(0, 2_000));
  });

  t.test('names every route', async (t) => {
    const open = (path: string) => path.replace(/:(\w+)/g, '{$1}').replace(/(.)\/$/, '$1');
    const documented = new Set(
      Object.entries(document.paths).flatMap(([path, item]) =>
        Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
      ),
    );
    for (const binding of all.filter(({ internal }) => !internal)) {
      served.push(`POST /api/v1/commands/${binding.command.name}`);
      for (const path of [binding.path ?? []].flat()) served.push(path.replace(' ', ' /api/v1'));
    }
    t.ok(served.length > 2 * all.filter(({ internal }) => !internal).length, `saw ${served.length} routes`);
    for (const route of served) t.ok(documented.has(open(route)), route);
  });

  t.test('says what routes answer beside their success', async (t) => {
    const answers = (method: string, path: string): readonly string[] =>
      Object.keys(document.paths[path]?.[method]?.responses ?? {});
    const named = (method: string, path: string): readonly string[] =>
      (document.paths[path]?.[method]?.parameters ?? []).flatMap(({ $ref }) => $ref?.split('/').at(-1) ?? []);
    for (const path of ['/api/v1/sessions', '/api/v1/users/me'])
      t.ok(answers('get', path).includes('400'), `${path}: a Consistency-Token that is none`);
    t.ok(named('post', '/api/v1/rbac/check').includes('ConsistencyToken'), 'not only of queries by GET');
    for (const path of [
      '/api/v1/provider/availability',
      '/api/v1/appointments/{appointmentId}',
      '/api/v1/provider/profile',
    ]) {
      t.ok(answers('get', path).includes('304'), `${path}: the version that the caller has`);
      t.ok(named('get', path).includes('IfNoneMatch'), path);
    }
    for (const path of ['/api/v1/auth/refresh', '/api/v1/auth/logout'])
      for (const status of ['401', '403']) t.ok(answers('post', path).includes(status), `${path}: ${status}`);
    for (const [method, path] of [
      ['post', '/api/v1/rbac/check'],
      ['get', '/api/v1/analytics/booking'],
      ['get', '/api/v1/analytics/estimation'],
    ] as const)
      t.ok(answers(method, path).includes('404'), `${path}: the object that body or query name`);
    for (const [method, path] of [
      ['put', '/api/v1/users/me'],
      ['post', '/api/v1/mfa/verify'],
      ['delete', '/api/v1/auth/sessions'],
      ['put', '/api/v1/appointments/{appointmentId}'],
      ['post', '/api/v1/provider/timeslots'],
      ['post', '/api/v1/sessions/{sessionId}/stories'],
    ] as const) {
      for (const status of ['409', '412']) t.ok(answers(method, path).includes(status), `${path}: ${status}`);
      t.ok(named(method, path).includes('IfMatch') && named(method, path).includes('IdempotencyKey'), path);
    }
    t.ok(answers('get', '/api/v1/mfa/backup-codes').includes('409'), 'what is not there to tell of');
    t.ok(answers('get', '/metrics').includes('401'), '/metrics: the token of its readers');
    t.ok(answers('get', '/api/v1/live').includes('200'), 'a stream is a success too');
  });

  t.test('has nothing in its schemas that is no JSON Schema', async (t) => {
    t.notMatch(JSON.stringify(document.paths), /"(?:override|parameter|pii)":|"secret":true/);
    const version = document.paths['/api/v1/audit/streams/{streamType}/{streamId}/state']?.get?.parameters.find(
      ({ name }) => name === 'version',
    );
    t.match(version?.schema, { type: 'integer', minimum: 0 });
  });

  t.test('calls a parameter alike wherever it stands, as paths that differ by its name alone are one', async (t) => {
    const paths = Object.keys(document.paths);
    const spellings = Map.groupBy(paths, (path) => path.replace(/\{\w+\}/g, '{}'));
    t.same(
      [...spellings.values()].filter(({ length }) => length > 1),
      [],
    );
    t.ok(spellings.size > 50);
  });

  t.test('has operation ids of its own for each', async (t) => {
    const ids = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map(({ operationId }) => operationId),
    );
    t.equal(new Set(ids).size, ids.length, ids.filter((id, index) => ids.indexOf(id) !== index).join());
  });

  t.test('shows examples that would be accepted', async (t) => {
    for (const { command, internal } of all) {
      if (internal) continue;
      const example =
        document.paths[`/api/v1/commands/${command.name}`]?.post?.requestBody?.content['application/json']?.example ??
        {};
      const { success, error } = command.input.safeParse(example);
      t.ok(success, `${command.name}: ${JSON.stringify(error?.issues)} in ${JSON.stringify(example)}`);
    }
  });

  t.test('shows an example of every answer', async (t) => {
    const missing = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.entries(item).flatMap(([method, { responses }]) =>
        Object.entries(responses)
          .filter(
            ([status, { content }]) =>
              status.startsWith('2') && content?.['application/json'] && !('example' in content['application/json']),
          )
          .map(([status]) => `${method} ${path} ${status}`),
      ),
    );
    t.same(
      missing.filter((each) => !each.endsWith('openapi.json 200')),
      [],
    );
  });
});

t.test('the reference page', async (t) => {
  const { app } = await server(t);
  const { statusCode, headers, body } = await app.inject('/docs');
  t.equal(statusCode, 200);
  t.match(headers['content-type'], /text\/html/);
  const links = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link);
  t.ok(links.length >= 3);
  for (const link of links) {
    t.notMatch(link, /^(?:https?:)?\/\//, `${link} comes from here`);
    if (link.startsWith('data:')) continue;
    const url = new URL(link, 'http://localhost/docs').pathname;
    t.equal((await app.inject(url)).statusCode, 200, url);
  }
  t.notMatch(body, /<script(?![^>]*src=)[^>]*>\s*\S/, 'no script stands in the page itself');
  t.equal((await app.inject('/docs/json')).statusCode, 200);
});
