import type pg from 'pg';
import { type EventStore, type Position, START, type StoredEvent } from '../../eventstore/port.ts';
import { digestOf, GENESIS, linked } from './digest.ts';
import { type ChainRow, chainHead, chainRowBefore, chainRows, isChained } from './records.ts';

/** The first place where log and chain do not agree. */
export type ChainBreak = {
  readonly position: Position;
  readonly eventId: string;
  /** `altered` stands for events that changed places, too. */
  readonly kind: 'altered' | 'missing' | 'inserted';
  /** What was meddled with: the log itself, or the record that the chain keeps of it. */
  readonly of: 'event' | 'chain';
};

export type ChainVerification = {
  /** Events that were found in order before anything else was. */
  readonly checked: number;
  /** How far the chain was looked at; later events are not chained yet, or were not asked for. */
  readonly to: Position;
  readonly brokenAt: ChainBreak | undefined;
};

export type ChainVerifyOptions = {
  readonly pool: Pick<pg.Pool, 'query'>;
  readonly store: Pick<EventStore, 'readAll'>;
  /** The first position to look at; the hash before it is taken from the chain. */
  readonly from?: Position | undefined;
  /** The last position to look at. */
  readonly to?: Position | undefined;
  readonly onProgress?: (position: Position, of: Position) => void;
};

const PAGE = 5_000;

/** A list read in pages, the next one under way while this one is being looked at. */
type Cursor<T> = {
  /** The current item; undefined at the end of the page. */
  readonly item: () => T | undefined;
  readonly advance: () => void;
  /** Goes on to the next page. False: there is none. */
  readonly turn: () => Promise<boolean>;
};

const cursor = <T>(load: () => Promise<readonly T[]>): Cursor<T> => {
  let items: readonly T[] = [];
  let at = 0;
  const ask = (): Promise<readonly T[]> => {
    const page = load();
    page.catch(() => {});
    return page;
  };
  let coming = ask();
  return {
    item: () => items[at],
    advance: () => {
      at += 1;
    },
    turn: async () => {
      items = await coming;
      at = 0;
      if (items.length > 0) coming = ask();
      return items.length > 0;
    },
  };
};

/** Events of the log behind `after`, up to and including `to`. */
const eventsIn = (store: ChainVerifyOptions['store'], after: Position, to: Position): Cursor<StoredEvent> => {
  let reached = after;
  return cursor(async () => {
    if (reached >= to) return [];
    const { events, position } = await store.readAll(reached, { limit: PAGE });
    reached = position > reached ? position : to;
    return position <= to ? events : events.filter((event) => event.position <= to);
  });
};

const rowsIn = (pool: ChainVerifyOptions['pool'], after: Position, to: Position): Cursor<ChainRow> => {
  let reached = after;
  return cursor(async () => {
    const rows = await chainRows(pool, reached, to, PAGE);
    reached = rows.at(-1)?.position ?? to;
    return rows;
  });
};

/**
 * Computes the chain again from the bytes in the log and compares it with what was recorded when the events were
 * stored, up to the first break. Reads in pages: memory stays flat however long the log is. Safe beside a running
 * service, which goes on appending.
 */
export const verifyChain = async (options: ChainVerifyOptions): Promise<ChainVerification> => {
  const { pool, store, onProgress = () => {} } = options;
  const head = await chainHead(pool);
  const to = options.to === undefined || options.to > head.position ? head.position : options.to;
  const before = options.from === undefined ? undefined : await chainRowBefore(pool, options.from);
  const start = before?.position ?? START;
  const log = eventsIn(store, start, to);
  const chain = rowsIn(pool, start, to);
  let previous = before?.hash ?? GENESIS;
  let checked = 0;
  const broken = (brokenAt: ChainBreak): ChainVerification => ({ checked, to, brokenAt });

  for (;;) {
    let event = log.item();
    let row = chain.item();
    if (event === undefined && (await log.turn())) event = log.item();
    if (row === undefined && (await chain.turn())) {
      row = chain.item();
      if (row !== undefined) onProgress(row.position, to);
    }
    if (event === undefined && row === undefined) break;
    if (event !== undefined && row !== undefined && event.id === row.eventId && event.position === row.position) {
      const digest = digestOf(event);
      const hash = linked(previous, digest);
      if (hash !== row.hash || digest !== row.digest) {
        const follows = linked(previous, row.digest) === row.hash;
        return broken({
          position: row.position,
          eventId: row.eventId,
          kind: 'altered',
          of: follows ? 'event' : 'chain',
        });
      }
      previous = hash;
      checked += 1;
      log.advance();
      chain.advance();
    } else return broken(await mismatch({ pool, store, to, previous, event, row, complete: previous === head.hash }));
  }
  if (to === head.position && previous !== head.hash)
    return broken({ position: head.position, eventId: '', kind: 'altered', of: 'chain' });
  onProgress(to, to);
  return { checked, to, brokenAt: undefined };
};

/** Why an event of the log and a row of the chain are not about the same event. */
const mismatch = async (of: {
  readonly pool: ChainVerifyOptions['pool'];
  readonly store: ChainVerifyOptions['store'];
  readonly to: Position;
  readonly previous: string;
  readonly event: StoredEvent | undefined;
  readonly row: ChainRow | undefined;
  /** The rows so far are all that the chain ever had. */
  readonly complete: boolean;
}): Promise<ChainBreak> => {
  const { event, row, previous } = of;
  const ofRow = (kind: ChainBreak['kind'], about: ChainBreak['of']): ChainBreak => ({
    position: row?.position ?? of.to,
    eventId: row?.eventId ?? '',
    kind,
    of: about,
  });
  const ofEvent = (kind: ChainBreak['kind'], about: ChainBreak['of']): ChainBreak => ({
    position: event?.position ?? of.to,
    eventId: event?.id ?? '',
    kind,
    of: about,
  });
  if (event === undefined) return ofRow('missing', 'event');
  if (row === undefined) return of.complete ? ofEvent('inserted', 'event') : ofEvent('missing', 'chain');
  // A row that does not follow the one before it: the chain itself has a gap, or was written over.
  if (linked(previous, row.digest) !== row.hash)
    return event.position < row.position ? ofEvent('missing', 'chain') : ofRow('altered', 'chain');

  const elsewhere = await holds(of.store, event.position, row.eventId);
  if (await isChained(of.pool, event.id, START)) return ofRow(elsewhere ? 'altered' : 'missing', 'event');
  if (elsewhere || event.position < row.position) return ofEvent('inserted', 'event');
  return ofRow(event.position === row.position ? 'altered' : 'missing', 'event');
};

/** Behind every position of either store. */
const END: Position = 2n ** 63n - 1n;

/** Whether an event lies in the log behind a position. Reads all of it. */
const holds = async (store: ChainVerifyOptions['store'], after: Position, eventId: string): Promise<boolean> => {
  const log = eventsIn(store, after, END);
  while (await log.turn())
    for (let event = log.item(); event !== undefined; event = log.item()) {
      if (event.id === eventId) return true;
      log.advance();
    }
  return false;
};

/**
 * The position of the first chained event that the log recorded at an instant or later, by bisection over the chain;
 * undefined when all are older. Where the log's clock was set back it is one of the places where that instant passed.
 */
export const positionAt = async (
  pool: ChainVerifyOptions['pool'],
  store: ChainVerifyOptions['store'],
  instant: string,
): Promise<Position | undefined> => {
  const { position: last } = await chainHead(pool);
  const recordedFrom = async (position: Position): Promise<{ position: Position; late: boolean } | undefined> => {
    const [row] = await chainRows(pool, position - 1n, last, 1);
    if (row === undefined) return undefined;
    const before = await chainRowBefore(pool, row.position);
    const { events } = await store.readAll(before?.position ?? START, { limit: 1 });
    return { position: row.position, late: (events[0]?.recordedAt ?? instant) >= instant };
  };
  let found: Position | undefined;
  let [low, high] = [START + 1n, last];
  while (low <= high) {
    const middle = (low + high) / 2n;
    const there = await recordedFrom(middle);
    if (there === undefined || there.late) {
      found = there?.position ?? found;
      high = middle - 1n;
    } else low = there.position + 1n;
  }
  return found;
};
