import type { Pool } from 'pg';
import { cacheOf } from '../cacheOf.ts';
import { forgetSeats, lapse, renew, type Seat, UNWRITTEN } from '../projections/estimation/presence.ts';

/** Told of somebody who has come or gone without a word; once over all processes. */
export type PresenceChanged = (seat: Seat, present: boolean) => void;

/** Who is present in estimation sessions, by signs of life: requests, and heartbeats of live connections. */
export type Presence = {
  /** Takes note of a sign of life; settles when others can see it. Never rejects. */
  readonly seen: (seat: Seat) => Promise<void>;
  readonly onChange: (changed: PresenceChanged) => void;
  readonly close: () => Promise<void>;
};

/** Seats whose last heartbeat this process remembers. */
const SEATS = 100_000;
const LAPSE_EVERY_MS = 2_000;
/** Every so many rounds what is long over is forgotten. */
const FORGET_EVERY = 1_800;

/**
 * Follows signs of life. Heartbeats that come together are written in one go, and further ones of the same seat not
 * within the next seconds, which the lease allows for.
 */
export const createPresence = ({
  pool,
  onError,
}: {
  readonly pool: Pool;
  readonly onError: (error: unknown) => void;
}): Presence => {
  const written = cacheOf<string, Promise<void>>(SEATS, UNWRITTEN * 1000);
  const listeners: PresenceChanged[] = [];
  let waiting: { readonly seats: Seat[]; readonly done: Promise<void> } | undefined;
  const tell = (seats: readonly Seat[], present: boolean): void => {
    for (const seat of seats) for (const changed of listeners) changed(seat, present);
  };

  const write = async (seats: readonly Seat[]): Promise<void> => {
    try {
      tell(await renew(pool, seats), true);
    } catch (error) {
      for (const { sessionId, accountId } of seats) written.delete(`${sessionId}~${accountId}`);
      onError(error);
    }
  };
  /** All seats of one turn of the event loop go out together. */
  const join = (seat: Seat): Promise<void> => {
    if (waiting === undefined) {
      const seats: Seat[] = [];
      const turn = new Promise<void>((resolve) => setImmediate(resolve));
      const done = turn.then(() => {
        waiting = undefined;
        return write(seats);
      });
      waiting = { seats, done };
    }
    waiting.seats.push(seat);
    return waiting.done;
  };

  let rounds = 0;
  let lapsing: Promise<void> | undefined;
  const round = async (): Promise<void> => {
    try {
      tell(await lapse(pool), false);
      if (rounds++ % FORGET_EVERY === 0) await forgetSeats(pool);
    } catch (error) {
      onError(error);
    }
    lapsing = undefined;
  };
  const timer = setInterval(() => {
    lapsing ??= round();
  }, LAPSE_EVERY_MS);
  timer.unref();

  return {
    seen: (seat) => {
      const key = `${seat.sessionId}~${seat.accountId}`;
      const known = written.get(key);
      if (known !== undefined) return known;
      const done = join(seat);
      written.set(key, done);
      return done;
    },
    onChange: (changed) => {
      listeners.push(changed);
    },
    close: async () => {
      clearInterval(timer);
      await Promise.all([lapsing, waiting?.done]);
    },
  };
};
