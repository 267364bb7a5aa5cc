import { z } from 'zod';
import { Problem } from './problem.ts';

/** The success envelope. */
export type Ok<Data> = { readonly success: true; readonly data: Data };
export const ok = <Data>(data: Data): Ok<Data> => ({ success: true, data });

/** The value, or a 404 that names what was looked for (`found(row, 'appointment')`: "No such appointment"). */
export const found = <Value>(value: Value | undefined | null, what: string): Value => {
  if (value === undefined || value === null) throw new Problem('NOT_FOUND', `No such ${what}`, { reason: 'not-found' });
  return value;
};

/** The schema of a success envelope around `data`; `example` is an example of the data for the API document. */
export const answer = <Data extends z.ZodType>(data: Data, example?: z.output<Data>) => {
  const schema = z.object({ success: z.literal(true), data });
  return example === undefined ? schema : schema.meta({ examples: [{ success: true, data: example }] });
};

const number = (min: number, max: number, otherwise: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'Must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .default(otherwise)
    .meta({ parameter: { type: 'integer', minimum: min, maximum: max, default: otherwise } });

/** Query parameters of a list: `page` from 1, `limit` 1 to `max`. Spread it into the schema: `z.object({ ...page(), status })`. */
export const page = ({ limit = 10, max = 50 }: { readonly limit?: number; readonly max?: number } = {}) => ({
  page: number(1, 1_000_000, 1),
  limit: number(1, max, limit),
});

/** Query parameters `sort` and `order`; the first column is the default. */
export const sorted = <const Columns extends readonly [string, ...string[]]>(
  columns: Columns,
  order: 'asc' | 'desc' = 'asc',
) => ({
  sort: z.enum(columns).default(columns[0] as never),
  order: z.enum(['asc', 'desc']).default(order),
});

/** Where a list starts and how long it is. */
export type Paging = { readonly page: number; readonly limit: number };
export const offsetOf = ({ page, limit }: Paging): number => (page - 1) * limit;

export const Pagination = z.object({
  page: z.int(),
  limit: z.int(),
  total: z.int(),
  pages: z.int(),
  hasNext: z.boolean(),
  hasPrev: z.boolean(),
});

const paginationOf = ({ page, limit }: Paging, total: number): z.output<typeof Pagination> => {
  const pages = Math.ceil(total / limit);
  return { page, limit, total, pages, hasNext: page < pages, hasPrev: page > 1 };
};

/** The schema of one page of a list. `name` is the list's name in `data` (`items`, `appointments`). */
export const listAnswer = <const Name extends string, Item extends z.ZodType>(
  name: Name,
  item: Item,
  example?: z.output<Item>,
) => {
  const schema = z.object({
    success: z.literal(true),
    data: z.object({ [name]: z.array(item), pagination: Pagination } as Record<Name, z.ZodArray<Item>> & {
      pagination: typeof Pagination;
    }),
  });
  if (example === undefined) return schema;
  const pagination = paginationOf({ page: 1, limit: 10 }, 1);
  return schema.meta({ examples: [{ success: true, data: { [name]: [example], pagination } }] });
};

/** One page of a list. `total` counts the whole list; a page behind its end is empty. */
export const paginated = <const Name extends string, Item>(
  name: Name,
  items: Item[],
  total: number | string | bigint,
  paging: Paging,
) =>
  ok({ [name]: items, pagination: paginationOf(paging, Number(total)) } as Record<Name, Item[]> & {
    pagination: z.output<typeof Pagination>;
  });

/** Headers of an answer that is saved as a file. `name` is made of letters, digits, dots and hyphens. */
export const asFile = (name: string, type: string) => ({
  'content-type': type,
  'content-disposition': `attachment; filename="${name}"`,
});
