import type { Recorded } from '../../eventstore/event.ts';
import type { Position } from '../../eventstore/port.ts';
import type { Delivery } from './topics.ts';

/** A listener on one topic, called in log order. It must not block: what it cannot send at once it keeps or drops. */
export type Listener = {
  readonly accountId: string;
  readonly deliver: (delivery: Delivery) => void;
  /** The account may no longer see the topic. Nothing is delivered afterwards. */
  readonly lost: () => void;
  /** The right to the topic may have changed: find out. */
  readonly recheck: () => void;
};

/** What the hub must know of the topics: which messages an event makes, and who loses a topic by it. */
export type Topics = {
  readonly deliveriesOf: (event: Recorded) => readonly Delivery[];
  readonly lossesOf: (event: Recorded) => readonly { readonly topic: string; readonly accountId: string }[];
  /** Topics whose listeners must be asked for their right again. */
  readonly rechecksOf: (event: Recorded) => readonly string[];
};

export type Hub = {
  /** Everything up to here was delivered to the listeners of that moment. */
  readonly position: () => Position;
  /** Listens until the returned function is called. */
  readonly listen: (topic: string, listener: Listener) => () => void;
  /** Hands on a stretch of the log; `position` is how far it reaches. */
  readonly publish: (events: readonly Recorded[], position: Position) => void;
  /** Hands on something that is not in the log. */
  readonly tell: (delivery: Delivery) => void;
  /** How many listeners there are. */
  readonly listeners: () => number;
};

/** Fans events out by topic: one look-up for each topic of an event, however many connections there are. */
export const createHub = (topics: Topics, start: Position): Hub => {
  const byTopic = new Map<string, Set<Listener>>();
  let reached = start;

  const forget = (topic: string, listener: Listener): void => {
    const listeners = byTopic.get(topic);
    listeners?.delete(listener);
    if (listeners?.size === 0) byTopic.delete(topic);
  };
  const tell = (delivery: Delivery): void => {
    for (const listener of byTopic.get(delivery.topic) ?? []) listener.deliver(delivery);
  };

  const publishOne = (event: Recorded): void => {
    for (const { topic, accountId } of topics.lossesOf(event)) {
      for (const listener of [...(byTopic.get(topic) ?? [])]) {
        if (listener.accountId !== accountId) continue;
        forget(topic, listener);
        listener.lost();
      }
    }
    for (const topic of topics.rechecksOf(event)) for (const { recheck } of byTopic.get(topic) ?? []) recheck();
    for (const delivery of topics.deliveriesOf(event)) tell(delivery);
  };

  return {
    position: () => reached,
    listen: (topic, listener) => {
      const listeners = byTopic.get(topic);
      if (listeners === undefined) byTopic.set(topic, new Set([listener]));
      else listeners.add(listener);
      return () => forget(topic, listener);
    },
    publish: (events, position) => {
      if (byTopic.size > 0) for (const event of events) if (event.position > reached) publishOne(event);
      if (position > reached) reached = position;
    },
    tell,
    listeners: () => [...byTopic.values()].reduce((sum, listeners) => sum + listeners.size, 0),
  };
};
