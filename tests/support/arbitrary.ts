import fc from 'fast-check';
import type { z } from 'zod';

/** What the arbitraries read of a zod schema. */
type Definition = {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly element?: z.ZodType;
  readonly innerType?: z.ZodType;
  readonly keyType?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
  readonly items?: readonly z.ZodType[];
  readonly in?: z.ZodType;
};
type Bounds = { readonly minimum?: number | null; readonly maximum?: number | null; readonly format?: string | null };

/** Text as people write it and as nobody does: no halves of surrogate pairs and no U+0000, which inputs refuse. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', '')),
  fc.constantFrom(
    '',
    ' ',
    '"',
    '\\',
    '{"$pii":["x","y"]}',
    '$pii',
    'deleted',
    '__proto__',
    '\u2028',
    '\ufeff',
    '👩‍👩‍👧',
    'é',
    'e\u0301',
  ),
);

const strings: Readonly<Record<string, fc.Arbitrary<string>>> = {
  uuid: fc.uuid(),
  email: fc.emailAddress(),
  datetime: fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((at) => at.toISOString()),
  date: fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((at) => at.toISOString().slice(0, 10)),
};

/** How often an optional field is there, and how an arbitrary for a marked field is made. */
export type Choices = {
  /** Takes the place of the arbitrary of a field with marks, when it answers with one. */
  readonly marked?: (marks: Readonly<Record<string, unknown>>, schema: z.ZodType) => fc.Arbitrary<unknown> | undefined;
};

const namesBut = (names: fc.Arbitrary<unknown>, other: string): fc.Arbitrary<string> =>
  (names as fc.Arbitrary<string>).filter((name) => name !== other);

const wholeNumbers = ({ minimum, maximum }: Bounds): fc.Arbitrary<number> => {
  const [min, max] = [
    Math.max(minimum ?? Number.MIN_SAFE_INTEGER, Number.MIN_SAFE_INTEGER),
    Math.min(maximum ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  ];
  return fc.oneof(fc.integer({ min: Math.max(min, -1000), max: Math.min(max, 1000) }), fc.constantFrom(min, max));
};

/** Values of a schema of stored data. Throws on a kind of schema that it does not know, so that none is passed over. */
export const arbitraryOf = (schema: z.ZodType, choices: Choices = {}): fc.Arbitrary<unknown> => {
  const marks = schema.meta() ?? {};
  const special = choices.marked?.(marks, schema);
  if (special !== undefined) return special;
  const { type, ...definition } = schema.def as unknown as Definition;
  const bounds = schema as unknown as {
    readonly minValue?: number;
    readonly maxValue?: number;
    readonly format?: string;
  };
  const of = (inner: z.ZodType | undefined): fc.Arbitrary<unknown> => {
    if (inner === undefined) throw new Error(`A schema of type ${type} lacks a part`);
    return arbitraryOf(inner, choices);
  };
  switch (type) {
    case 'string': {
      const { format } = bounds;
      const made = format == null ? text : strings[format];
      if (made === undefined) throw new Error(`No arbitrary for text of format ${format}`);
      return made;
    }
    case 'number':
      return bounds.format === 'safeint'
        ? wholeNumbers({ minimum: bounds.minValue ?? null, maximum: bounds.maxValue ?? null })
        : fc.oneof(
            fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0 || 0),
            fc.constantFrom(0, 0.1, -0.5, Number.MAX_VALUE, Number.MIN_VALUE, Number.EPSILON),
          );
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'enum':
      return fc.constantFrom(...Object.values(definition.entries ?? {}));
    case 'literal':
      return fc.constantFrom(...(definition.values ?? []));
    case 'array':
      return fc.array(of(definition.element), { maxLength: 4 });
    case 'nullable':
      return fc.option(of(definition.innerType));
    case 'optional':
      return of(definition.innerType);
    case 'record':
      // zod leaves out what is called so, in whatever it reads.
      return fc.dictionary(namesBut(of(definition.keyType), '__proto__'), of(definition.valueType), {
        maxKeys: 3,
        noNullPrototype: true,
      });
    case 'union':
      return fc.oneof(...(definition.options ?? []).map((option) => of(option)));
    case 'object': {
      const fields = Object.entries(definition.shape ?? {});
      return fc.record(Object.fromEntries(fields.map(([name, field]) => [name, of(field)])), {
        requiredKeys: fields.filter(([, field]) => (field.def as Definition).type !== 'optional').map(([name]) => name),
        noNullPrototype: true,
      });
    }
    default:
      throw new Error(`No arbitrary for a schema of type ${type}`);
  }
};
