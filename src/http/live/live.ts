import type { AnyDecider, Reads } from '../../commands/binding.ts';
import type { Actor } from '../../domain/decider.ts';
import type { Codec } from '../../eventstore/codec.ts';
import { isUndecodable, type Recorded } from '../../eventstore/event.ts';
import { type Feed, FeedClosed } from '../../eventstore/feed.ts';
import type { EventStore } from '../../eventstore/port.ts';
import { backlogOf } from './history.ts';
import { createHub, type Hub } from './hub.ts';
import type { Limits } from './limits.ts';
import { createRegistry } from './registry.ts';
import { type Opened, openTopic, type Receiver } from './subscription.ts';
import { type AnyTopicKind, createTopics } from './topics.ts';

/** Live updates of one process, whatever they travel by. */
export type Live = {
  readonly hub: Hub;
  readonly limits: Limits;
  /** Opens a topic for an account. `after` is the `seq` of the last message it has seen. */
  readonly open: (topic: string, actor: Actor, after: string | undefined, receiver: Receiver) => Promise<Opened>;
  /** Takes one of an account's places; undefined when all are taken. */
  readonly enter: (accountId: string) => (() => void) | undefined;
  /** Takes one of the places of an address whose connections have not logged in yet. */
  readonly enterAsStranger: (address: string) => (() => void) | undefined;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
};

const RETRY_MS = 250;

/** Starts to follow the log. `decider` is the aggregate that a kind of topic asks about its right to listen. */
export const createLive = async (of: {
  readonly kinds: readonly { readonly kind: AnyTopicKind; readonly decider?: AnyDecider }[];
  readonly feed: Pick<Feed, 'after'>;
  readonly store: EventStore;
  readonly codec: Codec;
  readonly reads: Pick<Reads, 'load'>;
  readonly limits: Limits;
  readonly onError: (error: unknown) => void;
}): Promise<Live> => {
  const { store, codec, limits } = of;
  const topics = createTopics(of.kinds.map(({ kind }) => kind));
  const hub = createHub(topics, await store.head());
  const accounts = createRegistry(limits.connectionsPerAccount);
  const strangers = createRegistry(limits.strangersPerAddress);
  const stopping = new AbortController();

  const follow = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const { events, to } = await of.feed.after(hub.position(), stopping.signal);
        // What cannot be read cannot be shown either; projections and readiness report it.
        hub.publish(
          events.filter((event): event is Recorded & typeof event => !isUndecodable(event)),
          to,
        );
      } catch (error) {
        if (stopping.signal.aborted || error instanceof FeedClosed) return;
        of.onError(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };
  const following = follow();

  const open: Live['open'] = async (topic, actor, after, receiver) => {
    const known = topics.kindOf(topic);
    if (known === undefined)
      return {
        kind: 'refused',
        refusal: { code: 'VALIDATION_ERROR', message: 'No such kind of topic, or a malformed id' },
      };
    const { kind, id } = known;
    const decider = of.kinds.find((entry) => entry.kind === kind)?.decider;
    const stateOf = async (streamId: string): Promise<unknown> => {
      if (decider === undefined) return undefined;
      const { state, revision } = await of.reads.load(decider as never, streamId);
      return revision === undefined ? undefined : state;
    };
    return openTopic(hub, {
      topic: `${kind.name}:${id}`,
      accountId: actor.id,
      after: after === undefined ? undefined : BigInt(after),
      receiver,
      kept: limits.replayedMessages,
      authorise: () => kind.authorise(id, actor, { stateOf } as never),
      backlog: (from) =>
        backlogOf({ store, codec, limits }, { kind, id, deliveriesOf: topics.deliveriesOf }, from, hub.position()),
    });
  };

  return {
    hub,
    limits,
    open,
    enter: accounts.enter,
    enterAsStranger: strangers.enter,
    connections: () => accounts.total() + strangers.total(),
    close: async () => {
      stopping.abort();
      await following;
    },
  };
};
