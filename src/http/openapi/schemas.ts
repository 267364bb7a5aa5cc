import { z } from 'zod';

/** A JSON Schema of the 2020-12 draft, as OpenAPI 3.1 uses it. */
export type JsonSchema = { [keyword: string]: unknown };

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The JSON Schema of a zod schema: what comes in, or what goes out. Types that JSON lacks become `{}`. */
export const jsonSchemaOf = (schema: z.ZodType, io: 'input' | 'output'): JsonSchema => {
  const { $schema: _draft, ...json } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      if (zodSchema._zod.def.type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
      // Marks of ours that mean nothing to a client, and schemas that describe the value before it was read from text.
      const own = jsonSchema as JsonSchema;
      const { parameter } = own;
      for (const mark of ['pii', 'secret', 'parameter', 'id']) delete own[mark];
      if (!isObject(parameter)) return;
      for (const keyword of Object.keys(own)) if (keyword !== 'description') delete own[keyword];
      Object.assign(own, parameter);
    },
  }) as JsonSchema;
  return withoutIdentity(json) as JsonSchema;
};

/** Schemas stand where they are used; names that zod gives them would clash. */
const withoutIdentity = (value: unknown, inProperties = false): unknown => {
  if (Array.isArray(value)) return value.map((item) => withoutIdentity(item));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => inProperties || (key !== '$id' && key !== '$schema'))
      .map(([key, item]) => [
        key,
        key === 'examples' || key === 'example' || key === 'default' || key === 'const' || key === 'enum'
          ? item
          : withoutIdentity(item, !inProperties && key === 'properties'),
      ]),
  );
};

/** The properties of an object schema, those of its alternatives included. */
export const propertiesOf = (schema: JsonSchema): Readonly<Record<string, JsonSchema>> => {
  const parts = ['allOf', 'anyOf', 'oneOf'].flatMap((keyword) => {
    const list = schema[keyword];
    return Array.isArray(list) ? list.filter(isObject).map(propertiesOf) : [];
  });
  const own = isObject(schema.properties) ? schema.properties : {};
  return Object.assign({}, ...parts, own) as Record<string, JsonSchema>;
};

/** The schema without some of its properties, in its alternatives too. */
export const without = (schema: JsonSchema, names: readonly string[]): JsonSchema => {
  if (names.length === 0) return schema;
  const result: JsonSchema = { ...schema };
  if (isObject(schema.properties))
    result.properties = Object.fromEntries(Object.entries(schema.properties).filter(([name]) => !names.includes(name)));
  if (Array.isArray(schema.required)) {
    const required = schema.required.filter((name) => !names.includes(String(name)));
    if (required.length > 0) result.required = required;
    else delete result.required;
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
    const list = schema[keyword];
    if (Array.isArray(list)) result[keyword] = list.map((item) => (isObject(item) ? without(item, names) : item));
  }
  return result;
};

/** Names of properties that must be there. */
export const requiredOf = (schema: JsonSchema): readonly string[] =>
  Array.isArray(schema.required) ? schema.required.map(String) : [];
