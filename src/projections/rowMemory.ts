import { getHeapStatistics } from 'node:v8';
import type { Row } from './table.ts';

/**
 * Estimated bytes of rows that all builds of a process keep together, whatever the log holds: an eighth of the heap that
 * this process may have, so that a small one stays within it, and no more than 256 MB.
 */
const BUILD_MEMORY_BYTES = Math.min(256 * 1024 * 1024, getHeapStatistics().heap_size_limit / 8);
/** What all live tables keep together of the rows touched lately, so that a busy row is not loaded for each batch. */
export const LIVE_MEMORY_BYTES = 24 * 1024 * 1024;

/** A row that memory holds, or the lack of one. */
export type Held = {
  row: Row | undefined;
  /** Whether the table has a row of this key. */
  stored: boolean;
  /** An estimate, made when the row is new and at every {@link MEASURED} th change. */
  bytes: number;
  changes: number;
  /** Hardly any event will touch it again: it goes once it is written. */
  passing: boolean;
};

const MEASURED = 8;
/** Of one entry beside its row. */
const ENTRY_BYTES = 160;
/** How far a build comes down when it has to give rows up, so that this is not due again with the next batch. */
const LOW = 0.75;

const sizeOf = (value: unknown): number => {
  if (typeof value === 'string') return 24 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let bytes = 32;
  for (const each of Object.values(value)) bytes += 8 + sizeOf(each);
  return bytes;
};

/** What several builds may hold together. */
export type Allowance = {
  /** Notes what one of them holds; 0 when it has ended. */
  readonly note: (who: object, bytes: number) => void;
  /** What one of them has to give up once they hold too much together: only who holds more than an equal share does. */
  readonly excess: (who: object) => number;
};

export const allowance = (bytes: number = BUILD_MEMORY_BYTES): Allowance => {
  const held = new Map<object, number>();
  return {
    note: (who, holds) => {
      if (holds === 0) held.delete(who);
      else held.set(who, holds);
    },
    excess: (who) => {
      let together = 0;
      for (const each of held.values()) together += each;
      const own = held.get(who) ?? 0;
      const share = bytes / held.size;
      return together <= bytes || own <= share ? 0 : Math.min(together - LOW * bytes, own - LOW * share);
    },
  };
};

/** Rows of one table by key, as events have left them, until they are written and beyond. */
export type RowMemory = {
  readonly get: (key: string) => Held | undefined;
  readonly keys: () => Iterable<string>;
  /** Keeps a row that was loaded. */
  readonly loaded: (key: string, row: Row) => void;
  /** Keeps what became of a row; of one that is not held, the table has none. `passing`: only until it is written. */
  readonly change: (key: string, row: Row | undefined, passing?: boolean) => void;
  /** Those that the table does not know yet, by key. */
  readonly dirty: () => ReadonlyMap<string, Held>;
  /** The table says the same now. Gives rows up where there are too many. */
  readonly written: () => void;
  /** Whether rows have to be given up, which needs a write. */
  readonly full: () => boolean;
  /** Forgets all of it. `empty`: the table has no rows at all. */
  readonly reset: (empty: boolean) => void;
  /** Whether the table can have rows that are not held. */
  readonly partial: () => boolean;
};

export const rowMemory = (allowed: Allowance): RowMemory => {
  const rows = new Map<string, Held>();
  const dirty = new Map<string, Held>();
  const self = {};
  let bytes = 0;
  let partial = true;

  const drop = (key: string, held: Held): void => {
    rows.delete(key);
    bytes -= held.bytes;
  };
  const measure = (held: Held): void => {
    bytes -= held.bytes;
    held.bytes = ENTRY_BYTES + sizeOf(held.row);
    bytes += held.bytes;
  };
  const keep = (key: string, row: Row | undefined, stored: boolean): Held => {
    const held: Held = { row, stored, bytes: 0, changes: 0, passing: false };
    rows.set(key, held);
    measure(held);
    return held;
  };

  /**
   * Gives up rows of all ages alike: events that go round through more rows than fit still find a part of them, where the
   * oldest ones given up would leave none.
   */
  const shrink = (by: number): void => {
    if (by <= 0) return;
    const share = by / bytes;
    let due = 0;
    for (const [key, held] of rows) {
      due += held.bytes * share;
      if (due < held.bytes) continue;
      due -= held.bytes;
      drop(key, held);
      partial = true;
    }
  };

  return {
    get: (key) => rows.get(key),
    keys: () => rows.keys(),
    loaded: (key, row) => void keep(key, row, true),
    change: (key, row, passing = false) => {
      const held = rows.get(key) ?? keep(key, row, false);
      held.row = row;
      held.passing = passing;
      if (row === undefined && !held.stored) {
        dirty.delete(key);
        return drop(key, held);
      }
      held.changes += 1;
      if (held.changes % MEASURED === 0) measure(held);
      dirty.set(key, held);
    },
    dirty: () => dirty,
    written: () => {
      for (const [key, held] of dirty) {
        held.stored = held.row !== undefined;
        if (held.stored && !held.passing) continue;
        drop(key, held);
        partial ||= held.stored;
      }
      dirty.clear();
      allowed.note(self, bytes);
      shrink(allowed.excess(self));
      allowed.note(self, bytes);
    },
    full: () => {
      allowed.note(self, bytes);
      return allowed.excess(self) > 0;
    },
    reset: (empty) => {
      rows.clear();
      dirty.clear();
      bytes = 0;
      partial = !empty;
      allowed.note(self, 0);
    },
    partial: () => partial,
  };
};
