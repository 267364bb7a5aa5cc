import type { EventType } from '../domain/catalogue.ts';
import type { Recorded } from '../eventstore/event.ts';

/** A column: its SQL type, and as a phantom the type of its values in rows. */
export type Column<T> = { readonly sql: string; readonly nullable: boolean; readonly value?: T };
const column = <T>(sql: string): Column<T> => ({ sql, nullable: false });

export const uuid = column<string>('uuid');
export const text = column<string>('text');
/** Text out of a closed list. */
export const word = <T extends string>(): Column<T> => column<T>('text');
export const integer = column<number>('integer');
/** A log position; a string in rows. */
export const position = column<string>('bigint');
export const boolean = column<boolean>('boolean');
/** An ISO-8601 UTC instant with milliseconds in rows. */
export const instant = column<string>('timestamptz(3)');
export const json = <T>(): Column<T> => column<T>('jsonb');
export const nullable = <T>(of: Column<T>): Column<T | null> => ({ sql: of.sql, nullable: true });

export type Columns = Readonly<Record<string, Column<unknown>>>;
export type RowOf<C extends Columns> = { [K in keyof C]: C[K] extends Column<infer T> ? T : never };

/**
 * A read model: one table and the pure folds that fill it. A fold copes with every fact, reads no other table, and
 * gives the row after the event, or undefined for no row. An event that touches several rows names several keys.
 */
export type Projection<C extends Columns = Columns, T extends EventType = EventType> = {
  /** The table, in schema `read`. */
  readonly name: string;
  /** A new number is a new table, filled beside the old one and then swapped. */
  readonly version: number;
  /** Row type and DDL follow from it. */
  readonly columns: C;
  /** The primary key, and the keys of the rows that an event touches. */
  readonly key: {
    readonly column: keyof C & string;
    readonly of: (event: Recorded<T>) => string | readonly string[];
  };
  /**
   * What is left of the rows of a person whose account is erased: `column` holds the account, `row` takes what is
   * personal out. However many rows there are, AccountErased reaches them all.
   */
  readonly erasure?: { readonly column: keyof C & string; readonly row: (row: RowOf<C>) => RowOf<C> };
  /** Further indexes, each a list of SQL index elements (`start_time desc`); made after a rebuild has filled the table. */
  readonly indexes?: readonly (readonly string[])[];
  /** The keys are the subscription, beside AccountErased where there is an `erasure`. */
  readonly fold: {
    readonly [K in T]: (row: RowOf<C> | undefined, event: Recorded<K>, key: string) => RowOf<C> | undefined;
  };
};

/** A projection keeps its name as a type, so that the table of all projections says which rows lie in which table. */
export const projection = <const Name extends string, C extends Columns, T extends EventType>(
  of: Projection<C, T> & { readonly name: Name },
): Projection<C, T> & { readonly name: Name } => of;

/** A projection whose row and event types are of no interest: what the table of all projections holds. */
export type AnyProjection = {
  readonly name: string;
  readonly version: number;
  readonly columns: Columns;
  readonly key: { readonly column: string; readonly of: (event: never) => string | readonly string[] };
  readonly erasure?: { readonly column: string; readonly row: (row: never) => unknown };
  readonly indexes?: readonly (readonly string[])[];
  readonly fold: Readonly<Record<string, (row: never, event: never, key: string) => unknown>>;
};
