import type { JsonSchema } from './schemas.ts';

const FORMATS: Readonly<Record<string, string>> = {
  uuid: '018f4e5a-7c1d-7b2e-9a3f-5d6c7b8a9e01',
  'date-time': '2026-03-02T09:00:00.000Z',
  date: '2026-03-02',
  time: '09:00:00',
  email: 'someone@example.org',
  uri: 'https://example.org/meeting',
  duration: 'PT30M',
};

const isObject = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const first = (list: unknown): JsonSchema | undefined =>
  Array.isArray(list) ? list.find((item) => isObject(item) && item.type !== 'null') : undefined;
const numberOr = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

const text = ({ minLength, maxLength, format }: JsonSchema): string => {
  const known = typeof format === 'string' ? FORMATS[format] : undefined;
  if (known !== undefined) return known;
  return 'text'.padEnd(numberOr(minLength, 0), 'x').slice(0, numberOr(maxLength, 100));
};

/** A value that a schema describes, for the API document: the author's own example where there is one. Patterns are not met. */
export const sampleOf = (schema: JsonSchema): unknown => {
  if (Array.isArray(schema.examples) && schema.examples.length > 0) return schema.examples[0];
  if ('example' in schema) return schema.example;
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  if ('default' in schema) return schema.default;
  const variant = first(schema.anyOf) ?? first(schema.oneOf);
  if (variant !== undefined) return sampleOf(variant);
  if (Array.isArray(schema.allOf)) return Object.assign({}, ...schema.allOf.filter(isObject).map(sampleOf));
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(isObject(schema.properties) ? schema.properties : {}).map(([name, property]) => [
          name,
          isObject(property) ? sampleOf(property) : null,
        ]),
      );
    case 'array':
      return isObject(schema.items) ? [sampleOf(schema.items)] : [];
    case 'integer':
    case 'number':
      return Math.max(numberOr(schema.minimum, 1), Math.min(1, numberOr(schema.maximum, 1)));
    case 'boolean':
      return true;
    case 'string':
      return text(schema);
    default:
      return null;
  }
};
