import type { z } from 'zod';

type Holder = Record<string, unknown>;

/** A personal field of one event: where it stands, and whose it is. */
export type PersonalField = {
  readonly holder: Holder;
  readonly name: string;
  readonly subject: string;
  /** Its path with dots. */
  readonly place: string;
  /** Leaves the service in no answer, not to its own person either. */
  readonly secret: boolean;
};

/** `*` stands for every element of an array or value of a record. */
type Path = { readonly segments: readonly string[]; readonly subject: string; readonly secret: boolean };

type Definition = {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
};

const pathsOf = (schema: z.ZodType, segments: readonly string[]): readonly Path[] => {
  const { pii: subject, secret } = schema.meta() ?? {};
  if (typeof subject === 'string') return [{ segments, subject, secret: secret === true }];
  const { shape, innerType, element, valueType, options } = schema.def as unknown as Definition;
  return [
    ...Object.entries(shape ?? {}).flatMap(([name, child]) => pathsOf(child, [...segments, name])),
    ...(innerType === undefined ? [] : pathsOf(innerType, segments)),
    ...(element === undefined ? [] : pathsOf(element, [...segments, '*'])),
    ...(valueType === undefined ? [] : pathsOf(valueType, [...segments, '*'])),
    ...(options ?? []).flatMap((option) => pathsOf(option, segments)),
  ];
};

const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;

/**
 * Finds the personal fields of events of one schema: those marked by `pii`. The marked subject is a field of the event
 * itself; where it is missing there, the field stays unsealed only if it has no value.
 */
export const personalPaths = (schema: z.ZodType): { readonly find: (data: unknown) => readonly PersonalField[] } => {
  const paths = pathsOf(schema, []);
  if (paths.length === 0) return { find: () => [] };

  const collect = (
    node: unknown,
    path: Path,
    depth: number,
    place: string,
    who: string,
    into: PersonalField[],
  ): void => {
    if (!isHolder(node)) return;
    const { segments, secret } = path;
    const segment = segments[depth] as string;
    const last = depth === segments.length - 1;
    for (const name of segment === '*' ? Object.keys(node) : [segment]) {
      if (node[name] === undefined || node[name] === null) continue;
      const here = place === '' ? name : `${place}.${name}`;
      if (last) into.push({ holder: node, name, subject: who, place: here, secret });
      else collect(node[name], path, depth + 1, here, who, into);
    }
  };

  return {
    find: (data) => {
      if (!isHolder(data)) return [];
      const fields: PersonalField[] = [];
      for (const path of paths) {
        const who = data[path.subject];
        const before = fields.length;
        collect(data, path, 0, '', typeof who === 'string' ? who : '', fields);
        if (typeof who !== 'string' && fields.length > before)
          throw new Error(
            `A personal field belongs to the person in field ${path.subject}, which the event does not name`,
          );
      }
      return fields;
    },
  };
};
