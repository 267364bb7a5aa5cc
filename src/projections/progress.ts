import type pg from 'pg';
import { type Position, START } from '../eventstore/port.ts';
import { listen } from '../eventstore/postgres/listener.ts';

/** Where the process that runs the projections tells how far they have come. */
const CHANNEL = 'convene_projected';
const PUBLISH_MS = 20;
/** Postgres takes less than 8,000 bytes in a notification. */
const PAYLOAD_CHARS = 7_000;
/** How long a reader waits for a notification before it looks at the checkpoints itself. */
const LOOK_MS = 500;

/** How far the projections have come, known in every process. */
export type Progress = {
  /** Notes how far a projection that runs in this process has come, and tells the others soon. */
  readonly moved: (name: string, position: Position) => void;
  /** The last known position; START when nothing is known. */
  readonly of: (name: string) => Position;
  /** Waits until all of them have come to the position; false when they have not after `timeoutMs`. */
  readonly reached: (names: readonly string[], position: Position, timeoutMs: number) => Promise<boolean>;
  readonly close: () => Promise<void>;
};

type Waiter = { readonly holds: () => boolean; readonly resolve: () => void };

export const createProgress = ({
  pool,
  log = () => {},
}: {
  readonly pool: pg.Pool;
  /** Told of failures to publish; readers then look for themselves. */
  readonly log?: (error: unknown) => void;
}): Progress => {
  const positions = new Map<string, Position>();
  const waiters = new Set<Waiter>();
  const unpublished = new Set<string>();
  let publishing: NodeJS.Timeout | undefined;
  let publication: Promise<unknown> = Promise.resolve();

  const of = (name: string): Position => positions.get(name) ?? START;
  const note = (name: string, position: Position): void => {
    if (position > of(name)) positions.set(name, position);
  };
  const release = (): void => {
    for (const waiter of waiters)
      if (waiter.holds()) {
        waiters.delete(waiter);
        waiter.resolve();
      }
  };

  const listener = listen(pool.options, CHANNEL, (payload) => {
    for (const pair of payload.split(' ')) {
      const [name, position] = pair.split('=');
      if (name !== undefined && position !== undefined) note(name, BigInt(position));
    }
    release();
  });

  const publish = (): void => {
    publishing = undefined;
    const payloads: string[] = [];
    for (const name of unpublished) {
      const pair = `${name}=${of(name)}`;
      const last = payloads.at(-1);
      if (last === undefined || last.length + pair.length > PAYLOAD_CHARS) payloads.push(pair);
      else payloads[payloads.length - 1] = `${last} ${pair}`;
    }
    unpublished.clear();
    publication = pool
      .query('select pg_notify($1, payload) from unnest($2::text[]) payload', [CHANNEL, payloads])
      .catch(log);
  };

  const look = async (): Promise<void> => {
    const { rows } = await pool.query<{ name: string; position: string }>(
      `select name, position::text from convene.checkpoints where kind = 'projection' and slot = 'live'`,
    );
    for (const { name, position } of rows) note(name, BigInt(position));
    release();
  };

  return {
    of,
    moved: (name, position) => {
      if (position <= of(name)) return;
      positions.set(name, position);
      release();
      unpublished.add(name);
      publishing ??= setTimeout(publish, PUBLISH_MS);
    },
    reached: (names, position, timeoutMs) => {
      const holds = (): boolean => names.every((name) => of(name) >= position);
      if (holds()) return Promise.resolve(true);
      return new Promise((resolve) => {
        const end = (answer: boolean): void => {
          clearInterval(looking);
          clearTimeout(deadline);
          waiters.delete(waiter);
          resolve(answer);
        };
        const waiter: Waiter = { holds, resolve: () => end(true) };
        const looking = setInterval(() => void look().catch(log), LOOK_MS);
        const deadline = setTimeout(() => end(holds()), timeoutMs);
        waiters.add(waiter);
        if (names.some((name) => !positions.has(name))) void look().catch(log);
      });
    },
    close: async () => {
      clearTimeout(publishing);
      await listener.close();
      await publication;
    },
  };
};
