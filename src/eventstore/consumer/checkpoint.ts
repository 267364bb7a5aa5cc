import type pg from 'pg';
import { gathered } from '../../gathered.ts';
import type { Position } from '../port.ts';
import { Replaced } from './faults.ts';

export type Kind = 'projection' | 'policy';
/** Which of a projection's tables: the one that queries read, or the one that is being filled beside it. Policies are live. */
export type Slot = 'live' | 'build';
/** Names one checkpoint. */
export type Consumer = { readonly kind: Kind; readonly name: string; readonly slot: Slot };

/**
 * What is written together with a position, in the same statement: data-modifying common table expressions, separated by
 * commas. Each takes effect only `where exists (select from moved)`; their parameters begin at {@link FIRST_PARAMETER}.
 */
export type Effects = { readonly ctes: string; readonly values: readonly unknown[] };

/** The parameters before it are the checkpoint's own. */
export const FIRST_PARAMETER = 7;

/** Further writes in the transaction that moves a position. */
export type Settle = (client: pg.PoolClient) => Promise<void>;

/** A durable position that only its owner can move. */
export type Checkpoint = Consumer & {
  readonly version: number;
  /** As it was last saved. */
  readonly position: () => Position;
  /**
   * Writes effects and the new position, all or nothing: in one statement, or in one transaction when there are several
   * effects or `settle`. Throws Replaced when another worker owns the checkpoint by now, and what the effects or `settle`
   * throw. The pool may be one that does not wait for the disk: after a crash of the database position and effects are
   * behind together, and the events are handled again.
   */
  readonly move: (to: Position, effects?: Iterable<Effects>, settle?: Settle) => Promise<void>;
};

/** Runs in one transaction on one connection; a connection that broke is thrown away. */
export const transaction = async <T>(pool: pg.Pool, run: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
  const client = await pool.connect();
  let broken: Error | undefined;
  const lost = (error: Error): void => {
    broken = error;
  };
  // A connection that dies between two statements says so here alone, and nobody listening would end the process.
  client.on('error', lost);
  try {
    await client.query('begin');
    const result = await run(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: unknown) => {
      broken = failure instanceof Error ? failure : new Error('Rollback failed');
    });
    throw error;
  } finally {
    client.off('error', lost);
    client.release(broken);
  }
};

const WHERE = 'kind = $1 and name = $2 and slot = $3';

type Step = Consumer & { readonly owner: string; readonly from: Position; readonly to: Position };
const nameOf = ({ kind, name, slot }: Consumer): string => `${kind}/${name}/${slot}`;

/**
 * Moves positions that nothing else is written with. Most consumers pass over most events, so a log that moves at all has
 * many of them to save once a second: those of one turn of the event loop go out in one statement. False: it did not move.
 */
const idleMoves = (pool: pg.Pool): ((step: Step) => Promise<boolean>) => {
  const steps = new Map<string, Step>();
  const moved = gathered(async (names) => {
    const asked = names.flatMap((name) => steps.get(name) ?? []);
    const { rows } = await pool.query<Consumer>(
      `update convene.checkpoints c set position = n."to", error = null, updated_at = now()
       from unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[])
         n(kind, name, slot, owner, "from", "to")
       where c.kind = n.kind and c.name = n.name and c.slot = n.slot and c.position = n."from" and c.owner = n.owner
       returning c.kind, c.name, c.slot`,
      [
        ...(['kind', 'name', 'slot', 'owner'] as const).map((field) => asked.map((step) => step[field])),
        ...(['from', 'to'] as const).map((field) => asked.map((step) => String(step[field]))),
      ],
    );
    return new Map(rows.map((row) => [nameOf(row), true]));
  });
  return async (step) => {
    steps.set(nameOf(step), step);
    return (await moved(nameOf(step))) ?? false;
  };
};

const idleMovesOf = new WeakMap<pg.Pool, ReturnType<typeof idleMoves>>();
const moveIdly = (pool: pg.Pool, step: Step): Promise<boolean> => {
  const known = idleMovesOf.get(pool) ?? idleMoves(pool);
  idleMovesOf.set(pool, known);
  return known(step);
};

/** Takes the checkpoint over from whoever had it. Undefined when there is none of that name. */
export const takeOver = async (pool: pg.Pool, of: Consumer, owner: string): Promise<Checkpoint | undefined> => {
  const key = [of.kind, of.name, of.slot];
  const { rows } = await pool.query<{ position: string; version: number }>(
    `update convene.checkpoints set owner = $4 where ${WHERE} returning position::text, version`,
    [...key, owner],
  );
  const row = rows[0];
  if (row === undefined) return undefined;
  let position = BigInt(row.position);

  const owned = (moved: boolean | undefined): void => {
    if (!moved) throw new Replaced(`Another worker runs ${of.kind} ${of.name}`);
  };
  const advance = async (
    db: Pick<pg.ClientBase | pg.Pool, 'query'>,
    from: Position,
    to: Position,
    effects: Effects | undefined,
  ): Promise<void> => {
    const { rows } = await db.query<{ moved: boolean }>({
      text: `with moved as (
               update convene.checkpoints set position = $4, error = null, updated_at = now()
               where ${WHERE} and position = $5 and owner = $6 returning 1)${effects === undefined ? '' : `, ${effects.ctes}`}
             select exists (select from moved) as moved`,
      values: [...key, to, from, owner, ...(effects?.values ?? [])],
    });
    owned(rows[0]?.moved);
  };
  const move: Checkpoint['move'] = async (to, effects = [], settle) => {
    const each = effects[Symbol.iterator]();
    const first = each.next();
    let other = first.done ? first : each.next();
    if (settle === undefined && first.done) owned(await moveIdly(pool, { ...of, owner, from: position, to }));
    else if (settle === undefined && other.done) await advance(pool, position, to, first.value);
    else
      await transaction(pool, async (client) => {
        // The first one locks the checkpoint and moves it; the others find it where it is now.
        await advance(client, position, to, first.value);
        for (; !other.done; other = each.next()) await advance(client, to, to, other.value);
        await settle?.(client);
      });
    position = to;
  };
  return { kind: of.kind, name: of.name, slot: of.slot, version: row.version, position: () => position, move };
};

/** Notes beside the checkpoint why its consumer makes no headway at the moment. */
export const noteError = async (pool: pg.Pool, { kind, name, slot }: Consumer, error: string): Promise<void> => {
  await pool.query(`update convene.checkpoints set error = $4 where ${WHERE}`, [kind, name, slot, error]);
};
