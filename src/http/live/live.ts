import type { AnyDecider } from '../../commands/binding.ts';
import type { Reads } from '../../commands/reads.ts';
import type { Actor } from '../../domain/decider.ts';
import type { Codec } from '../../eventstore/codec.ts';
import { isUndecodable, type Recorded } from '../../eventstore/event.ts';
import { type Feed, FeedClosed } from '../../eventstore/feed.ts';
import type { EventStore, Position } from '../../eventstore/port.ts';
import { type Audience, type Listening, type Tell, together } from './audience.ts';
import { createChecks } from './checks.ts';
import { cursorOf } from './cursor.ts';
import { backlogOf } from './history.ts';
import { createHub, type Hub } from './hub.ts';
import type { Limits } from './limits.ts';
import type { Places } from './places.ts';
import { createPulse, type Pulse } from './pulse.ts';
import { createRegistry, type Registry } from './registry.ts';
import type { Relay } from './relay.ts';
import { createSeats, type Seat } from './seats.ts';
import { type Opened, openTopic, type Receiver, type Refusal } from './subscription.ts';
import { type AnyTopicKind, type Asks, createTopics, type Message, unstored } from './topics.ts';

/** A logged-in connection's place. */
export type Place = Pick<Seat, 'renew' | 'recheck' | 'leave'> & {
  /** Opens a topic. `after` is the `seq` of the last message that the client has seen. */
  readonly open: (topic: string, after: string | undefined, receiver: Receiver) => Promise<Opened>;
};

/** Live updates of one process, whatever they travel by. */
export type Live = {
  readonly hub: Hub;
  readonly limits: Limits;
  readonly pulse: Pulse;
  /** Takes one of the account's places; undefined when all are taken. `ended`: the login is worth nothing any more. */
  readonly enter: (actor: Actor, ended: () => void) => Promise<Place | undefined>;
  /** Takes one of the places of an address whose connections have not logged in yet. */
  readonly enterAsStranger: (address: string) => (() => void) | undefined;
  /** Tells the listeners of a topic, on all nodes, something that is not stored. */
  readonly tell: Tell;
  readonly connections: () => number;
  readonly close: () => Promise<void>;
};

const RETRY_MS = 250;
const unverified: Refusal = { code: 'FORBIDDEN', message: 'Please verify your address first' };

export type LiveParts = {
  readonly kinds: readonly { readonly kind: AnyTopicKind; readonly decider?: AnyDecider }[];
  readonly feed: Pick<Feed, 'after'>;
  readonly store: EventStore;
  readonly codec: Codec;
  readonly reads: Pick<Reads, 'load'>;
  readonly limits: Limits;
  /** The actor with its rights of now; undefined when login or account are gone. */
  readonly standing: (actor: Actor) => Promise<Actor | undefined>;
  /** Whether an account is in use; undefined: there is none. */
  readonly activeOf: (accountId: string) => Promise<boolean | undefined>;
  /** Told of every event before the connections are: rights that are asked for afterwards know it. */
  readonly observe: (event: Recorded) => void;
  /** Places of accounts over all nodes; without it those of this process. */
  readonly places?: (local: Registry) => Places;
  /** The way to the other nodes; without it there are none. */
  readonly relay?: (heard: (topic: string, message: Message, at: string) => void) => Relay;
  readonly audiences?: (tell: Tell) => readonly Audience[];
  readonly onError: (error: unknown) => void;
};

/** Starts to follow the log. `decider` is the aggregate that a kind of topic asks about its right to listen. */
export const createLive = async (of: LiveParts): Promise<Live> => {
  const { store, codec, limits } = of;
  const topics = createTopics(of.kinds.map(({ kind }) => kind));
  const hub = createHub(topics, await store.head());
  const pulse = createPulse(limits.beat);
  const checks = createChecks(of.onError);
  const seats = createSeats({ checks, standing: of.standing });
  const accounts = createRegistry(limits.connectionsPerAccount);
  const strangers = createRegistry(limits.strangersPerAddress);
  const places = of.places?.(accounts);
  const stopping = new AbortController();

  const heard = (topic: string, message: Message, at: string): void => hub.tell(unstored(topic, message, at));
  const relay = of.relay?.(heard);
  const tell: Tell = (topic, message) => {
    const at = new Date().toISOString();
    heard(topic, message, at);
    relay?.send(topic, message, at);
  };
  const audience = together(of.audiences?.(tell) ?? []);

  const publish = (events: readonly Recorded[], to: Position): void => {
    for (const event of events) {
      of.observe(event);
      seats.observe(event);
    }
    hub.publish(events, to);
  };
  const follow = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const { events, to } = await of.feed.after(hub.position(), stopping.signal);
        // What cannot be read cannot be shown either; projections and readiness report it.
        publish(
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

  const asksOf = (kind: AnyTopicKind): Asks => {
    const decider = of.kinds.find((entry) => entry.kind === kind)?.decider;
    return {
      stateOf: async (id) => {
        if (decider === undefined) return undefined;
        const { state, revision } = await of.reads.load(decider as never, id);
        return revision === undefined ? undefined : state;
      },
      activeOf: of.activeOf,
    };
  };

  const open = async (seat: Seat, topic: string, after: string | undefined, receiver: Receiver): Promise<Opened> => {
    const known = topics.kindOf(topic);
    if (known === undefined)
      return {
        kind: 'refused',
        refusal: { code: 'VALIDATION_ERROR', message: 'No such kind of topic, or a malformed id' },
      };
    const { kind, id } = known;
    const asks = asksOf(kind);
    const authorise = async (actor: Actor) => (actor.verified ? kind.authorise(id, actor, asks as never) : unverified);
    const accountId = seat.actor().id;
    const name = `${kind.name}:${id}`;
    const listening: Listening = {
      kind: kind.name,
      id,
      accountId,
      tell: (message) => receiver.deliver(unstored(name, message, new Date().toISOString())),
    };
    return openTopic(hub, {
      topic: name,
      accountId,
      after: after === undefined ? undefined : cursorOf(after),
      receiver,
      kept: limits.replayedMessages,
      authorise: () => authorise(seat.actor()),
      recheck: seat.recheck,
      hold: (lose) => seat.hold({ authorise, lose }),
      backlog: (from) =>
        backlogOf({ store, codec, limits }, { kind, id, deliveriesOf: topics.deliveriesOf }, from, hub.position()),
      followed: {
        joined: () => audience.joined(listening),
        alive: () => audience.alive(listening),
        left: () => audience.left(listening),
      },
    });
  };

  return {
    hub,
    limits,
    pulse,
    tell,
    enter: async (actor, ended) => {
      const leave = await (places ?? { enter: async (id: string) => accounts.enter(id) }).enter(actor.id);
      if (leave === undefined) return undefined;
      const seat = seats.take(actor, ended);
      return {
        renew: seat.renew,
        recheck: seat.recheck,
        open: (topic, after, receiver) => open(seat, topic, after, receiver),
        leave: () => {
          seat.leave();
          leave();
        },
      };
    },
    enterAsStranger: strangers.enter,
    connections: () => accounts.total() + strangers.total(),
    close: async () => {
      stopping.abort();
      pulse.stop();
      checks.close();
      await Promise.all([following, relay?.close(), places?.close()]);
    },
  };
};
