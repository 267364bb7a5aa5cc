import type { Pool } from 'pg';

/** A place where a text was found. */
export type Found = { readonly table: string; readonly text: string };

/**
 * Where any of the texts lies in the database: in every column of every table of every schema that is not the server's
 * own, bytes as text. Tells how many rows were looked at, so that a search through nothing is noticed.
 */
export const findInDump = async (
  pool: Pool,
  texts: readonly string[],
): Promise<{ readonly rows: number; readonly found: readonly Found[] }> => {
  const { rows: tables } = await pool.query<{ name: string; bytes: readonly string[] }>(
    `select format('%I.%I', n.nspname, c.relname) as name,
       array(select attname::text from pg_attribute where attrelid = c.oid and atttypid = 'bytea'::regtype) as bytes
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_t%'`,
  );
  const found: Found[] = [];
  let rows = 0;
  for (const { name, bytes } of tables) {
    const escaped = bytes.map((column) => `|| coalesce(encode("${column}", 'escape'), '')`).join(' ');
    const { rows: lines } = await pool.query<{ line: string }>(
      `select row_to_json(t, false)::text ${escaped} as line from ${name} t`,
    );
    rows += lines.length;
    for (const text of texts)
      if (lines.some(({ line }) => line.toLowerCase().includes(text.toLowerCase()))) found.push({ table: name, text });
  }
  return { rows, found };
};
