import { z } from 'zod';

/** A JSON Schema as it stands in the API document. */
export type Schema = { readonly [keyword: string]: unknown };

export type Parameter = {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly schema: Schema;
  readonly example?: unknown;
};

/** What an operation says that it answers: content types with the schema that their JSON meets. */
export type Responses = ReadonlyMap<number, ReadonlyMap<string, z.ZodType | undefined>>;

export type Operation = {
  readonly id: string;
  readonly method: string;
  /** With braces: `/api/v1/sessions/{sessionId}`. */
  readonly path: string;
  /** The command behind it, if one is. */
  readonly command: string | undefined;
  readonly open: boolean;
  readonly parameters: readonly Parameter[];
  readonly body: { readonly schema: Schema; readonly example: unknown } | undefined;
  readonly responses: Responses;
};

const isObject = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const objectOf = (value: unknown): Schema => (isObject(value) ? value : {});

/** The document with the one kind of reference that it uses resolved. */
const resolver =
  (document: Schema) =>
  (value: unknown): Schema => {
    const { $ref } = objectOf(value);
    if (typeof $ref !== 'string') return objectOf(value);
    let target: unknown = document;
    for (const part of $ref.replace('#/', '').split('/')) target = objectOf(target)[part];
    if (!isObject(target)) throw new Error(`The document lacks ${$ref}`);
    return target;
  };

/** The shape that the document gives to every error. */
export const envelopeOf = (document: unknown): z.ZodType =>
  z.fromJSONSchema(resolver(objectOf(document))({ $ref: '#/components/schemas/Error' }) as JsonSchema);

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];

/** Every operation of an API document, with its answers as schemas to check against. */
export const operationsOf = (document: unknown): readonly Operation[] => {
  const root = objectOf(document);
  const resolved = resolver(root);
  const known = new Map<unknown, z.ZodType>();
  const checkOf = (schema: unknown): z.ZodType | undefined => {
    const target = resolved(schema);
    if (Object.keys(target).length === 0) return undefined;
    const made = known.get(target) ?? z.fromJSONSchema(target as JsonSchema);
    known.set(target, made);
    return made;
  };
  const responsesOf = (responses: unknown): Responses =>
    new Map(
      Object.entries(objectOf(responses)).map(([status, response]) => [
        Number(status),
        new Map(
          Object.entries(objectOf(resolved(response).content)).map(([type, media]) => [
            type,
            type === 'application/json' ? checkOf(objectOf(media).schema) : undefined,
          ]),
        ),
      ]),
    );
  return Object.entries(objectOf(root.paths)).flatMap(([path, item]) =>
    Object.entries(objectOf(item)).map(([method, of]) => {
      const operation = objectOf(of);
      const parameters = Array.isArray(operation.parameters) ? operation.parameters.map(resolved) : [];
      const json = objectOf(objectOf(resolved(operation.requestBody).content)['application/json']);
      const { security } = operation;
      return {
        id: String(operation.operationId),
        method: method.toUpperCase(),
        path,
        command: /^Command `(\w+)`/.exec(String(operation.description))?.[1],
        open: Array.isArray(security) && security.length === 0,
        parameters: parameters.map((each) => ({
          name: String(each.name),
          in: each.in as Parameter['in'],
          required: each.required === true,
          schema: objectOf(each.schema),
          ...('example' in each ? { example: each.example } : {}),
        })),
        body: isObject(json.schema) ? { schema: json.schema, example: json.example } : undefined,
        responses: responsesOf(operation.responses),
      };
    }),
  );
};
