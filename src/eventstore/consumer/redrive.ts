import type { FeedEvent } from '../feed.ts';
import type { Position } from '../port.ts';
import type { Settle } from './checkpoint.ts';
import type { ConsumptionOptions } from './consumption.ts';
import { isDataFault, Poison } from './faults.ts';
import { concerns } from './interest.ts';
import { type Letter, markIncomplete, park, release, waitFrom } from './parking.ts';

export type Redrive = ConsumptionOptions & {
  /** Handles events and settles the letter in one transaction, the checkpoint staying at `to`. */
  readonly write: (events: readonly FeedEvent[], to: Position, settle: Settle) => Promise<void>;
  /** The consumer's position: later events come by the feed. */
  readonly upTo: Position;
};

const PAGE_EVENTS = 512;

/**
 * Handles a parked stream from the event it failed on, or the one behind it when that is to be skipped, in order, up to
 * the consumer's position. Ends with the stream released, or parked at the event that fails now.
 */
export const redrive = async (letter: Letter, options: Redrive): Promise<void> => {
  const { store, decode, consumer, interest, write, upTo } = options;
  const { stream } = letter;
  let from = letter.revision;
  if (letter.verdict === 'skip') {
    from += 1;
    await write([], upTo, async (client) => {
      await markIncomplete(client, consumer);
      await waitFrom(client, consumer, stream, from);
    });
  }

  /** False when an event failed: the stream is parked there. */
  const replay = async (events: readonly FeedEvent[], settle: Settle): Promise<boolean> => {
    try {
      await write(events, upTo, settle);
      return true;
    } catch (error) {
      if (!(error instanceof Poison) && !(isDataFault(error) && events.length > 0)) throw error;
      const half = events.length >> 1;
      const at = error instanceof Poison ? events.indexOf(error.event) : half;
      const [first] = events.slice(at);
      if (first === undefined) throw error;
      const upToFirst: Settle = (client) => waitFrom(client, consumer, stream, first.revision);
      if (at > 0 && !(await replay(events.slice(0, at), upToFirst))) return false;
      if (!(error instanceof Poison) && events.length > 1) return replay(events.slice(at), settle);
      const attempts = first.revision === letter.revision ? letter.attempts + 1 : 1;
      const cause = error instanceof Poison ? error.cause : error;
      await write([], upTo, (client) => park(client, consumer, first, cause, attempts, letter.verdict));
      return false;
    }
  };

  for (;;) {
    const page = await store.readStream(stream, { from, limit: PAGE_EVENTS });
    const events = (await decode(page)).filter(({ position }) => position <= upTo);
    const last = page.at(-1);
    const more = page.length === PAGE_EVENTS && last !== undefined && last.position <= upTo;
    if (more) from = last.revision + 1;
    const settle: Settle = (client) =>
      more ? waitFrom(client, consumer, stream, from) : release(client, consumer, stream);
    const handled = await replay(
      events.filter((event) => concerns(interest, event)),
      settle,
    );
    if (!handled || !more) return;
  }
};
