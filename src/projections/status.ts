import type pg from 'pg';
import { type EventStore, type Position, START } from '../eventstore/port.ts';
import type { AnyProjection } from './projection.ts';

/** How one read model stands, whichever process fills it. */
export type ProjectionStatus = {
  readonly name: string;
  readonly version: number;
  readonly position: Position;
  /** Events of the log not yet handled; counted up to {@link COUNTED_EVENTS}. Quiet stretches count for up to a second. */
  readonly lagEvents: number;
  /** Age of the oldest event not yet handled; 0 when there is none. */
  readonly lagSeconds: number;
  readonly state: 'live' | 'building' | 'paused';
  /** Position of the table that is being built beside the live one. */
  readonly building?: Position;
  /** Streams that wait for an operator. */
  readonly parked: number;
  /** Streams that are going to be tried again by themselves. */
  readonly retrying: number;
  /** An event was skipped since the last rebuild. */
  readonly incomplete: boolean;
  /** Why it makes no headway at the moment. */
  readonly lastError: string | null;
};

export const COUNTED_EVENTS = 1_000;

type Row = {
  name: string;
  slot: 'live' | 'build';
  version: number;
  position: string;
  incomplete: boolean;
  error: string | null;
  paused: boolean;
  rebuild: boolean;
  parked: number;
  retrying: number;
};

type Lag = { readonly events: number; readonly seconds: number };

/** How every projection stands, in the order given; from tables and log, so any process may ask. */
export const projectionStatus = async (
  pool: pg.Pool,
  store: Pick<EventStore, 'readAll' | 'head'>,
  projections: readonly Pick<AnyProjection, 'name' | 'version'>[],
  now: () => number = Date.now,
): Promise<readonly ProjectionStatus[]> => {
  const head = await store.head();
  const { rows } = await pool.query<Row>(
    `select c.name, c.slot, c.version, c.position::text, c.incomplete, c.error,
       coalesce(w.paused, false) as paused, coalesce(w.rebuild, false) as rebuild,
       count(p.id) filter (where p.next_attempt is null)::int as parked, count(p.next_attempt)::int as retrying
     from convene.checkpoints c
     left join convene.projection_control w on w.name = c.name
     left join convene.parked p on p.kind = c.kind and p.name = c.name and p.slot = c.slot
     where c.kind = 'projection'
     group by c.kind, c.name, c.slot, w.name`,
  );
  const lags = new Map<Position, Promise<Lag>>();
  const lagAt = (position: Position): Promise<Lag> => {
    const known = lags.get(position);
    if (known !== undefined) return known;
    const lag = lagOf(store, position, head, now());
    lags.set(position, lag);
    return lag;
  };
  const find = (name: string, slot: Row['slot']): Row | undefined =>
    rows.find((row) => row.name === name && row.slot === slot);

  return Promise.all(
    projections.map(async ({ name, version }): Promise<ProjectionStatus> => {
      const live = find(name, 'live');
      const build = find(name, 'build');
      const position = BigInt(live?.position ?? START);
      const lag = await lagAt(position);
      return {
        name,
        version: live?.version ?? version,
        position,
        lagEvents: lag.events,
        lagSeconds: lag.seconds,
        state: build !== undefined || live?.rebuild ? 'building' : live?.paused ? 'paused' : 'live',
        ...(build === undefined ? {} : { building: BigInt(build.position) }),
        parked: live?.parked ?? 0,
        retrying: live?.retrying ?? 0,
        incomplete: live?.incomplete ?? false,
        lastError: build?.error ?? live?.error ?? null,
      };
    }),
  );
};

const lagOf = async (
  store: Pick<EventStore, 'readAll'>,
  position: Position,
  head: Position,
  now: number,
): Promise<Lag> => {
  if (position >= head) return { events: 0, seconds: 0 };
  const { events } = await store.readAll(position, { limit: COUNTED_EVENTS });
  const [oldest] = events;
  if (oldest === undefined) return { events: 0, seconds: 0 };
  return { events: events.length, seconds: Math.max(0, (now - Date.parse(oldest.recordedAt)) / 1000) };
};
