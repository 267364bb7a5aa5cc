import { Poison } from '../eventstore/consumer/faults.ts';
import type { Fact } from '../eventstore/feed.ts';
import type { AnyProjection } from './projection.ts';
import type { Changes, Row, Rows, Table } from './table.ts';

/** What {@link AnyProjection} forgets: the runner hands a fold only the events it subscribed to, and only its own rows. */
type Fold = (row: Row | undefined, event: Fact, key: string) => Row | undefined;
type KeysOf = (event: Fact) => string | readonly string[];

/** An event and the rows it touches: by their keys, and all those of the erased person. */
export type Touch = { readonly event: Fact; readonly keys: readonly string[]; readonly person?: string };

/** The event that reaches every row of its person. */
const ERASURE = 'AccountErased';

/** The types of events that a projection subscribes to. */
export const subscriptionOf = ({ fold, erasure }: Pick<AnyProjection, 'fold' | 'erasure'>): readonly string[] =>
  erasure === undefined || ERASURE in fold ? Object.keys(fold) : [...Object.keys(fold), ERASURE];

const personIn = ({ data }: Fact): string => (data as { readonly accountId: string }).accountId.toLowerCase();

/** Which rows each event touches. Throws Poison for an event whose keys cannot be told. */
export const touches = (projection: AnyProjection, events: readonly Fact[]): readonly Touch[] => {
  const keysOf = projection.key.of as KeysOf;
  // Postgres prints UUIDs in lower case, however they came.
  const lower = projection.columns[projection.key.column]?.sql === 'uuid';
  const spelled = (key: string): string => (lower ? key.toLowerCase() : key);
  return events.map((event) => {
    try {
      const keys = event.type in projection.fold ? keysOf(event) : [];
      const touch = { event, keys: typeof keys === 'string' ? [spelled(keys)] : [...new Set(keys.map(spelled))] };
      return projection.erasure !== undefined && event.type === ERASURE ? { ...touch, person: personIn(event) } : touch;
    } catch (error) {
      throw new Poison(event, error);
    }
  });
};

/** The rows of persons whom events erase, as they lie in the table; hardly ever any. */
export const loadErased = async (
  { erasure }: AnyProjection,
  table: Pick<Table, 'loadWhere'>,
  db: Parameters<Table['loadWhere']>[0],
  touched: readonly Touch[],
): Promise<Rows> => {
  const persons = touched.flatMap(({ person }) => person ?? []);
  return erasure === undefined || persons.length === 0 ? new Map() : table.loadWhere(db, erasure.column, persons);
};

/**
 * What becomes of the rows that events touch, in order: only of those that change. `known`: the keys of all rows that may
 * be those of an erased person. Throws Poison for the first event whose fold throws.
 */
export const foldAll = (
  projection: AnyProjection,
  touched: readonly Touch[],
  before: (key: string) => Row | undefined,
  known: () => Iterable<string>,
): ReadonlyMap<string, Row | undefined> => {
  const rows = new Map<string, Row | undefined>();
  const now = (key: string): Row | undefined => (rows.has(key) ? rows.get(key) : before(key));
  const { erasure } = projection;
  for (const { event, keys, person } of touched) {
    const fold = projection.fold[event.type] as Fold | undefined;
    try {
      if (erasure !== undefined && person !== undefined)
        for (const key of new Set([...known(), ...rows.keys()])) {
          const row = now(key);
          if (row?.[erasure.column] === person) rows.set(key, erasure.row(row as never) as Row);
        }
      if (fold === undefined) continue;
      for (const key of keys) rows.set(key, fold(now(key), event, key));
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
