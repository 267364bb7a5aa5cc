import { LRUCache } from 'lru-cache';
import type { Codec, Decoded } from '../eventstore/codec.ts';
import { categoryOf, isUndecodable, type Recorded } from '../eventstore/event.ts';
import { type EventStore, type Position, START } from '../eventstore/port.ts';
import type { AnyDecider } from './binding.ts';
import type { Fact } from './reads.ts';
import type { Snapshots } from './snapshots.ts';

/** Where in its stream a command stands that may be repeated, and the keyed hash of what it asked for. */
export type Trace = { readonly from: number; readonly to: number; readonly payloadHash: string | undefined };

/** One aggregate as its events so far have made it. Immutable: a step forward is a new value. */
export type Aggregate = {
  readonly state: unknown;
  /** Of the last event; -1 when there is none. */
  readonly revision: number;
  readonly position: Position;
  /** Commands with a derived id: only those can come again. Shared along the line of values, and only added to. */
  readonly commands: Map<string, Trace>;
  /** Roughly the bytes it holds. */
  readonly size: number;
};

/** Loads and keeps aggregates. */
export type Aggregates = {
  /** The aggregate as far as this process knows it; read from the log when it is not in memory. */
  readonly load: (decider: AnyDecider, stream: string) => Promise<Aggregate>;
  readonly keep: (stream: string, aggregate: Aggregate) => void;
  /** To be read afresh next time. */
  readonly drop: (stream: string) => void;
  /** Takes note of an event that somebody appended, so that what is in memory stays current. */
  readonly observe: (event: Recorded) => void;
  /** One event as the log has it; undefined: there is none. */
  readonly at: (stream: string, revision: number) => Promise<Recorded | undefined>;
  /** The aggregate right after one of its past events, and the events of the range. */
  readonly replay: (
    decider: AnyDecider,
    stream: string,
    range: { readonly from: number; readonly to: number },
  ) => Promise<{ readonly state: unknown; readonly events: readonly Recorded[] }>;
};

const CACHE_BYTES = 64 * 1_048_576;
const EMPTY_BYTES = 512;
const TRACE_BYTES = 160;
const PAGE = 2_000;
/** Events that a cold load reads before it looks for a snapshot. */
const PROBE = 100;
/** A cold load that had to read this many beyond the snapshot, or without one, leaves a newer one. */
const SNAPSHOT_AFTER = 500;

/** Version 5 ids are derived, from an Idempotency-Key or an event; a random id never comes again. */
const isDerived = (commandId: string): boolean => commandId[14] === '5';

const begin = (decider: AnyDecider): Aggregate => ({
  state: decider.initial,
  revision: -1,
  position: START,
  commands: new Map(),
  size: EMPTY_BYTES,
});

/** The aggregate with one event more. `bytes` is the size of the event's data. */
export const advance = (
  decider: AnyDecider,
  before: Aggregate,
  event: Fact & { readonly revision: number; readonly position: Position },
  command: { readonly commandId: string; readonly payloadHash?: string | undefined },
  bytes: number,
): Aggregate => {
  const { commands } = before;
  let size = before.size + bytes;
  if (isDerived(command.commandId)) {
    const known = commands.get(command.commandId);
    commands.set(command.commandId, {
      from: known?.from ?? event.revision,
      to: event.revision,
      payloadHash: command.payloadHash,
    });
    if (known === undefined) size += TRACE_BYTES;
  }
  return {
    state: decider.evolve(before.state as never, event as never),
    revision: event.revision,
    position: event.position,
    commands,
    size,
  };
};

const readable = (event: Decoded): Recorded => {
  // A decision on half a history would be a guess.
  if (isUndecodable(event)) throw event.error;
  return event;
};

export const createAggregates = (options: {
  readonly store: EventStore;
  readonly codec: Codec;
  readonly snapshots: Snapshots;
}): Aggregates => {
  const { store, codec, snapshots } = options;
  const cache = new LRUCache<string, Aggregate & { readonly decider: AnyDecider }>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ size }) => size,
  });
  const loading = new Map<string, Promise<Aggregate>>();
  const deciders = new Map<string, AnyDecider>();

  const fold = async (decider: AnyDecider, stream: string, start: Aggregate, until = Number.POSITIVE_INFINITY) => {
    let aggregate = start;
    for (;;) {
      const limit = Math.min(PAGE, until - aggregate.revision);
      if (limit <= 0) return aggregate;
      const stored = await store.readStream(stream, { from: aggregate.revision + 1, limit });
      const decoded = await codec.decode(stored);
      decoded.forEach((event, index) => {
        const recorded = readable(event);
        aggregate = advance(decider, aggregate, recorded, recorded.metadata, stored[index]?.data.length ?? 0);
      });
      if (stored.length < limit) return aggregate;
    }
  };

  const read = async (decider: AnyDecider, stream: string): Promise<Aggregate> => {
    const beginning = await fold(decider, stream, begin(decider), PROBE - 1);
    // Most streams end here. Only a longer one is worth a look for its snapshot.
    if (beginning.revision < PROBE - 1) return beginning;
    const snapshot = await snapshots.load(stream);
    const aggregate = await fold(decider, stream, snapshot ?? beginning);
    if (aggregate.revision - (snapshot?.revision ?? -1) >= SNAPSHOT_AFTER) await snapshots.save(stream, aggregate);
    return aggregate;
  };

  const keep: Aggregates['keep'] = (stream, aggregate) => {
    const decider = deciders.get(categoryOf(stream));
    if (decider !== undefined) cache.set(stream, { ...aggregate, decider });
  };

  return {
    load: (decider, stream) => {
      const known = cache.get(stream);
      if (known !== undefined) return Promise.resolve(known);
      const underWay = loading.get(stream);
      if (underWay !== undefined) return underWay;
      deciders.set(decider.category, decider);
      const load = read(decider, stream)
        .then((aggregate) => {
          keep(stream, aggregate);
          return aggregate;
        })
        .finally(() => loading.delete(stream));
      loading.set(stream, load);
      return load;
    },
    keep,
    drop: (stream) => {
      cache.delete(stream);
    },
    observe: (event) => {
      const known = cache.peek(event.stream);
      if (known === undefined || event.revision <= known.revision) return;
      if (event.revision > known.revision + 1) {
        cache.delete(event.stream);
        return;
      }
      const bytes = JSON.stringify(event.data).length;
      keep(event.stream, advance(known.decider, known, event, event.metadata, bytes));
    },
    at: async (stream, revision) => {
      const stored = await store.readStream(stream, { from: revision, limit: 1 });
      return (await codec.decode(stored)).map(readable)[0];
    },
    replay: async (decider, stream, { from, to }) => {
      const before = await fold(decider, stream, begin(decider), from - 1);
      const events = (await codec.decode(await store.readStream(stream, { from, limit: to - from + 1 }))).map(readable);
      const { state } = events.reduce(
        (aggregate, event) => advance(decider, aggregate, event, event.metadata, 0),
        before,
      );
      return { state, events };
    },
  };
};
