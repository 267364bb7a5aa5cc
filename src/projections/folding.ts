import { Poison } from '../eventstore/consumer/faults.ts';
import type { Fact } from '../eventstore/feed.ts';
import type { AnyProjection } from './projection.ts';
import type { Changes, Row } from './table.ts';

/** What {@link AnyProjection} forgets: the runner hands a fold only the events it subscribed to, and only its own rows. */
type Fold = (row: Row | undefined, event: Fact, key: string) => Row | undefined;
type KeysOf = (event: Fact) => string | readonly string[];

/** An event and the rows it touches. */
export type Touch = { readonly event: Fact; readonly keys: readonly string[] };

/** Which rows each event touches. Throws Poison for an event whose keys cannot be told. */
export const touches = (projection: AnyProjection, events: readonly Fact[]): readonly Touch[] => {
  const keysOf = projection.key.of as KeysOf;
  // Postgres prints UUIDs in lower case, however they came.
  const lower = projection.columns[projection.key.column]?.sql === 'uuid';
  const spelled = (key: string): string => (lower ? key.toLowerCase() : key);
  return events.map((event) => {
    try {
      const keys = keysOf(event);
      return { event, keys: typeof keys === 'string' ? [spelled(keys)] : [...new Set(keys.map(spelled))] };
    } catch (error) {
      throw new Poison(event, error);
    }
  });
};

/**
 * What becomes of the rows that events touch, in order: only of those that change. Throws Poison for the first event whose
 * fold throws.
 */
export const foldAll = (
  projection: AnyProjection,
  touched: readonly Touch[],
  before: (key: string) => Row | undefined,
): ReadonlyMap<string, Row | undefined> => {
  const rows = new Map<string, Row | undefined>();
  for (const { event, keys } of touched) {
    const fold = projection.fold[event.type] as Fold | undefined;
    if (fold === undefined) continue;
    try {
      for (const key of keys) rows.set(key, fold(rows.has(key) ? rows.get(key) : before(key), event, key));
    } catch (error) {
      throw new Poison(event, error);
    }
  }
  const { column } = projection.key;
  for (const [key, row] of rows) {
    if (row === before(key)) rows.delete(key);
    // However the fold spells the key, the row is that of the key.
    else if (row !== undefined && row[column] !== key) rows.set(key, { ...row, [column]: key });
  }
  return rows;
};

/** What is to be done to a table for its rows to become these. `stored`: whether it has a row of the key. */
export const changesTo = (
  rows: Iterable<readonly [string, Row | undefined]>,
  stored: (key: string) => boolean,
): Changes => {
  const changes = { inserted: [] as Row[], updated: [] as Row[], deleted: [] as string[] };
  for (const [key, row] of rows)
    if (row !== undefined) changes[stored(key) ? 'updated' : 'inserted'].push(row);
    else if (stored(key)) changes.deleted.push(key);
  return changes;
};
