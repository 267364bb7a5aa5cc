import { LRUCache } from 'lru-cache';
import type { Position } from '../port.ts';

/** An event that lies in a stream. */
export type Place = { readonly id: string; readonly revision: number; readonly position: Position };

/** Revisions `from` to `to` of a stream without gaps; the places in rising order, by event id. */
type Span = { from: number; to: number; readonly places: Map<string, Place> };

/** How many of a stream's last events are compared with the ids of an append. */
export const WINDOW = 256;
const MAX_IDS = 200_000;

const trim = (span: Span): void => {
  for (const [id, { revision }] of span.places) {
    if (revision > span.to - WINDOW) break;
    span.places.delete(id);
  }
  span.from = Math.max(span.from, span.to - WINDOW + 1);
};

/**
 * The ids of the last events of streams in use: EventStoreDB recognises a repeat only by the revision it first expected,
 * and appends it again when it expects the current one. Bounded in memory, the least used streams go first.
 */
export const recentIds = () => {
  const spans = new LRUCache<string, Span>({ maxSize: MAX_IDS, sizeCalculation: ({ places }) => places.size + 1 });

  return {
    /** Takes in events that lie one behind the other in a stream, in either order. */
    learn: (stream: string, events: readonly Place[]): void => {
      const rising = (events[0]?.revision ?? 0) <= (events.at(-1)?.revision ?? 0) ? events : events.toReversed();
      const [first, last] = [rising[0], rising.at(-1)];
      if (first === undefined || last === undefined) return;
      const known = spans.get(stream);
      const apart = known !== undefined && (first.revision > known.to + 1 || last.revision < known.from - 1);
      if (known !== undefined && apart && last.revision < known.to) return;
      const span: Span =
        known === undefined || apart ? { from: first.revision, to: first.revision - 1, places: new Map() } : known;
      const older = rising.filter(({ revision }) => revision < span.from);
      const newer = rising.filter(({ revision }) => revision > span.to);
      if (older.length > 0) {
        const rest = [...span.places.values()];
        span.places.clear();
        for (const place of [...older, ...rest]) span.places.set(place.id, place);
        span.from = first.revision;
      }
      for (const place of newer) span.places.set(place.id, place);
      span.to = Math.max(span.to, last.revision);
      trim(span);
      spans.set(stream, span);
    },
    /** Whether enough of the stream up to a revision is known to compare ids with. */
    covers: (stream: string, revision: number): boolean => {
      const known = spans.get(stream);
      return known !== undefined && known.to >= revision && (known.from === 0 || known.to - known.from + 1 >= WINDOW);
    },
    /** The last revision of a stream that is known, -1 when none is. */
    knownTo: (stream: string): number => spans.get(stream)?.to ?? -1,
    /** Where the events of these ids lie, as far as known. */
    find: (stream: string, ids: readonly string[]): readonly Place[] => {
      const known = spans.get(stream);
      return known === undefined ? [] : ids.flatMap((id) => known.places.get(id) ?? []);
    },
  };
};
