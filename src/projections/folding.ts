import { Poison } from '../eventstore/consumer/faults.ts';
import type { Fact } from '../eventstore/feed.ts';
import type { AnyProjection } from './projection.ts';
import type { Row, Rows } from './table.ts';

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

/** Rows after events in order, those alone that changed. Throws Poison for the first event whose fold throws. */
export const foldAll = (projection: AnyProjection, touched: readonly Touch[], before: Rows): Rows => {
  const rows = new Map(before);
  for (const { event, keys } of touched) {
    const fold = projection.fold[event.type] as Fold | undefined;
    if (fold === undefined) continue;
    try {
      for (const key of keys) rows.set(key, fold(rows.get(key), event, key));
    } catch (error) {
      throw new Poison(event, error);
    }
  }
  for (const [key, row] of rows) if (row === before.get(key)) rows.delete(key);
  return rows;
};
