import type pg from 'pg';
import type { Handler } from '../eventstore/consumer/handler.ts';
import { START } from '../eventstore/port.ts';
import { changesTo, foldAll, loadErased, type Touch, touches } from './folding.ts';
import type { AnyProjection } from './projection.ts';
import { type Allowance, type Held, rowMemory } from './rowMemory.ts';
import type { Rows, Table } from './table.ts';

/** Estimated bytes of the rows that one statement writes. */
const STATEMENT_BYTES = 8 * 1024 * 1024;

const NONE: Rows = new Map();

/** Keys that are the id of the event which comes first for them: an event is handled once, so there is no such row before. */
const newKeys = (touched: readonly Touch[]): ReadonlySet<string> => {
  const first = new Map<string, boolean>();
  for (const { event, keys } of touched) for (const key of keys) if (!first.has(key)) first.set(key, key === event.id);
  return new Set([...first].flatMap(([key, isNew]) => (isNew ? [key] : [])));
};

/**
 * Loads the rows that events touch, unless memory has them, folds in memory, and tells what to write: after every batch,
 * or, when `late`, as late as the allowance permits. The latter is for a table that nobody reads yet.
 */
export const projector = (
  projection: AnyProjection,
  table: Table,
  { pool, allowed, late }: { readonly pool: pg.Pool; readonly allowed: Allowance; readonly late: boolean },
): Handler => {
  const memory = rowMemory(allowed);

  /** The rows of these events that memory does not have. */
  const load = async (touched: readonly Touch[], fresh: ReadonlySet<string>): Promise<Rows> => {
    if (!memory.partial()) return NONE;
    const wanted = touched
      .flatMap(({ keys }) => keys)
      .filter((key) => !fresh.has(key) && memory.get(key) === undefined);
    const loaded = wanted.length === 0 ? NONE : await table.load(pool, [...new Set(wanted)]);
    const erased = await loadErased(projection, table, pool, touched);
    // What memory has is newer.
    const others = [...erased].filter(([key]) => memory.get(key) === undefined);
    return others.length === 0 ? loaded : new Map([...others, ...loaded]);
  };

  return {
    take: async (events) => {
      const touched = touches(projection, events);
      const fresh = newKeys(touched);
      const loaded = await load(touched, fresh);
      const after = foldAll(
        projection,
        touched,
        (key) => {
          const held = memory.get(key);
          return held === undefined ? loaded.get(key) : held.row;
        },
        () => [...loaded.keys(), ...memory.keys()],
      );
      for (const [key, row] of loaded) memory.loaded(key, row);
      for (const [key, row] of after) memory.change(key, row, fresh.has(key));
    },
    effects: function* () {
      for (const part of parts(memory.dirty())) {
        const changes = changesTo(
          part.map(([key, { row }]) => [key, row]),
          (key) => memory.get(key)?.stored ?? false,
        );
        const effect = table.effects(changes);
        if (effect !== undefined) yield effect;
      }
    },
    written: memory.written,
    full: () => !late || memory.full(),
    reset: (position) => memory.reset(late && position === START),
  };
};

/** So many at a time that the parameters of a statement stay bounded. */
function* parts(dirty: ReadonlyMap<string, Held>): Generator<readonly (readonly [string, Held])[]> {
  let part: (readonly [string, Held])[] = [];
  let bytes = 0;
  for (const entry of dirty) {
    part.push(entry);
    bytes += entry[1].bytes;
    if (bytes < STATEMENT_BYTES) continue;
    yield part;
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield part;
}
