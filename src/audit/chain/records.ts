import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { Replaced } from '../../eventstore/consumer/faults.ts';
import type { Position, StoredEvent } from '../../eventstore/port.ts';
import { uuidArray } from '../../eventstore/postgres/binaryArray.ts';
import { digestOf, GENESIS, HASH_BYTES, linked } from './digest.ts';

type Queryable = Pick<pg.Pool, 'query'>;

/** What the chain keeps of an event. */
export type ChainRow = {
  readonly position: Position;
  readonly eventId: string;
  readonly digest: string;
  readonly hash: string;
};

/** How far the chain reaches: the last event's position and hash, and how many events it holds. */
export type ChainHead = { readonly position: Position; readonly hash: string; readonly events: number };

export const chainHead = async (pool: Queryable): Promise<ChainHead> => {
  const { rows } = await pool.query<{ position: string; hash: string; events: string }>(
    `select position::text, encode(hash, 'hex') as hash, events::text from convene.audit_chain_head`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('The head of the audit chain was removed from convene.audit_chain_head');
  return { position: BigInt(row.position), hash: row.hash, events: Number(row.events) };
};

const EXTEND = {
  name: 'audit_chain_extend',
  text: `with moved as (
      update convene.audit_chain_head set position = $1, hash = decode($2, 'hex'), events = events + $3
      where position = $4 and hash = decode($5, 'hex') returning true
    )
    insert into convene.audit_chain (position, event_id, digest, hash)
    select u.position, u.id, substring($8::bytea, n::int * ${HASH_BYTES} - ${HASH_BYTES - 1}, ${HASH_BYTES}),
      substring($9::bytea, n::int * ${HASH_BYTES} - ${HASH_BYTES - 1}, ${HASH_BYTES})
    from unnest($6::bigint[], $7::uuid[]) with ordinality as u(position, id, n)
    where exists (select from moved)`,
};

/**
 * Chains the next events of the log, in one statement that moves the head from exactly where it was: each event is
 * chained once, whoever else tries. Throws Replaced when the head is elsewhere by now.
 */
export const extendChain = async (
  pool: Queryable,
  head: ChainHead,
  events: readonly StoredEvent[],
): Promise<ChainHead> => {
  const last = events.at(-1);
  if (last === undefined) return head;
  const digests = Buffer.allocUnsafe(events.length * HASH_BYTES);
  const hashes = Buffer.allocUnsafe(events.length * HASH_BYTES);
  let { hash } = head;
  for (const [index, event] of events.entries()) {
    const digest = digestOf(event);
    hash = linked(hash, digest);
    digests.write(digest, index * HASH_BYTES, 'hex');
    hashes.write(hash, index * HASH_BYTES, 'hex');
  }
  const { rowCount } = await pool.query({
    ...EXTEND,
    values: [
      last.position,
      hash,
      events.length,
      head.position,
      head.hash,
      `{${events.map(({ position }) => position).join(',')}}`,
      uuidArray(events.map(({ id }) => id)),
      digests,
      hashes,
    ],
  });
  if (rowCount !== events.length) throw new Replaced('Another worker extends the audit chain');
  return { position: last.position, hash, events: head.events + events.length };
};

type Row = readonly [position: string, eventId: string, digest: string, hash: string];

const COLUMNS = `c.position::text, c.event_id, encode(c.digest, 'hex') as digest, encode(c.hash, 'hex') as hash`;

/** Rows of the chain behind `after` up to and including `to`, in order, at most `limit`. */
export const chainRows = async (
  pool: Queryable,
  after: Position,
  to: Position,
  limit: number,
): Promise<readonly ChainRow[]> => {
  const { rows } = await pool.query<Row[]>({
    name: 'audit_chain_rows',
    // Qualified, or it would sort by the text that it shows.
    text: `select ${COLUMNS} from convene.audit_chain c
           where c.position > $1 and c.position <= $2 order by c.position limit $3`,
    values: [after, to, limit],
    rowMode: 'array',
  });
  return (rows as unknown as readonly Row[]).map(([position, eventId, digest, hash]) => ({
    position: BigInt(position),
    eventId,
    digest,
    hash,
  }));
};

/** The last row of the chain before a position. */
export const chainRowBefore = async (pool: Queryable, position: Position): Promise<ChainRow | undefined> => {
  const { rows } = await pool.query<{ position: string; event_id: string; digest: string; hash: string }>(
    `select ${COLUMNS} from convene.audit_chain c
     where c.position < $1 order by c.position desc limit 1`,
    [position],
  );
  return rows.map((row) => ({ ...row, position: BigInt(row.position), eventId: row.event_id }))[0];
};

/** Whether the chain holds an event behind a position. Looks through all of it. */
export const isChained = async (pool: Queryable, eventId: string, after: Position): Promise<boolean> => {
  const { rowCount } = await pool.query(
    'select from convene.audit_chain where event_id = $1 and position > $2 limit 1',
    [eventId, after],
  );
  return rowCount === 1;
};

/** The hashes of an event and of the one before it, in hexadecimal. */
export type EventHashes = { readonly hash: string; readonly previousHash: string };

const hashesOf = async (pool: Queryable, position: string, id: string): Promise<EventHashes | undefined> => {
  const { rows } = await pool.query<{ hash: string; previous: string | null }>(
    `select encode(c.hash, 'hex') as hash,
       (select encode(b.hash, 'hex') from convene.audit_chain b
        where b.position < c.position order by b.position desc limit 1) as previous
     from convene.audit_chain c where c.position = $1 and c.event_id = $2`,
    [position, id],
  );
  return rows.map(({ hash, previous }) => ({ hash, previousHash: previous ?? GENESIS }))[0];
};

const LOOK_MS = 50;
const LOOKS = 10;

/** The hashes of an event; looks for half a second, since it may just have been stored. Undefined: not chained yet. */
export const chained = async (
  pool: Queryable,
  { position, id }: { readonly position: string; readonly id: string },
): Promise<EventHashes | undefined> => {
  for (let look = 1; ; look += 1) {
    const hashes = await hashesOf(pool, position, id);
    if (hashes !== undefined || look === LOOKS) return hashes;
    await pause(LOOK_MS);
  }
};
