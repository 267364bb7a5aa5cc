import { z } from 'zod';

/**
 * Where a schema says that a value is personal or secret: the shape of the schema reduced to what carries a mark.
 * Undefined: nothing below is marked.
 */
export type Marks =
  | {
      readonly pii?: true;
      readonly secret?: true;
      readonly properties?: Readonly<Record<string, Marks>>;
      /** Of every element of an array. */
      readonly items?: Marks;
      /** Of every value of a record. */
      readonly values?: Marks;
    }
  | undefined;

/** The part of JSON Schema that zod's own output uses for shapes; `pii` and `secret` come from the schema's meta data. */
type Node = {
  readonly pii?: unknown;
  readonly secret?: unknown;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node | false;
  readonly prefixItems?: readonly Node[];
  readonly additionalProperties?: Node | boolean;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly allOf?: readonly Node[];
};

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** Both sets of marks at once: what either branch of a union marks counts as marked in both, so that no branch leaks. */
const merged = (a: Marks, b: Marks): Marks => {
  if (a === undefined || b === undefined) return a ?? b;
  const items = merged(a.items, b.items);
  const values = merged(a.values, b.values);
  const names = new Set([...Object.keys(a.properties ?? {}), ...Object.keys(b.properties ?? {})]);
  const properties: Record<string, Marks> = {};
  for (const name of names) properties[name] = merged(a.properties?.[name], b.properties?.[name]);
  return {
    ...(a.pii || b.pii ? { pii: true as const } : {}),
    ...(a.secret || b.secret ? { secret: true as const } : {}),
    ...(names.size > 0 ? { properties } : {}),
    ...(items === undefined ? {} : { items }),
    ...(values === undefined ? {} : { values }),
  };
};

const marksOfNode = (node: Node): Marks => {
  const properties: Record<string, Marks> = {};
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const marks = marksOfNode(child);
    if (marks !== undefined) properties[name] = marks;
  }
  const elements = [...(isNode(node.items) ? [node.items] : []), ...(node.prefixItems ?? [])];
  const items = elements.map(marksOfNode).reduce(merged, undefined);
  const values = isNode(node.additionalProperties) ? marksOfNode(node.additionalProperties) : undefined;
  const own: Marks = {
    ...(node.pii === undefined ? {} : { pii: true as const }),
    ...(node.secret === undefined ? {} : { secret: true as const }),
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(items === undefined ? {} : { items }),
    ...(values === undefined ? {} : { values }),
  };
  const branches = [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
  return branches.map(marksOfNode).reduce(merged, Object.keys(own).length > 0 ? own : undefined);
};

/** The marks that `pii` and `secret` left on a schema. */
export const marksOf = (schema: z.ZodType): Marks =>
  marksOfNode(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Node);
