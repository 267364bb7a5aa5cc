/**
 * The one door to the log. Two adapters stand behind it, the Postgres log and EventStoreDB, and one contract suite
 * (tests/eventstore/contract.ts) pins every promise made here for both.
 */

/** A place in the log. Opaque: compare positions, print them with String, read them back with BigInt; they need not be dense. */
export type Position = bigint;

/** Before the first event. */
export const START: Position = 0n;

/** What the writer must have seen: nothing of the stream yet, or exactly this last revision (counted from 0). */
export type Expected = 'noStream' | number;

/** An event to be stored. `data` and `metadata` are JSON text; their UTF-8 bytes are stored as they are. */
export type NewEvent = {
  /** UUID. Repeating an append with the same ids changes nothing and gives the first answer. */
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
};

/** An event as it lies in the log. */
export type StoredEvent = NewEvent & {
  readonly stream: string;
  readonly revision: number;
  readonly position: Position;
  /** ISO-8601 UTC with milliseconds, the log's own clock. */
  readonly recordedAt: string;
};

/**
 * What came of an append: stored (or found stored already by its ids), or refused because the stream has moved on.
 * `revision` is that of the last event. `position` is that of the last event or a later one of the same append.
 */
export type Appended =
  | { readonly ok: true; readonly revision: number; readonly position: Position; readonly repeated: boolean }
  | { readonly ok: false; readonly actual: Expected };

export type Direction = 'forwards' | 'backwards';

/** Some events in order. `position` is how far the log has been looked at: at least the last event's position. */
export type Batch = { readonly events: readonly StoredEvent[]; readonly position: Position };

/** Only events of these types, or of streams of these categories. Both given: an event must meet both. */
export type Filter = { readonly types?: readonly string[]; readonly categories?: readonly string[] };

export type Subscription = {
  /** Ends the subscription and waits for the batch under way. */
  readonly close: () => Promise<void>;
  /** Settles when the subscription has ended: fulfilled after close, rejected with what `onBatch` threw. */
  readonly done: Promise<void>;
};

export type EventStore = {
  /**
   * Appends all events or none. Conflicts are answers, not errors.
   * Throws AppendTooLarge, InvalidEvent, StoreUnavailable, OutcomeUnknown.
   */
  readonly append: (stream: string, expected: Expected, events: readonly NewEvent[]) => Promise<Appended>;
  /** Events of one stream from `from` (inclusive; backwards: from the end when omitted), at most `limit` (1 to 10,000). A missing stream is empty. */
  readonly readStream: (
    stream: string,
    options?: { readonly from?: number; readonly direction?: Direction; readonly limit?: number },
  ) => Promise<readonly StoredEvent[]>;
  /** Events of the whole log after `after`, in order, at most `limit` (1 to 10,000). An empty batch whose position equals `head` means the end. */
  readonly readAll: (
    after: Position,
    options?: { readonly filter?: Filter; readonly limit?: number },
  ) => Promise<Batch>;
  /**
   * Hands every event after `after` to `onBatch`, in order, one call at a time, for ever; survives the loss of the
   * store by itself. After a loss the batch under way may be handed over again (at least once). Batches without events
   * tell how far filtered-out stretches reach.
   */
  readonly subscribe: (
    after: Position,
    options: { readonly filter?: Filter; readonly onBatch: (batch: Batch) => Promise<void> },
  ) => Subscription;
  /** The position of the last event, START when there is none. */
  readonly head: () => Promise<Position>;
  /** Finishes appends under way and releases connections. */
  readonly close: () => Promise<void>;
};

/** Bytes of event data that one append may carry, 1 MiB: EventStoreDB's own limit, kept by both adapters. */
export const MAX_APPEND_BYTES = 1_048_576;

/** More than {@link MAX_APPEND_BYTES} bytes of data in one append. Nothing was stored. */
export class AppendTooLarge extends Error {
  override readonly name = 'AppendTooLarge';
  readonly stream: string;
  readonly bytes: number;
  constructor(stream: string, bytes: number) {
    super(`${bytes} bytes of event data in one append; the limit is ${MAX_APPEND_BYTES}`);
    this.stream = stream;
    this.bytes = bytes;
  }
}

/** An append that no store may see: no events, an empty type, a malformed id, a reserved stream name, data that is no JSON text. */
export class InvalidEvent extends Error {
  override readonly name = 'InvalidEvent';
}

/** The store could not be reached or asked in time. For an append: it is certain that nothing was stored. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** The store went away while an append was under way, and it could not be found out in time whether it was stored. Repeat it with the same ids. */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';
}
