import type pg from 'pg';
import { transaction } from '../eventstore/consumer/checkpoint.ts';
import { isDataFault, Poison } from '../eventstore/consumer/faults.ts';
import { type Aggregates, concerns, interestIn } from '../eventstore/consumer/interest.ts';
import { isUndecodable } from '../eventstore/event.ts';
import type { Decode, Fact } from '../eventstore/feed.ts';
import { type EventStore, type Position, START } from '../eventstore/port.ts';
import { changesTo, foldAll, loadErased, subscriptionOf, touches } from './folding.ts';
import type { AnyProjection } from './projection.ts';
import { SCHEMA, tableOf } from './table.ts';

/** A row that the live table and a fresh rebuild do not agree on. Undefined: no such row. */
export type Difference = {
  readonly key: string;
  /** Columns with other values; empty where one of the rows is missing. Values are left out: they can be personal. */
  readonly columns: readonly string[];
  readonly problem: 'missing' | 'unexpected' | 'different';
};

export type Verification = {
  /** Where both were compared. */
  readonly position: Position;
  readonly rows: number;
  readonly differing: number;
  /** The first by key, at most {@link SHOWN}. */
  readonly differences: readonly Difference[];
  /** Streams left out from where they are parked. */
  readonly parked: number;
  /** Events that cannot be folded at all, passed over. */
  readonly unfoldable: number;
};

export const SHOWN = 20;
const PAGE_EVENTS = 2_000;

export type VerifyOptions = {
  readonly pool: pg.Pool;
  readonly store: Pick<EventStore, 'readAll'>;
  readonly decode: Decode;
  readonly aggregates: Aggregates;
  /** Told how much of the log has been folded again. */
  readonly onProgress?: (position: Position, of: Position) => void;
};

/** The projection has no live table yet, or one of another version than this code. */
export class NotVerifiable extends Error {
  override readonly name = 'NotVerifiable';
}

/**
 * Folds the whole log afresh into a table of its own and compares it row by row with the live table at the same
 * position. The live projection stands still only while the last events are folded and the rows compared.
 */
export const verify = async (projection: AnyProjection, options: VerifyOptions): Promise<Verification> => {
  const { pool, store, decode, aggregates, onProgress = () => {} } = options;
  const { name } = projection;
  const scratch = tableOf(projection, `${name}_verify`);
  const interest = interestIn(subscriptionOf(projection), aggregates);
  const passedOver = new Set<string>();

  const live = async (db: Pick<pg.ClientBase | pg.Pool, 'query'>, lock = ''): Promise<Position> => {
    const { rows } = await db.query<{ position: string; version: number }>(
      `select position::text, version from convene.checkpoints
       where kind = 'projection' and name = $1 and slot = 'live' ${lock}`,
      [name],
    );
    const row = rows[0];
    if (row === undefined) throw new NotVerifiable(`The read model ${name} does not exist yet`);
    if (row.version !== projection.version)
      throw new NotVerifiable(
        `The read model ${name} has version ${row.version}, this is version ${projection.version}`,
      );
    return BigInt(row.position);
  };

  const parked = await pool.query<{ stream: string; revision: number }>(
    `select stream, revision from convene.parked where kind = 'projection' and name = $1 and slot = 'live'`,
    [name],
  );
  const waitsFrom = new Map(parked.rows.map(({ stream, revision }) => [stream, revision]));

  /** Folds what is wanted, without the events that cannot be folded. */
  const write = async (events: readonly Fact[]): Promise<void> => {
    const rest = events.filter(({ id }) => !passedOver.has(id));
    try {
      const touched = touches(projection, rest);
      const [loaded, erased] = [
        await scratch.load(pool, [...new Set(touched.flatMap(({ keys }) => keys))]),
        await loadErased(projection, scratch, pool, touched),
      ];
      const before = new Map([...erased, ...loaded]);
      const after = foldAll(
        projection,
        touched,
        (key) => before.get(key),
        () => before.keys(),
      );
      await scratch.write(
        pool,
        changesTo(after, (key) => before.has(key)),
      );
    } catch (error) {
      const [first] = rest;
      if (error instanceof Poison) passedOver.add(error.event.id);
      else if (!isDataFault(error) || first === undefined) throw error;
      else if (rest.length === 1) passedOver.add(first.id);
      else {
        const half = rest.length >> 1;
        await write(rest.slice(0, half));
        return write(rest.slice(half));
      }
      await write(rest);
    }
  };

  const foldUpTo = async (from: Position, to: Position): Promise<void> => {
    for (let position = from; position < to; ) {
      const batch = await store.readAll(position, { limit: PAGE_EVENTS });
      if (batch.position === position) return;
      const wanted = (await decode(batch.events)).filter(
        (event) =>
          event.position <= to &&
          concerns(interest, event) &&
          event.revision < (waitsFrom.get(event.stream) ?? Number.POSITIVE_INFINITY),
      );
      const readable: Fact[] = [];
      for (const event of wanted) {
        if (isUndecodable(event)) passedOver.add(event.id);
        else readable.push(event);
      }
      await write(readable);
      position = batch.position;
      onProgress(position < to ? position : to, to);
    }
  };

  await live(pool);
  await scratch.create(pool);
  try {
    const near = await live(pool);
    await foldUpTo(START, near);
    return await transaction(pool, async (client) => {
      const position = await live(client, 'for update');
      await foldUpTo(near, position);
      return {
        position,
        ...(await compare(client, projection, scratch.name)),
        parked: waitsFrom.size,
        unfoldable: passedOver.size,
      };
    });
  } finally {
    await scratch.drop(pool);
  }
};

const compare = async (
  client: pg.PoolClient,
  { name, key }: AnyProjection,
  scratch: string,
): Promise<Pick<Verification, 'rows' | 'differing' | 'differences'>> => {
  const { rows } = await client.query<{
    key: string;
    live: Record<string, unknown> | null;
    fresh: Record<string, unknown> | null;
    differing: number;
  }>(
    `select coalesce(l.${key.column}, f.${key.column})::text as key, to_jsonb(l) as live, to_jsonb(f) as fresh,
       count(*) over ()::int as differing
     from ${SCHEMA}.${name} l full join ${SCHEMA}.${scratch} f on l.${key.column} = f.${key.column}
     where l is distinct from f order by 1 limit ${SHOWN}`,
  );
  const counted = await client.query<{ rows: number }>(`select count(*)::int as rows from ${SCHEMA}.${scratch}`);
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  return {
    rows: counted.rows[0]?.rows ?? 0,
    differing: rows[0]?.differing ?? 0,
    differences: rows.map((row): Difference => {
      const { live, fresh } = row;
      if (live === null) return { key: row.key, columns: [], problem: 'missing' };
      if (fresh === null) return { key: row.key, columns: [], problem: 'unexpected' };
      const columns = Object.keys(fresh).filter((column) => !same(live[column], fresh[column]));
      return { key: row.key, columns, problem: 'different' };
    }),
  };
};
