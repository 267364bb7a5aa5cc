import type pg from 'pg';
import { type Effects, FIRST_PARAMETER } from '../eventstore/consumer/checkpoint.ts';
import { textArray } from '../eventstore/postgres/binaryArray.ts';
import { rowTypes } from '../postgres/pool.ts';
import type { AnyProjection } from './projection.ts';

export type Row = Readonly<Record<string, unknown>>;
export type Rows = ReadonlyMap<string, Row>;

/** What a batch does to a table. Telling new rows from known ones spares Postgres the search of an upsert. */
export type Changes = {
  readonly inserted: readonly Row[];
  readonly updated: readonly Row[];
  /** Keys. */
  readonly deleted: readonly string[];
};

type Queryable = Pick<pg.ClientBase | pg.Pool, 'query'>;

/** The schema of all read models. */
export const SCHEMA = 'read';

/** What every effect of a checkpoint depends on. */
const MOVED = 'exists (select from moved)';

/** As Postgres reads a value of this SQL type from text. */
const textOf = (value: unknown, sql: string): string | null => {
  if (value === undefined || value === null) return null;
  return sql === 'jsonb' ? JSON.stringify(value) : String(value);
};

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A table that holds, or is to hold, the rows of a projection. */
export type Table = {
  readonly name: string;
  /** Creates it anew, whatever was there, without indexes but the one that erasures need. */
  readonly create: (db: Queryable) => Promise<void>;
  readonly createIndexes: (db: Queryable) => Promise<void>;
  readonly drop: (db: Queryable, how?: 'cascade') => Promise<void>;
  readonly rename: (db: Queryable, to: string) => Promise<void>;
  readonly load: (db: Queryable, keys: readonly string[]) => Promise<Rows>;
  /** The rows that have one of the values in a column. */
  readonly loadWhere: (db: Queryable, column: string, values: readonly string[]) => Promise<Rows>;
  /** The changes as effects of a checkpoint; nothing when there are none. */
  readonly effects: (changes: Changes) => Effects | undefined;
  /** Makes the changes without a checkpoint. */
  readonly write: (db: Queryable, changes: Changes) => Promise<void>;
};

/** Name of the table that is filled beside the live one. */
export const buildTableName = ({ name, version }: AnyProjection): string => `${name}_v${version}`;

/** The table of a projection under a name: its own by default. */
export const tableOf = (projection: AnyProjection, name: string = projection.name): Table => {
  const { columns, key, erasure, indexes = [] } = projection;
  // Of the primary key there is an index anyway.
  const needed =
    erasure === undefined || erasure.column === key.column
      ? undefined
      : (indexes.find(([first]) => first === erasure.column) ?? [erasure.column]);
  const names = Object.keys(columns);
  const table = `${SCHEMA}.${quoted(name)}`;
  const keyColumn = quoted(key.column);
  const keyType = columns[key.column]?.sql ?? 'text';
  const list = names.map(quoted).join(', ');
  const typed = Object.entries(columns).map(([column, { sql }]) => `n.${quoted(column)}::${sql}`);
  const assignments = names
    .map((column, at) => `${quoted(column)} = ${typed[at]}`)
    .filter((_, at) => names[at] !== key.column);

  const effectsFrom = (first: number, { inserted, updated, deleted }: Changes): Effects | undefined => {
    const values: unknown[] = [];
    const next = (): string => `$${first + values.length}`;
    /** A column an array: Postgres takes rows apart that way in half the time that JSON takes. */
    const unnest = (rows: readonly Row[]): string => {
      const arrays = Object.entries(columns).map(([column, { sql }]) => {
        const parameter = `${next()}::text[]`;
        values.push(textArray(rows.map((row) => textOf(row[column], sql))));
        return parameter;
      });
      return `unnest(${arrays.join(', ')}) n(${list})`;
    };
    const ctes: string[] = [];
    if (deleted.length > 0) {
      ctes.push(`deleted as (delete from ${table} where ${keyColumn} = any(${next()}::${keyType}[]) and ${MOVED})`);
      values.push(deleted);
    }
    if (updated.length > 0 && assignments.length > 0)
      ctes.push(`updated as (update ${table} t set ${assignments.join(', ')} from ${unnest(updated)}
        where t.${keyColumn} = n.${keyColumn}::${keyType} and ${MOVED})`);
    if (inserted.length > 0)
      ctes.push(`inserted as (insert into ${table} (${list}) select ${typed.join(', ')} from ${unnest(inserted)}
        where ${MOVED})`);
    return ctes.length === 0 ? undefined : { ctes: ctes.join(', '), values };
  };

  // Bigint columns may key rows; everywhere else a key is its own text.
  const select = (column: string): string =>
    `select ${keyColumn}::text as "$key", * from ${table} where ${quoted(column)} = any($1::${columns[column]?.sql ?? 'text'}[])`;
  const load = async (db: Queryable, column: string, values: readonly string[]): Promise<Rows> => {
    const { rows } = await db.query<Row & { $key: string }>({
      text: select(column),
      values: [values],
      types: rowTypes,
    });
    return new Map(rows.map(({ $key, ...row }) => [$key, row]));
  };
  const createIndex = async (db: Queryable, elements: readonly string[]): Promise<void> => {
    await db.query(`create index on ${table} (${elements.join(', ')})`);
  };

  return {
    name,
    create: async (db) => {
      const definitions = Object.entries(columns).map(
        ([column, { sql, nullable }]) => `${quoted(column)} ${sql}${nullable ? '' : ' not null'}`,
      );
      await db.query(`drop table if exists ${table} cascade`);
      await db.query(
        `create table ${table} (${definitions.join(', ')}, primary key (${keyColumn})) with (fillfactor = 80)`,
      );
      if (needed !== undefined) await createIndex(db, needed);
    },
    createIndexes: async (db) => {
      for (const elements of indexes) if (elements !== needed) await createIndex(db, elements);
    },
    drop: async (db, how) => {
      await db.query(`drop table if exists ${table}${how === undefined ? '' : ` ${how}`}`);
    },
    rename: async (db, to) => {
      await db.query(`alter table ${table} rename to ${quoted(to)}`);
    },
    load: (db, keys) => load(db, key.column, keys),
    loadWhere: load,
    effects: (changes) => effectsFrom(FIRST_PARAMETER, changes),
    write: async (db, changes) => {
      const effects = effectsFrom(1, changes);
      if (effects !== undefined) await db.query(`with moved as (select), ${effects.ctes} select`, [...effects.values]);
    },
  };
};
