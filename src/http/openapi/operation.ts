import type { RouteOptions } from 'fastify';
import { z } from 'zod';
import type { AnyBinding } from '../../commands/binding.ts';
import { refer, type SharedResponse } from './responses.ts';
import { sampleOf } from './sample.ts';
import { type JsonSchema, jsonSchemaOf, propertiesOf, requiredOf, without } from './schemas.ts';

/** An OpenAPI operation. */
export type Operation = { [key: string]: unknown };

const paramsOf = (url: string): readonly string[] => [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => name);

const parameter = (name: string) => ({ $ref: `#/components/parameters/${name}` });

const PREFIX = '/api/v1';

/** Paths at the root carry it in their name, because some stand below the prefix too. */
const operationIdOf = (method: string, url: string): string =>
  [
    method.toLowerCase(),
    ...(url.startsWith(PREFIX) ? url.slice(PREFIX.length) : `/root${url}`).split(/[^A-Za-z0-9]+/).filter(Boolean),
  ]
    .map((part, index) => (index === 0 ? part : part.charAt(0).toUpperCase() + part.slice(1)))
    .join('');

const tagOf = (url: string): string => {
  const [first = 'service'] = url
    .replace(/^\/api\/v1/, '')
    .split('/')
    .filter(Boolean);
  return first;
};

/** A schema with an example that it accepts, if one can be made up. */
const withExample = (schema: z.ZodType): object => {
  const { examples, ...json } = jsonSchemaOf(schema, 'output');
  const example = Array.isArray(examples) && examples.length > 0 ? examples[0] : sampleOf(json);
  return { schema: json, ...(schema.safeParse(example).success ? { example } : {}) };
};

/** A success answer as JSON. */
const success = (schema: z.ZodType, description: string, more: object = {}): object => ({
  description,
  ...more,
  content: { 'application/json': withExample(schema) },
});

const securityOf = ({ access, apiKey }: NonNullable<RouteOptions['config']>): object[] => {
  if (access === 'anyone') return [];
  return [{ accessToken: [] }, ...(apiKey ? [{ apiKey: [] }] : [])];
};

const rightOf = ({ access, unverified }: NonNullable<RouteOptions['config']>): string => {
  if (access === 'anyone') return 'Open to everyone.';
  const who = access === undefined || access === 'loggedIn' ? 'Needs a login' : `Needs the permission \`${access}\``;
  return `${who}${unverified ? ', also without a verified address' : ''}.`;
};

const REFUSALS = { 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 409: 'Conflict' } as const;

const guardsOf = ({
  access,
  unlimited,
  refuses = [],
  reads = [],
  runsCommand,
}: NonNullable<RouteOptions['config']>): SharedResponse[] => [
  ...(access === 'anyone' ? [] : (['Unauthorized', 'Forbidden'] as const)),
  ...refuses.map((status) => REFUSALS[status]),
  // A Consistency-Token that is none.
  ...(reads.length > 0 ? (['BadRequest'] as const) : []),
  ...(runsCommand ? (['BadRequest', 'Conflict', 'PreconditionFailed', 'Invalid'] as const) : []),
  ...(unlimited ? [] : (['TooManyRequests'] as const)),
  'InternalError',
  'Unavailable',
];

const pathParameters = (names: readonly string[], known: Readonly<Record<string, JsonSchema>>) =>
  names.map((name) => {
    const { examples: _examples, ...schema } = known[name] ?? { type: 'string', maxLength: 100 };
    return { name, in: 'path', required: true, schema, example: sampleOf(known[name] ?? { type: 'string' }) };
  });

const VERSIONED = {
  headers: {
    ETag: { description: 'The version of the object', schema: { type: 'string' } },
    'Consistency-Token': {
      description: 'Sent along with a query, the query shows what this command did',
      schema: { type: 'string' },
    },
    'Idempotency-Replayed': {
      description: '`true` when this is the first answer to the same Idempotency-Key again',
      schema: { type: 'string', enum: ['true'] },
    },
  },
};

/** The operation of a route that a binding stands behind. `twin` numbers further spellings of the same command. */
export const commandOperation = (
  method: string,
  url: string,
  config: NonNullable<RouteOptions['config']>,
  binding: AnyBinding,
): Operation => {
  const { command, answer, status = 200, message, summary, example } = binding;
  const plain = url.endsWith(`/commands/${command.name}`);
  const input = jsonSchemaOf(command.input, 'input');
  const names = paramsOf(url);
  const known = propertiesOf(input);
  const body = without(input, names);
  const asQuery = method === 'DELETE';
  const given = typeof example === 'object' && example !== null ? { ...example } : {};
  const sampled = plain
    ? { ...Object.fromEntries(requiredOf(input).map((name) => [name, sampleOf(known[name] ?? {})])), ...given }
    : Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name)));
  const hasBody = Object.keys(propertiesOf(body)).length > 0;
  const required = requiredOf(body);
  return {
    operationId: plain ? `command${command.name}` : operationIdOf(method, url),
    summary,
    description: `Command \`${command.name}\`. ${rightOf(config)}`,
    tags: [plain ? 'commands' : tagOf(url)],
    security: securityOf(config),
    parameters: [
      ...pathParameters(names, known),
      ...(asQuery
        ? Object.entries(propertiesOf(body)).map(([name, schema]) => ({ name, in: 'query', required: false, schema }))
        : []),
      parameter('IdempotencyKey'),
      parameter('IfMatch'),
      parameter('CorrelationId'),
    ],
    ...(hasBody
      ? {
          requestBody: {
            required: required.length > 0 && !asQuery,
            content: {
              'application/json': {
                schema: asQuery ? withoutRequired(body) : body,
                example: sampled,
              },
            },
          },
        }
      : {}),
    responses: {
      [String(status)]: success(
        z.object({
          success: z.literal(true),
          ...(message === undefined ? {} : { message: z.literal(message) }),
          data: answer?.schema ?? z.null(),
        }),
        'Done, or already so',
        VERSIONED,
      ),
      ...refer(
        'BadRequest',
        'NotFound',
        'Conflict',
        'PreconditionFailed',
        'PayloadTooLarge',
        'UnsupportedMediaType',
        'Invalid',
      ),
      ...(config.access === 'anyone' ? refer('Locked', 'Unauthorized', 'Forbidden') : {}),
      ...refer(...guardsOf(config)),
    },
  };
};

const withoutRequired = ({ required: _required, ...schema }: JsonSchema): JsonSchema => schema;

const isZod = (value: unknown): value is z.ZodType => value instanceof z.ZodType;

type Documented = {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly operationId?: string;
  readonly params?: unknown;
  readonly querystring?: unknown;
  readonly body?: unknown;
  readonly response?: Readonly<Record<string, unknown>>;
};

type Media = {
  readonly description?: string;
  readonly content: Readonly<Record<string, { readonly schema: unknown }>>;
};
const isMedia = (value: unknown): value is Media => typeof value === 'object' && value !== null && 'content' in value;

/** An answer without a body, such as a redirect. */
const isDescribed = (value: unknown): value is { readonly description: string } =>
  typeof value === 'object' && value !== null && 'description' in value && typeof value.description === 'string';

const responseOf = (of: unknown): object => {
  if (isZod(of)) return success(of, of.description ?? 'The answer');
  if (!isMedia(of)) return isDescribed(of) ? { description: of.description } : { description: 'The answer' };
  return {
    description: of.description ?? 'The answer',
    content: Object.fromEntries(
      Object.entries(of.content).map(([type, { schema }]) => [
        type,
        !isZod(schema)
          ? { schema: { type: 'string' } }
          : type === 'application/json'
            ? withExample(schema)
            : { schema: jsonSchemaOf(schema, 'output') },
      ]),
    ),
  };
};

/** The operation of any other route, from its zod schemas. */
export const routeOperation = (
  method: string,
  url: string,
  config: NonNullable<RouteOptions['config']>,
  schema: Documented,
): Operation => {
  const paramSchema = isZod(schema.params) ? jsonSchemaOf(schema.params, 'input') : {};
  const query = isZod(schema.querystring) ? jsonSchemaOf(schema.querystring, 'input') : {};
  const body = isZod(schema.body) ? jsonSchemaOf(schema.body, 'input') : undefined;
  const names = paramsOf(url);
  const { examples, ...bodySchema } = body ?? {};
  const example = Array.isArray(examples) && examples.length > 0 ? examples[0] : sampleOf(bodySchema);
  return {
    operationId: schema.operationId ?? operationIdOf(method, url),
    summary: schema.summary ?? `${method} ${url}`,
    description: [schema.description, rightOf(config)].filter(Boolean).join(' '),
    tags: schema.tags ?? [tagOf(url)],
    security: securityOf(config),
    parameters: [
      ...pathParameters(names, propertiesOf(paramSchema)),
      ...Object.entries(propertiesOf(query)).map(([name, { description, ...of }]) => ({
        name,
        in: 'query',
        required: requiredOf(query).includes(name),
        ...(description === undefined ? {} : { description }),
        schema: of,
      })),
      ...(config.reads !== undefined ? [parameter('ConsistencyToken')] : []),
      ...(config.runsCommand ? [parameter('IdempotencyKey'), parameter('IfMatch')] : []),
      ...(schema.response?.[304] === undefined ? [] : [parameter('IfNoneMatch')]),
      parameter('CorrelationId'),
    ],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: bodySchema, example },
              ...Object.fromEntries(
                Object.entries(config.alsoAccepts ?? {}).map(([type, description]) => [
                  type,
                  { schema: { type: 'string', description } },
                ]),
              ),
            },
          },
        }),
    responses: {
      ...(names.length > 0 ? refer('NotFound') : {}),
      ...(names.length > 0 || isZod(schema.querystring) || body !== undefined ? refer('Invalid') : {}),
      ...(method === 'GET' ? {} : refer('BadRequest', 'Conflict', 'PayloadTooLarge', 'UnsupportedMediaType')),
      ...(config.access === 'anyone' ? refer('Locked', 'Unauthorized', 'Forbidden') : {}),
      ...refer(...guardsOf(config)),
      ...Object.fromEntries(Object.entries(schema.response ?? {}).map(([status, of]) => [status, responseOf(of)])),
    },
  };
};
