import type { Codec } from '../../eventstore/codec.ts';
import { isUndecodable, type Recorded } from '../../eventstore/event.ts';
import type { EventStore, Position, StoredEvent } from '../../eventstore/port.ts';
import type { Limits } from './limits.ts';
import type { Backlog } from './subscription.ts';
import type { AnyTopicKind, Delivery } from './topics.ts';

const PAGE = 500;

/** Events of the topic after a position, newest pages first; undefined when there are too many. */
const ofStream = async (store: EventStore, stream: string, after: Position, most: number) => {
  const found: StoredEvent[][] = [];
  let count = 0;
  let from: number | undefined;
  for (;;) {
    const read = await store.readStream(stream, {
      direction: 'backwards',
      limit: PAGE,
      ...(from === undefined ? {} : { from }),
    });
    const wanted = read.filter(({ position }) => position > after);
    found.unshift([...wanted].reverse());
    count += wanted.length;
    if (count > most) return undefined;
    const last = read.at(-1);
    if (wanted.length < read.length || last === undefined || last.revision === 0) return found.flat();
    from = last.revision - 1;
  }
};

/** Events of the category after a position, as far as `until` at least; undefined when there are too many. */
const ofCategory = async (
  store: EventStore,
  of: { readonly category: string; readonly wanted: (stream: string) => boolean },
  after: Position,
  until: Position,
  most: number,
) => {
  const found: StoredEvent[] = [];
  let position = after;
  let count = 0;
  while (position < until) {
    const batch = await store.readAll(position, { filter: { categories: [of.category] }, limit: PAGE });
    if (batch.events.length === 0 && batch.position === position) break;
    count += batch.events.length;
    if (count > most) return undefined;
    found.push(...batch.events.filter(({ stream }) => of.wanted(stream)));
    position = batch.position;
  }
  return found;
};

/**
 * What a topic told after a position, read from the log itself and as far as `until` at least. A position ahead of the
 * log belongs to another log: too far. Throws what the store throws.
 */
export const backlogOf = async (
  of: { readonly store: EventStore; readonly codec: Codec; readonly limits: Limits },
  topic: {
    readonly kind: AnyTopicKind;
    readonly id: string;
    readonly deliveriesOf: (event: Recorded) => readonly Delivery[];
  },
  after: Position,
  until: Position,
): Promise<Backlog> => {
  const { store, codec, limits } = of;
  const { kind, id } = topic;
  if (after > until && after > (await store.head())) return { kind: 'tooFar' };
  const stored =
    kind.streamOf === undefined
      ? await ofCategory(
          store,
          {
            category: kind.category,
            wanted: (stream) => kind.topicOfEvent !== undefined || kind.topicOf(stream) === id,
          },
          after,
          until,
          limits.replayedEvents,
        )
      : await ofStream(store, kind.streamOf(id), after, limits.replayedEvents);
  if (stored === undefined) return { kind: 'tooFar' };

  const name = `${kind.name}:${id}`;
  const deliveries: Delivery[] = [];
  let messages = 0;
  for (let index = 0; index < stored.length; index += PAGE) {
    for (const event of await codec.decode(stored.slice(index, index + PAGE))) {
      if (isUndecodable(event)) continue;
      const due = topic.deliveriesOf(event).filter((delivery) => delivery.topic === name);
      deliveries.push(...due);
      messages += due.reduce((sum, delivery) => sum + delivery.frames.length, 0);
    }
    if (messages > limits.replayedMessages) return { kind: 'tooFar' };
  }
  return { kind: 'messages', deliveries };
};
