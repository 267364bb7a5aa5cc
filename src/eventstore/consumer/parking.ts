import type pg from 'pg';
import { uuid5 } from '../../uuid.ts';
import { isUndecodable } from '../event.ts';
import type { FeedEvent } from '../feed.ts';
import type { Consumer } from './checkpoint.ts';
import { describe } from './faults.ts';

/** A stream that one consumer has set aside, from the event that failed on. */
export type Letter = {
  readonly id: string;
  readonly stream: string;
  readonly revision: number;
  readonly attempts: number;
  /** When to try again, by `performance.now()`, which no change of the clock moves; null: when an operator says so. */
  readonly nextAttempt: number | null;
  readonly verdict: 'retry' | 'skip' | null;
};

/** Where operators' wishes are announced. */
export const CONTROL_CHANNEL = 'convene_control';

/** Seconds before each automatic repeat; then an operator decides. */
export const RETRY_SECONDS = [1, 2, 4, 8, 16] as const;

/** The same event failing the same consumer is the same letter. */
const letterId = ({ kind, name }: Consumer, eventId: string): string => uuid5(`${kind}/${name}`, eventId);

type Queryable = Pick<pg.ClientBase, 'query'>;

/**
 * Sets a stream aside, or notes the next failed attempt. `attempts` counts the failures of this event, this one included;
 * `obeyed` is the verdict that the attempt followed from. Another one about the same event has come meanwhile, and stands.
 */
export const park = async (
  db: Queryable,
  consumer: Consumer,
  event: FeedEvent,
  cause: unknown,
  attempts: number,
  obeyed: Letter['verdict'] = null,
): Promise<void> => {
  const { kind, name, slot } = consumer;
  await db.query(
    `insert into convene.parked
       (id, kind, name, slot, stream, revision, event_id, position, type, error, attempts, next_attempt)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, now() + make_interval(secs => $12::float8))
     on conflict (kind, name, slot, stream) do update set
       id = excluded.id, revision = excluded.revision, event_id = excluded.event_id, position = excluded.position,
       type = excluded.type, error = excluded.error, attempts = excluded.attempts,
       next_attempt = excluded.next_attempt,
       verdict = case when parked.id = excluded.id and parked.verdict is distinct from $13 then parked.verdict end`,
    [
      letterId(consumer, event.id),
      kind,
      name,
      slot,
      event.stream,
      event.revision,
      event.id,
      event.position,
      event.type,
      describe(isUndecodable(event) ? event.error : cause),
      attempts,
      RETRY_SECONDS[attempts - 1] ?? null,
      obeyed,
    ],
  );
};

/** The streams that a consumer has set aside, by name. */
export const parkedStreams = async (pool: pg.Pool, { kind, name, slot }: Consumer): Promise<Map<string, Letter>> => {
  const { rows } = await pool.query<{
    id: string;
    stream: string;
    revision: number;
    attempts: number;
    wait_ms: number | null;
    verdict: Letter['verdict'];
  }>(
    `select id, stream, revision, attempts, extract(epoch from next_attempt - now())::float8 * 1000 as wait_ms, verdict
     from convene.parked where kind = $1 and name = $2 and slot = $3`,
    [kind, name, slot],
  );
  return new Map(
    rows.map(({ wait_ms, ...row }) => [
      row.stream,
      { ...row, nextAttempt: wait_ms === null ? null : performance.now() + wait_ms },
    ]),
  );
};

/** Lets the stream go on from a later revision of its own, or for good when there is none. */
export const release = async (db: Queryable, { kind, name, slot }: Consumer, stream: string): Promise<void> => {
  await db.query('delete from convene.parked where kind = $1 and name = $2 and slot = $3 and stream = $4', [
    kind,
    name,
    slot,
    stream,
  ]);
};

/** Moves the place from which a stream waits, after the events before it have been handled. */
export const waitFrom = async (
  db: Queryable,
  { kind, name, slot }: Consumer,
  stream: string,
  revision: number,
): Promise<void> => {
  await db.query(
    `update convene.parked set revision = $5, verdict = null, attempts = 0, next_attempt = now()
     where kind = $1 and name = $2 and slot = $3 and stream = $4`,
    [kind, name, slot, stream, revision],
  );
};

/** Marks a consumer as having passed over an event. */
export const markIncomplete = async (db: Queryable, { kind, name, slot }: Consumer): Promise<void> => {
  await db.query('update convene.checkpoints set incomplete = true where kind = $1 and name = $2 and slot = $3', [
    kind,
    name,
    slot,
  ]);
};
