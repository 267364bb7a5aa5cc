import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { RouteOptions } from 'fastify';
import { z } from 'zod';
import type { App, Deps } from '../app.ts';
import { version } from '../version.ts';
import { commandOperation, type Operation, routeOperation } from './operation.ts';
import { overview } from './overview.ts';
import { refer, sharedResponses } from './responses.ts';

/** Where an operation waits in the framework's own draft of the document. */
const OPERATION = 'x-operation';

const header = (name: string, description: string, schema: object) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema,
});

const parameterRef = (name: string) => ({ $ref: `#/components/parameters/${name}` });

const components = {
  securitySchemes: {
    accessToken: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'The `accessToken` that a log-in answers with. It lives for 15 minutes.',
    },
    apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'A key made by its owner, `ak_live_…`.' },
  },
  schemas: {
    Error: {
      type: 'object',
      required: ['success', 'error'],
      properties: {
        success: { const: false },
        error: {
          type: 'object',
          required: ['code', 'message', 'details'],
          properties: {
            code: { type: 'string', description: 'Coarse: one for each kind of failure' },
            reason: { type: 'string', description: 'Fine: stable, kebab-case, for programs to tell failures apart' },
            message: { type: 'string', description: 'For the person who reads it' },
            details: {
              type: 'array',
              items: {
                type: 'object',
                required: ['field', 'message'],
                properties: {
                  field: { type: 'string', description: 'With dots: `rules.0.priority`' },
                  message: { type: 'string' },
                },
              },
            },
          },
        },
      },
    },
  },
  parameters: {
    IdempotencyKey: header(
      'Idempotency-Key',
      'Makes a repeat of the same request safe: it gives the first answer again. Counts per account, command and object.',
      { type: 'string', minLength: 1, maxLength: 64 },
    ),
    IfMatch: header('If-Match', 'Only if the object is still at this version, such as `"3"`; else 412.', {
      type: 'string',
      pattern: '^"\\d+"$',
    }),
    IfNoneMatch: header(
      'If-None-Match',
      'The `ETag` of an earlier answer: 304 while the object is still at that version.',
      {
        type: 'string',
      },
    ),
    CorrelationId: header('X-Correlation-Id', 'Names this request in logs and events; made up when absent.', {
      type: 'string',
      format: 'uuid',
    }),
    ConsistencyToken: header(
      'Consistency-Token',
      'The one a command answered with: the answer shows at least what that command did, else 503 READ_MODEL_BEHIND.',
      { type: 'string', pattern: '^\\d+$' },
    ),
  },
};

const page = (summary: string, operationId: string, responses: object) => ({
  get: {
    operationId,
    summary,
    description: 'Open to everyone.',
    tags: ['operations'],
    security: [],
    parameters: [parameterRef('CorrelationId')],
    responses: { ...responses, ...refer('InternalError') },
  },
});

/** What is served but is no JSON over HTTP. */
const pages = {
  '/docs': page('The API reference, to read and to try', 'getRootDocs', {
    200: { description: 'A page', content: { 'text/html': { schema: { type: 'string' } } } },
  }),
  '/ws': page('Live updates by WebSocket; its messages are described in the AsyncAPI document', 'getRootWs', {
    101: { description: 'The connection speaks WebSocket from here on' },
    ...refer('Forbidden', 'NotFound', 'TooManyRequests'),
  }),
};

type Documented = { readonly hide?: boolean };

const operationOf = (method: string, url: string, { config = {}, schema }: RouteOptions): Operation =>
  config.binding === undefined
    ? routeOperation(method, url, config, (schema ?? {}) as Parameters<typeof routeOperation>[3])
    : commandOperation(method, url, config, config.binding);

const operationsIn = (path: object): [string, Operation][] =>
  Object.entries(path).filter(
    ([, operation]) => typeof operation === 'object' && operation !== null && OPERATION in operation,
  );

/** The OpenAPI 3.1 document of every route, and the reference page that shows it. */
export const registerOpenApi = async (app: App, { config }: Deps): Promise<void> => {
  await app.register(swagger, {
    convertConstToEnum: false,
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Convene',
        version,
        description: overview,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: config.publicUrl ?? '/', description: 'This service' }],
    },
    transform: ({ schema, url, route }) => {
      const hide = (schema as Documented | undefined)?.hide === true || route.method === 'HEAD';
      if (hide) return { schema: { hide: true }, url };
      const method = [route.method].flat()[0] ?? 'GET';
      return { schema: { [OPERATION]: operationOf(method, url, { ...route, config: route.config ?? {} }) }, url };
    },
    transformObject: (draft) => {
      if (!('openapiObject' in draft)) return draft.swaggerObject;
      const paths = Object.fromEntries(
        Object.entries(draft.openapiObject.paths ?? {}).map(([path, item]) => [
          path.length > 1 ? path.replace(/\/$/, '') : path,
          Object.fromEntries(operationsIn(item ?? {}).map(([method, operation]) => [method, operation[OPERATION]])),
        ]),
      );
      Object.assign(paths, pages);
      const tags = new Set(
        Object.values(paths).flatMap((item) => Object.values(item).flatMap((operation) => tagsOf(operation))),
      );
      return {
        ...draft.openapiObject,
        paths,
        components: { ...components, responses: sharedResponses() },
        tags: [...tags].sort().map((name) => ({ name })),
      } as unknown as typeof draft.openapiObject;
    },
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'",
    theme: { title: 'Convene: API reference' },
    uiConfig: {
      layout: 'BaseLayout',
      docExpansion: 'none',
      filter: true,
      persistAuthorization: false,
      tryItOutEnabled: true,
      validatorUrl: null,
    },
  });
  app.get(
    '/docs/openapi.json',
    {
      config: { access: 'anyone', unlimited: true },
      schema: {
        summary: 'This document',
        tags: ['operations'],
        response: {
          200: {
            description: 'OpenAPI 3.1',
            content: {
              'application/json': { schema: z.looseObject({ openapi: z.string(), paths: z.looseObject({}) }) },
            },
          },
        },
      },
    },
    async (_request, reply) => reply.type('application/json; charset=utf-8').send(app.swagger() as never),
  );
};

const tagsOf = (operation: unknown): readonly string[] =>
  typeof operation === 'object' && operation !== null && 'tags' in operation && Array.isArray(operation.tags)
    ? operation.tags.map(String)
    : [];
