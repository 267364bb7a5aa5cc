import { ERASURE } from '../domain/decider.ts';
import { Poison } from '../eventstore/consumer/faults.ts';
import type { Fact } from '../eventstore/feed.ts';
import type { AnyProjection } from './projection.ts';
import type { Changes, Row, Rows, Table } from './table.ts';

/** What {@link AnyProjection} forgets: the runner hands a fold only the events it subscribed to, and only its own rows. */
type Fold = (row: Row | undefined, event: Fact, key: string) => Row | undefined;
type KeysOf = (event: Fact) => string | readonly string[];

/** An event and the rows it touches: by their keys, and all those of the erased person. */
export type Touch = { readonly event: Fact; readonly keys: readonly string[]; readonly person?: string };

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

/** The rows that events touch, as they lie in the table. */
export const loadTouched = async (
  { erasure }: AnyProjection,
  table: Pick<Table, 'load' | 'loadWhere'>,
  db: Parameters<Table['load']>[0],
  touched: readonly Touch[],
): Promise<Rows> => {
  const rows = await table.load(db, [...new Set(touched.flatMap(({ keys }) => keys))]);
  const persons = touched.flatMap(({ person }) => person ?? []);
  if (erasure === undefined || persons.length === 0) return rows;
  return new Map([...(await table.loadWhere(db, erasure.column, persons)), ...rows]);
};

/** What events in order do to the rows they touch. Throws Poison for the first event whose fold throws. */
export const foldAll = (projection: AnyProjection, touched: readonly Touch[], before: Rows): Changes => {
  const rows = new Map<string, Row | undefined>();
  const { erasure } = projection;
  for (const { event, keys, person } of touched) {
    const fold = projection.fold[event.type] as Fold | undefined;
    try {
      if (erasure !== undefined && person !== undefined)
        for (const [key, row] of new Map([...before, ...rows]))
          if (row?.[erasure.column] === person) rows.set(key, erasure.row(row as never) as Row);
      if (fold === undefined) continue;
      for (const key of keys) rows.set(key, fold(rows.has(key) ? rows.get(key) : before.get(key), event, key));
    } catch (error) {
      throw new Poison(event, error);
    }
  }
  const { column } = projection.key;
  const changes = { inserted: [] as Row[], updated: [] as Row[], deleted: [] as string[] };
  for (const [key, row] of rows) {
    const former = before.get(key);
    if (row === former) continue;
    // However the fold spells the key, the row is that of the key.
    if (row !== undefined)
      changes[former === undefined ? 'inserted' : 'updated'].push(
        row[column] === key ? row : { ...row, [column]: key },
      );
    else changes.deleted.push(key);
  }
  return changes;
};
