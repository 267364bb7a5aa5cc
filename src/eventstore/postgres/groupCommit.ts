import pg from 'pg';
import { type Appended, type Expected, type NewEvent, OutcomeUnknown, StoreUnavailable } from '../port.ts';
import { int4Array, textArray, uuidArray } from './binaryArray.ts';

type Waiting = {
  readonly stream: string;
  /** The revision the writer has seen, -1 for no stream. */
  readonly expected: number;
  readonly events: readonly NewEvent[];
  readonly size: number;
  readonly deadline: number;
  readonly settle: (appended: Appended) => void;
  readonly fail: (error: unknown) => void;
};
/** stored, revision, position */
type Answer = readonly [boolean, number, string | null];

/** A batch is closed at this many events or bytes: what is beyond gains nothing and keeps neighbours waiting. */
const MAX_EVENTS = 2_000;
const MAX_BYTES = 4_194_304;

const sizeOf = (events: readonly NewEvent[]): number =>
  events.reduce((sum, { data, metadata }) => sum + data.length + metadata.length + 64, 0);

/** Problems of the connection or the server, as opposed to a refused statement: worth a repeat on a new connection. */
export const isUnreachable = (error: unknown): boolean => {
  if (!(error instanceof pg.DatabaseError)) return true;
  const code = error.code ?? '';
  // Connection exceptions, resources, operator intervention (shutdown), serialization and lock failures.
  return ['08', '53', '57', '40', '55'].includes(code.slice(0, 2)) || code === '25006';
};

const APPEND = {
  name: 'log_append',
  text: 'select stored, revision, position from log.append($1, $2, $3, $4, $5, $6, $7)',
  rowMode: 'array' as const,
};

const statement = (batch: readonly Waiting[]) => {
  const events = batch.flatMap((waiting) => waiting.events);
  return {
    ...APPEND,
    values: [
      textArray(batch.map(({ stream }) => stream)),
      int4Array(batch.map(({ expected }) => expected)),
      int4Array(batch.map((waiting) => waiting.events.length)),
      uuidArray(events.map(({ id }) => id)),
      textArray(events.map(({ type }) => type)),
      textArray(events.map(({ data }) => data)),
      textArray(events.map(({ metadata }) => metadata)),
    ],
  };
};

/**
 * Takes what leaves together in the next commit. Several appends to one stream may share a batch only when they expect
 * the same revision: the first one decides for all. Any other waits for its turn, so that the outcome is as if each
 * had been sent alone, in order.
 */
const take = (queue: Waiting[]): Waiting[] => {
  const batch: Waiting[] = [];
  const later: Waiting[] = [];
  const seen = new Map<string, number>();
  let events = 0;
  let bytes = 0;
  for (const waiting of queue) {
    const expected = seen.get(waiting.stream);
    const full = batch.length > 0 && (events + waiting.events.length > MAX_EVENTS || bytes + waiting.size > MAX_BYTES);
    if (full || (expected !== undefined && expected !== waiting.expected)) {
      // Nothing of this stream may overtake what was put off.
      seen.set(waiting.stream, Number.NaN);
      later.push(waiting);
      continue;
    }
    seen.set(waiting.stream, waiting.expected);
    batch.push(waiting);
    events += waiting.events.length;
    bytes += waiting.size;
  }
  queue.splice(0, queue.length, ...later);
  return batch;
};

export type GroupCommit = {
  readonly append: (stream: string, expected: Expected, events: readonly NewEvent[]) => Promise<Appended>;
  /** Waits for the appends under way. */
  readonly close: () => Promise<void>;
};

/**
 * Group commit: appends that arrive while a commit is under way leave together in the next one, in one statement and
 * one flush to disk. `lanes` statements may be on their way at once: while one flushes, the next is sent and parsed.
 *
 * A lost connection leaves the outcome open; the same batch is then sent again until the deadline. That is safe: the
 * repeat waits for the head's lock, hence for the end of the lost transaction, and finds by `storedAs` what it left.
 */
export const groupCommit = (options: {
  readonly pool: pg.Pool;
  readonly lanes: number;
  readonly deadlineMs: number;
  /** The stored outcome of exactly these events, when they lie in the stream one after the other. */
  readonly storedAs: (stream: string, events: readonly NewEvent[]) => Promise<Appended | undefined>;
}): GroupCommit => {
  const { pool, storedAs } = options;
  const queue: Waiting[] = [];
  const underWay = new Set<Promise<void>>();

  const settle = async (waiting: Waiting, [stored, revision, position]: Answer): Promise<void> => {
    if (stored && position !== null)
      return waiting.settle({ ok: true, revision, position: BigInt(position), repeated: false });
    const found = await storedAs(waiting.stream, waiting.events);
    waiting.settle(found ?? { ok: false, actual: revision < 0 ? 'noStream' : revision });
  };

  const send = async (batch: readonly Waiting[], mayBeStored: boolean): Promise<void> => {
    let sent = mayBeStored;
    try {
      const client = await pool.connect();
      let broken: Error | undefined;
      let rows: readonly Answer[];
      try {
        sent = true;
        rows = (await client.query<Answer[]>(statement(batch))).rows as unknown as readonly Answer[];
      } catch (error) {
        broken = isUnreachable(error) ? (error as Error) : undefined;
        throw error;
      } finally {
        client.release(broken);
      }
      await Promise.all(
        batch.map((waiting, index) =>
          settle(waiting, rows[index] as Answer).catch((error) =>
            // What was refused may be what an answer lost before had stored: nobody knows until it was looked up.
            error instanceof StoreUnavailable ? again([waiting], true) : waiting.fail(error),
          ),
        ),
      );
    } catch (error) {
      if (isUnreachable(error)) await again(batch, sent);
      else if (batch.length === 1) batch[0]?.fail(error);
      // The statement itself was refused: one append spoilt it, the others shall not suffer.
      else for (const waiting of batch) await send([waiting], mayBeStored);
    }
  };

  const again = async (batch: readonly Waiting[], sent: boolean): Promise<void> => {
    const now = performance.now();
    const Late = sent ? OutcomeUnknown : StoreUnavailable;
    for (const waiting of batch)
      if (waiting.deadline <= now) waiting.fail(new Late('The event log could not be reached in time'));
    const left = batch.filter((waiting) => waiting.deadline > now);
    if (left.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100));
    await send(left, sent);
  };

  const pump = (): void => {
    while (underWay.size < options.lanes && queue.length > 0) {
      const lane: Promise<void> = send(take(queue), false).finally(() => {
        underWay.delete(lane);
        pump();
      });
      underWay.add(lane);
    }
  };

  return {
    append: (stream, expected, events) =>
      new Promise((resolve, fail) => {
        queue.push({
          stream,
          expected: expected === 'noStream' ? -1 : expected,
          events,
          size: sizeOf(events),
          deadline: performance.now() + options.deadlineMs,
          settle: resolve,
          fail,
        });
        // Everything that this turn of the event loop appends leaves in one batch.
        if (queue.length === 1) setImmediate(pump);
      }),
    close: async () => {
      while (underWay.size > 0 || queue.length > 0) {
        pump();
        await Promise.all(underWay);
      }
    },
  };
};
