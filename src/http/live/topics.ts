import type { z } from 'zod';
import type { EventType } from '../../domain/catalogue.ts';
import type { Actor } from '../../domain/decider.ts';
import { categoryOf, type Recorded } from '../../eventstore/event.ts';
import type { Position } from '../../eventstore/port.ts';
import { type Cursor, seqOf } from './cursor.ts';
import type { Topics } from './hub.ts';
import type { Refusal } from './subscription.ts';

/** One message of a topic, before it has a place in the log. `event` is its name (`session:vote-cast`). */
export type Message = { readonly event: string; readonly data: unknown };

/** A message as clients get it. Without `seq` when it is not stored. */
export type Frame = {
  readonly event: string;
  readonly topic: string;
  readonly data: unknown;
  readonly at: string;
  readonly seq?: string;
};

/** All messages that one event makes on one topic; without a position when they are not stored. */
export type Delivery = {
  readonly topic: string;
  readonly position: Position | undefined;
  readonly frames: readonly Frame[];
};

/** What an event tells on a topic. `at`: the log's time of the event. */
export const deliveryOf = (topic: string, position: Position, at: string, messages: readonly Message[]): Delivery => ({
  topic,
  position,
  frames: messages.map(({ event, data }, index) => ({
    event,
    topic,
    data,
    at,
    seq: seqOf(position, index, messages.length),
  })),
});

/** The rest of a delivery for a reader that has seen some of it. */
export const unseen = ({ position, within }: Cursor, delivery: Delivery): Delivery =>
  within > 0 && delivery.position === position + 1n ? { ...delivery, frames: delivery.frames.slice(within) } : delivery;

/** Something that is told and not stored. */
export const unstored = (topic: string, { event, data }: Message, at: string): Delivery => ({
  topic,
  position: undefined,
  frames: [{ event, topic, data, at }],
});

/** What a kind of topic may ask before it lets an account listen. */
export type Asks<State = unknown> = {
  /** Its aggregate, as of now. */
  readonly stateOf: (id: string) => Promise<State | undefined>;
  /** Whether an account is in use; undefined: there is none. */
  readonly activeOf: (accountId: string) => Promise<boolean | undefined>;
};

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
  /** The topic's id of an event whose stream does not tell it: the streams of the category are about other things. */
  readonly topicOfEvent?: (event: Recorded) => string | undefined;
  /** The one stream that holds all of the topic; undefined: several do. */
  readonly streamOf?: (id: string) => string;
  /** Every message name of the topic with the schema of its data. */
  readonly messages: Readonly<Record<string, z.ZodType>>;
  readonly on: { readonly [T in EventType]?: (event: Recorded<T>) => readonly Message[] };
  /** Account that may no longer listen after the event. */
  readonly losses?: { readonly [T in EventType]?: (event: Recorded<T>) => string };
  /**
   * Ids whose listeners are asked for their right again after the event, of whatever category it is. Rights of the
   * listener's own account need none: they are followed for every topic.
   */
  readonly rechecks?: { readonly [T in EventType]?: (event: Recorded<T>) => string };
  /** Asked for accounts with a verified address alone, others are refused before. */
  readonly authorise: (id: string, actor: Actor, asks: Asks<State>) => Promise<Refusal | undefined>;
};
/** A kind of topic whose state is of no interest. */
export type AnyTopicKind = Omit<TopicKind, 'authorise' | 'on' | 'losses' | 'rechecks'> & {
  readonly on: Readonly<Record<string, ((event: never) => readonly Message[]) | undefined>>;
  readonly losses?: Readonly<Record<string, ((event: never) => string) | undefined>>;
  readonly rechecks?: Readonly<Record<string, ((event: never) => string) | undefined>>;
  readonly authorise: (id: string, actor: Actor, asks: never) => Promise<Refusal | undefined>;
};

/** Which messages an event makes, over all kinds of topics. */
export const createTopics = (
  kinds: readonly AnyTopicKind[],
): Topics & { readonly kindOf: (topic: string) => { kind: AnyTopicKind; id: string } | undefined } => {
  const byCategory = new Map<string, AnyTopicKind[]>();
  for (const kind of kinds) byCategory.set(kind.category, [...(byCategory.get(kind.category) ?? []), kind]);
  const rechecking = Map.groupBy(
    kinds.flatMap((kind) => Object.keys(kind.rechecks ?? {}).map((type) => ({ type, kind }))),
    ({ type }) => type,
  );
  const of = (event: Recorded): readonly AnyTopicKind[] => byCategory.get(categoryOf(event.stream)) ?? [];
  const topicOf = (kind: AnyTopicKind, event: Recorded) =>
    `${kind.name}:${kind.topicOfEvent?.(event) ?? kind.topicOf(event.stream)}`;

  return {
    deliveriesOf: (event) =>
      of(event).flatMap((kind) => {
        const messages = kind.on[event.type]?.(event as never) ?? [];
        const { position, recordedAt } = event;
        return messages.length === 0 ? [] : [deliveryOf(topicOf(kind, event), position, recordedAt, messages)];
      }),
    lossesOf: (event) =>
      of(event).flatMap((kind) => {
        const accountId = kind.losses?.[event.type]?.(event as never);
        return accountId === undefined ? [] : [{ topic: topicOf(kind, event), accountId }];
      }),
    rechecksOf: (event) =>
      (rechecking.get(event.type) ?? []).map(
        ({ kind }) => `${kind.name}:${kind.rechecks?.[event.type]?.(event as never)}`,
      ),
    kindOf: (topic) => {
      const colon = topic.indexOf(':');
      const kind = kinds.find(({ name }) => name === topic.slice(0, colon));
      const id = kind?.id.safeParse(topic.slice(colon + 1));
      return kind !== undefined && id?.success === true ? { kind, id: id.data } : undefined;
    },
  };
};
