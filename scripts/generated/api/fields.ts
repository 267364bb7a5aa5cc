import type { JsonSchema } from '../../../src/http/openapi/schemas.ts';
import type { Operation, Parameter } from './document.ts';

/** One field of an operation's input, however deep. */
export type Field = {
  /** With dots; `[]` behind what is a list. */
  readonly path: string;
  readonly where: 'path' | 'query' | 'body';
  readonly required: boolean;
  /** Its type and what bounds it, in words. */
  readonly limits: string;
  readonly description: string;
};

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const schemasAt = (value: unknown): readonly JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : []);
const alternativesOf = ({ anyOf, oneOf }: JsonSchema): readonly JsonSchema[] => [
  ...schemasAt(anyOf),
  ...schemasAt(oneOf),
];

const code = (value: unknown): string => `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** Whole numbers of JavaScript, which bound nothing. */
const bounds = (value: unknown): value is number => typeof value === 'number' && Math.abs(value) < 2 ** 53 - 1;

const span = (from: unknown, to: unknown, unit: string): readonly string[] => {
  const [low, high] = [bounds(from) ? from : undefined, bounds(to) ? to : undefined];
  if (low === undefined && high === undefined) return [];
  const numbers =
    low === undefined
      ? `at most ${high}`
      : high === undefined
        ? `at least ${low}`
        : low === high
          ? `${low}`
          : `${low} to ${high}`;
  return [`${numbers}${unit}`];
};

const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'UUID',
  'date-time': 'instant in UTC',
  date: 'date',
  email: 'e-mail address',
  uri: 'address',
};

const typeOf = ({ type, format }: JsonSchema): string => {
  if (typeof format === 'string') return FORMATS[format] ?? format;
  const named = [type].flat().filter((name) => name !== 'null')[0];
  return named === undefined
    ? 'anything'
    : named === 'array'
      ? 'list'
      : named === 'string'
        ? 'text'
        : named === 'integer'
          ? 'whole number'
          : String(named);
};

/** Type and bounds of a schema in words. */
export const limitsOf = (schema: JsonSchema): string => {
  const alternatives = alternativesOf(schema);
  const more = 'default' in schema ? [`default ${code(schema.default)}`] : [];
  if (alternatives.length > 0) return [[...new Set(alternatives.map(limitsOf))].join(' or '), ...more].join('; ');
  if (schema.type === 'null') return '`null`';
  if ('const' in schema) return [code(schema.const), ...more].join('; ');
  if (Array.isArray(schema.enum)) return [schema.enum.map(code).join(', '), ...more].join('; ');
  const items = isSchema(schema.items) ? [`each ${limitsOf(schema.items)}`] : [];
  return [
    typeOf(schema),
    ...span(schema.minLength, schema.maxLength, ' characters'),
    ...span(schema.minimum, schema.maximum, ''),
    ...span(schema.minItems, schema.maxItems, ' items'),
    ...items,
    ...more,
  ].join('; ');
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const fieldsOf = (schema: JsonSchema, prefix = ''): readonly Field[] => {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const own = Object.entries(isSchema(schema.properties) ? schema.properties : {}).flatMap(
    ([name, property]): readonly Field[] => {
      if (!isSchema(property)) return [];
      const path = `${prefix}${name}`;
      const inner = [property, ...alternativesOf(property)].flatMap((each) => [
        ...fieldsOf(each, `${path}.`),
        ...(isSchema(each.items) ? fieldsOf(each.items, `${path}[].`) : []),
      ]);
      const field = {
        path,
        where: 'body' as const,
        required: required.includes(name),
        limits: limitsOf(property),
        description: textOf(property.description),
      };
      return inner.length > 0 && alternativesOf(property).length === 0
        ? [{ ...field, limits: typeOf(property) }, ...inner]
        : [field, ...inner];
    },
  );
  const others = [...alternativesOf(schema), ...schemasAt(schema.allOf)].flatMap((each) => fieldsOf(each, prefix));
  const seen = new Set<string>();
  return [...own, ...others].filter(({ path }) => !seen.has(path) && seen.add(path));
};

const inputOf = ({ name = '', in: where, required, schema = {}, description }: Parameter): readonly Field[] =>
  where === 'path' || where === 'query'
    ? [
        {
          path: name,
          where,
          required: required === true,
          limits: limitsOf(schema),
          description: description ?? textOf(schema.description),
        },
      ]
    : [];

/** Everything that an operation takes: path, query, body. */
export const inputsOf = ({ parameters, requestBody }: Operation): readonly Field[] => {
  const given = parameters.flatMap(inputOf);
  const names = new Set(given.map(({ path }) => path));
  const body = requestBody?.content?.['application/json']?.schema ?? {};
  // What a DELETE takes in its body it takes in its query as well.
  return [
    ...given.filter(({ where }) => where === 'path'),
    ...given.filter(({ where }) => where === 'query'),
    ...fieldsOf(body).filter(({ path }) => !names.has(path.split('.')[0] ?? '')),
  ];
};
