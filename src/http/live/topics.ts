import type { z } from 'zod';
import type { EventType } from '../../domain/catalogue.ts';
import type { Actor } from '../../domain/decider.ts';
import { categoryOf, type Recorded } from '../../eventstore/event.ts';
import type { Position } from '../../eventstore/port.ts';
import type { Topics } from './hub.ts';
import type { Refusal } from './subscription.ts';

/** One message of a topic, before it has a place in the log. `event` is its name (`session:vote-cast`). */
export type Message = { readonly event: string; readonly data: unknown };

/** All messages that one event makes on one topic. */
export type Delivery = {
  readonly topic: string;
  readonly position: Position;
  /** The log's time of the event. */
  readonly at: string;
  readonly messages: readonly Message[];
};

/** A message as clients get it. */
export type Frame = {
  readonly event: string;
  readonly topic: string;
  readonly data: unknown;
  readonly at: string;
  readonly seq: string;
};

/**
 * The messages of a delivery with their places. Only the last one carries the event's own position, those before it the
 * place right before it: a reader cut off in the middle resumes with the whole event instead of losing its rest.
 */
const framesBy = new WeakMap<Delivery, readonly Frame[]>();
export const framesOf = (delivery: Delivery): readonly Frame[] => {
  const known = framesBy.get(delivery);
  if (known !== undefined) return known;
  const last = delivery.messages.length - 1;
  const frames = delivery.messages.map(({ event, data }, index) => ({
    event,
    topic: delivery.topic,
    data,
    at: delivery.at,
    seq: String(index === last ? delivery.position : delivery.position - 1n),
  }));
  framesBy.set(delivery, frames);
  return frames;
};

/** A frame as JSON, written once however many listeners get it. */
const texts = new WeakMap<Frame, string>();
export const textOf = (frame: Frame): string => {
  const known = texts.get(frame);
  if (known !== undefined) return known;
  const text = JSON.stringify(frame);
  texts.set(frame, text);
  return text;
};

/** What a kind of topic may ask before it lets an account listen. */
export type Asks<State = unknown> = { readonly stateOf: (id: string) => Promise<State | undefined> };

/**
 * A kind of topic, `<name>:<id>`: the events that it is made of and what each of them tells. A handler gets events of
 * the category alone and shows nothing that is hidden from any reader of the topic.
 */
export type TopicKind<State = never> = {
  readonly name: string;
  readonly id: z.ZodType<string>;
  /** For the API document. */
  readonly summary: string;
  /** Category of the streams that its events lie in. */
  readonly category: string;
  /** The topic's id for a stream of the category. */
  readonly topicOf: (stream: string) => string;
  /** The one stream that holds all of the topic; undefined: several do. */
  readonly streamOf?: (id: string) => string;
  /** Every message name of the topic with the schema of its data. */
  readonly messages: Readonly<Record<string, z.ZodType>>;
  readonly on: { readonly [T in EventType]?: (event: Recorded<T>) => readonly Message[] };
  /** Account that may no longer listen after the event. */
  readonly losses?: { readonly [T in EventType]?: (event: Recorded<T>) => string };
  readonly authorise: (id: string, actor: Actor, asks: Asks<State>) => Promise<Refusal | undefined>;
};
/** A kind of topic whose state is of no interest. */
export type AnyTopicKind = Omit<TopicKind, 'authorise' | 'on' | 'losses'> & {
  readonly on: Readonly<Record<string, ((event: never) => readonly Message[]) | undefined>>;
  readonly losses?: Readonly<Record<string, ((event: never) => string) | undefined>>;
  readonly authorise: (id: string, actor: Actor, asks: never) => Promise<Refusal | undefined>;
};

/** Which messages an event makes, over all kinds of topics. */
export const createTopics = (
  kinds: readonly AnyTopicKind[],
): Topics & { readonly kindOf: (topic: string) => { kind: AnyTopicKind; id: string } | undefined } => {
  const byCategory = new Map<string, AnyTopicKind[]>();
  for (const kind of kinds) byCategory.set(kind.category, [...(byCategory.get(kind.category) ?? []), kind]);
  const of = (event: Recorded): readonly AnyTopicKind[] => byCategory.get(categoryOf(event.stream)) ?? [];
  const topicOf = (kind: AnyTopicKind, event: Recorded) => `${kind.name}:${kind.topicOf(event.stream)}`;

  return {
    deliveriesOf: (event) =>
      of(event).flatMap((kind) => {
        const messages = kind.on[event.type]?.(event as never) ?? [];
        const { position, recordedAt: at } = event;
        return messages.length === 0 ? [] : [{ topic: topicOf(kind, event), position, at, messages }];
      }),
    lossesOf: (event) =>
      of(event).flatMap((kind) => {
        const accountId = kind.losses?.[event.type]?.(event as never);
        return accountId === undefined ? [] : [{ topic: topicOf(kind, event), accountId }];
      }),
    kindOf: (topic) => {
      const colon = topic.indexOf(':');
      const kind = kinds.find(({ name }) => name === topic.slice(0, colon));
      const id = kind?.id.safeParse(topic.slice(colon + 1));
      return kind !== undefined && id?.success === true ? { kind, id: id.data } : undefined;
    },
  };
};
