import { setImmediate as turn } from 'node:timers/promises';
import {
  type AllStreamResolvedEvent,
  eventTypeFilter,
  excludeSystemEvents,
  type Filter as ServerFilter,
  streamNameFilter,
} from '@eventstore/db-client';
import type { Logger } from 'pino';
import { passing } from '../filter.ts';
import type { EventStore, Filter, Position, StoredEvent, Subscription } from '../port.ts';
import type { Connection } from './connection.ts';
import { backOff } from './patience.ts';
import { place } from './reading.ts';
import { isOwn, positionOf, storedEvent } from './records.ts';

const BATCH_EVENTS = 500;
/** Events that the server looks at between two reports of how far it has come. */
const SEARCH_WINDOW = 500;

/** What comes through a subscription, in order: events, and between them how far the server has looked. */
type Item = AllStreamResolvedEvent | { readonly reached: Position } | 'caughtUp';

type Checkpoint = NonNullable<ServerFilter['checkpointReached']>;

const anyOf = (words: readonly string[]): string =>
  words.map((word) => word.replace(/[\\^$.*+?()[\]{}|#\s-]/g, '\\$&')).join('|');

/** The server judges types or streams, not both; what it leaves is judged here. Neither lets the server's own events through. */
const serverFilter = (filter: Filter, checkpointReached: Checkpoint): ServerFilter => {
  const options = { checkpointReached, maxSearchWindow: SEARCH_WINDOW };
  if (filter.types !== undefined && filter.types.length > 0)
    return eventTypeFilter({ ...options, regex: `^(?:${anyOf(filter.types)})$` });
  if (filter.categories !== undefined && filter.categories.length > 0)
    return streamNameFilter({ ...options, regex: `^(?:${anyOf(filter.categories)})-` });
  return excludeSystemEvents(options);
};

/** What `onBatch` threw: the one failure that ends a subscription. */
class HandlerFailure extends Error {
  override readonly name = 'HandlerFailure';
}

/**
 * Subscriptions to EventStoreDB that go on by themselves after any loss. The stored past comes filtered by the server.
 * From then on all events of ours come and are filtered here, because the server tells only every so many events how far
 * it has looked, and a reader that waits for a position of another event would wait until then.
 */
export const subscriber = (options: {
  readonly connection: Connection;
  readonly log?: Pick<Logger, 'warn'>;
  readonly seen: (position: Position) => void;
}): EventStore['subscribe'] => {
  const { connection, log, seen } = options;

  return (after, { filter, onBatch }): Subscription => {
    const closing = new AbortController();
    const { signal } = closing;
    const passes = passing(filter);
    /** Everything up to here was handled: where a new connection begins. */
    let handled = after;

    const handle = async (events: readonly StoredEvent[], position: Position): Promise<void> => {
      try {
        await onBatch({ events, position });
      } catch (cause) {
        throw new HandlerFailure('A batch could not be handled', { cause });
      }
      handled = position;
      seen(events.at(-1)?.position ?? 0n);
    };

    /** Follows one connection until it breaks, or, in the past, until the present is reached. */
    const follow = async (past: boolean): Promise<void> => {
      const put = (item: Item) => source.push(item);
      // A checkpoint runs ahead of events that wait in the client: it takes its place in the line behind them.
      const checkpoint: Checkpoint = (_subscription, { commit }) => {
        put({ reached: commit });
      };
      const client = connection.client();
      const source = client.subscribeToAll(
        {
          fromPosition: place(handled),
          filter: past && filter !== undefined ? serverFilter(filter, checkpoint) : excludeSystemEvents(),
        },
        { highWaterMark: BATCH_EVENTS },
      );
      const stop = () => source.destroy();
      signal.addEventListener('abort', stop);
      // The client may report an error once more when the loop below no longer listens.
      source.on('error', () => {});
      if (past) source.on('caughtUp', () => put('caughtUp'));
      let events: StoredEvent[] = [];
      let position = handled;
      try {
        for await (const item of source as AsyncIterable<Item>) {
          const caughtUp = item === 'caughtUp';
          if (!caughtUp && 'reached' in item) {
            if (item.reached > position) position = item.reached;
          } else if (!caughtUp && item.event !== undefined && isOwn(item.event) && positionOf(item.event) > position) {
            position = positionOf(item.event);
            if (passes({ type: item.event.type, stream: item.event.streamId })) events.push(storedEvent(item.event));
          }
          if (!caughtUp && events.length < BATCH_EVENTS) {
            // What has arrived passes through the client one by one; a turn of the event loop lets it gather.
            if (source.readableLength === 0) await turn();
            if (source.readableLength > 0) continue;
          }
          if (signal.aborted) return;
          if (position > handled) await handle(events, position);
          events = [];
          if (caughtUp) return;
        }
        throw new Error('EventStoreDB ended the subscription');
      } catch (error) {
        connection.met(error, client);
        throw error;
      } finally {
        signal.removeEventListener('abort', stop);
        source.unsubscribe().catch(() => {});
        source.destroy();
      }
    };

    const run = async (): Promise<void> => {
      let past = filter !== undefined;
      for (let tries = 0; !signal.aborted; ) {
        const begun = handled;
        try {
          await follow(past);
          past = false;
          tries = 0;
        } catch (error) {
          if (error instanceof HandlerFailure) throw error.cause;
          if (signal.aborted) return;
          past = filter !== undefined;
          tries = handled > begun ? 0 : tries + 1;
          log?.warn(
            { err: error, position: String(handled), tries },
            'subscription to EventStoreDB lost; beginning again',
          );
          await backOff(tries, signal);
        }
      }
    };

    const done = run();
    // Whoever is interested looks at `done`; nobody looking is no reason to end the process.
    done.catch(() => {});
    return {
      done,
      close: async () => {
        closing.abort();
        await done.catch(() => {});
      },
    };
  };
};
