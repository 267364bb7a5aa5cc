import type { Deps } from '../deps.ts';
import type { Message } from './topics.ts';

/** One connection that listens to one topic: the same object when it joins, shows signs of life, and leaves. */
export type Listening = {
  /** Kind of the topic, such as `session`. */
  readonly kind: string;
  /** The topic's id, without its kind. */
  readonly id: string;
  readonly accountId: string;
  /** Tells this connection alone something that is not stored. */
  readonly tell: (message: Message) => void;
};

/**
 * Follows who listens on this node. An account may listen over several connections, on several nodes; a node that dies
 * tells of nobody who leaves. Called in the middle of deliveries: it must neither throw nor take its time.
 */
export type Audience = {
  /** The topic's `subscribed` and everything that was due went out before. */
  readonly joined: (listening: Listening) => void;
  /** The client has shown that it is there; about every 30 s. */
  readonly alive: (listening: Listening) => void;
  /** Unsubscribed, lost its right, or disconnected. */
  readonly left: (listening: Listening) => void;
};

/**
 * Tells everybody who listens to a topic (`session:<id>`), on every node, something that is not stored: it has no `seq`,
 * is not resumed, and is lost on those who are away.
 */
export type Tell = (topic: string, message: Message) => void;

/** Makes an audience when the service starts. */
export type AudienceOf = (deps: Deps, tell: Tell) => Audience;

/** All of them as one. */
export const together = (audiences: readonly Audience[]): Audience => ({
  joined: (listening) => {
    for (const { joined } of audiences) joined(listening);
  },
  alive: (listening) => {
    for (const { alive } of audiences) alive(listening);
  },
  left: (listening) => {
    for (const { left } of audiences) left(listening);
  },
});
