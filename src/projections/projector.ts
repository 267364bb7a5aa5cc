import type pg from 'pg';
import type { Handler } from '../eventstore/consumer/handler.ts';
import { START } from '../eventstore/port.ts';
import { changesTo, foldAll, type Touch, touches } from './folding.ts';
import type { AnyProjection } from './projection.ts';
import { type Allowance, type Held, rowMemory } from './rowMemory.ts';
import type { Rows, Table } from './table.ts';

/** Estimated bytes of the rows that one statement writes. */
const STATEMENT_BYTES = 8 * 1024 * 1024;

const NONE: Rows = new Map();

/**
 * Loads the rows that events touch, folds in memory, and tells what to write: after every batch, or, with an allowance,
 * as late as that permits. The latter is for a table that nobody reads yet.
 */
export const projector = (
  projection: AnyProjection,
  table: Table,
  { pool, allowed }: { readonly pool: pg.Pool; readonly allowed?: Allowance },
): Handler => {
  const memory = rowMemory(allowed);

  /** The rows of these events that memory does not have. */
  const load = async (touched: readonly Touch[]): Promise<Rows> => {
    if (!memory.partial()) return NONE;
    const keys = new Set(touched.flatMap(({ keys }) => keys).filter((key) => memory.get(key) === undefined));
    return keys.size === 0 ? NONE : table.load(pool, [...keys]);
  };

  return {
    take: async (events) => {
      const touched = touches(projection, events);
      const loaded = await load(touched);
      const after = foldAll(projection, touched, (key) => {
        const held = memory.get(key);
        return held === undefined ? loaded.get(key) : held.row;
      });
      for (const [key, row] of loaded) memory.loaded(key, row);
      for (const [key, row] of after) memory.change(key, row);
    },
    effects: () => {
      const effects = [];
      for (const part of parts(memory.dirty())) {
        const changes = changesTo(
          part.map(([key, { row }]) => [key, row]),
          (key) => memory.get(key)?.stored ?? false,
        );
        const effect = table.effects(changes);
        if (effect !== undefined) effects.push(effect);
      }
      return effects;
    },
    written: memory.written,
    full: memory.full,
    reset: (position) => memory.reset(allowed !== undefined && position === START),
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
