import { z } from 'zod';

/** The part of JSON Schema that zod writes and the catalogue prints. */
export type Shape = {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly pii?: unknown;
  readonly secret?: unknown;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly items?: Shape;
  readonly additionalProperties?: Shape | boolean;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
};

/** The JSON schema of a zod schema, its marks (`pii`, `secret`) and descriptions included. */
export const shapeOf = (schema: z.ZodType): Shape => {
  const { $schema: _, ...shape } = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' });
  return shape as Shape;
};

/** A type in words: `uuid`, `integer`, `list of object`, `"left" or "removed"`. */
export const typeOf = (shape: Shape): string => {
  const branches = shape.anyOf ?? shape.oneOf;
  if (branches !== undefined) return [...new Set(branches.map(typeOf))].join(' or ');
  if (shape.const !== undefined) return JSON.stringify(shape.const);
  if (shape.enum !== undefined) return shape.enum.map((value) => JSON.stringify(value)).join(' or ');
  if (shape.type === 'array') return `list of ${shape.items === undefined ? 'anything' : typeOf(shape.items)}`;
  if (shape.type === 'object' && typeof shape.additionalProperties === 'object')
    return `map of ${typeOf(shape.additionalProperties)}`;
  return shape.format ?? [shape.type ?? 'anything'].flat().join(' or ');
};

/** One line of the catalogue: a field, however deep, by its path. */
export type Field = {
  readonly path: string;
  readonly type: string;
  readonly optional: boolean;
  readonly marks: readonly string[];
  readonly description: string;
};

const isObject = (shape: Shape): boolean => shape.properties !== undefined;

/** The shapes that a field may have, wherever null, lists and maps are looked through. */
const within = (shape: Shape, suffix = ''): readonly { readonly shape: Shape; readonly suffix: string }[] => {
  const branches = shape.anyOf ?? shape.oneOf;
  if (branches !== undefined) return branches.flatMap((branch) => within(branch, suffix));
  if (shape.type === 'array' && shape.items !== undefined) return within(shape.items, `${suffix}[]`);
  if (typeof shape.additionalProperties === 'object') return within(shape.additionalProperties, `${suffix}{}`);
  return [{ shape, suffix }];
};

const marksOf = (shape: Shape): readonly string[] => [
  ...(typeof shape.pii === 'string' ? [`personal: ${shape.pii}`] : []),
  ...(shape.secret === true ? ['secret'] : []),
];

/** All fields of an object's shape in the order of the schema, the fields of nested objects behind their parent. */
export const fieldsOf = (shape: Shape, prefix = ''): readonly Field[] =>
  within(shape).flatMap(({ shape: { properties = {}, required = [] } }) =>
    Object.entries(properties).flatMap(([name, child]) => {
      const inner = within(child);
      const path = `${prefix}${name}`;
      return [
        {
          path,
          type: typeOf(child),
          optional: !required.includes(name),
          marks: [...new Set([...marksOf(child), ...inner.flatMap(({ shape }) => marksOf(shape))])],
          description: child.description ?? '',
        },
        ...inner
          .filter(({ shape }) => isObject(shape))
          .flatMap(({ shape, suffix }) => fieldsOf(shape, `${path}${suffix}.`)),
      ];
    }),
  );
