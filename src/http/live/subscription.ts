import type { Position } from '../../eventstore/port.ts';
import { type Cursor, textOf } from './cursor.ts';
import type { Hub } from './hub.ts';
import { type Delivery, unseen } from './topics.ts';

/** What came of looking for the messages behind a position: the messages, or too many of them to hand over. */
export type Backlog =
  | { readonly kind: 'messages'; readonly deliveries: readonly Delivery[] }
  | { readonly kind: 'tooFar' };

/** A refusal to let an account listen, with a code of the error envelope. */
export type Refusal = { readonly code: 'FORBIDDEN' | 'NOT_FOUND' | 'VALIDATION_ERROR'; readonly message: string };

/** Where one subscriber's messages go once it has started. Deliveries come in log order, none twice. */
export type Receiver = {
  readonly deliver: (delivery: Delivery) => void;
  /** The right is gone. Nothing follows. */
  readonly lost: (refusal: Refusal) => void;
};

/** What is due to a subscriber that has not started: messages, or word that too many were missed to tell them. */
export type Due = Delivery | { readonly resync: Position };

/** A topic that was opened. Take what is due, as fast as the client reads it, and start when nothing is left. */
export type Open = {
  /** Messages behind it follow. */
  readonly seq: string;
  /** Some before `seq` are missing: to be read afresh. */
  readonly resync: boolean;
  /** The next thing due, in log order; the same again until it is taken. */
  readonly due: () => Due | undefined;
  /** Takes it. */
  readonly take: () => void;
  /** To be called when nothing is due, without waiting in between: from here on the receiver is told. */
  readonly start: () => void;
  /** The client has shown that it is there. */
  readonly alive: () => void;
  readonly close: () => void;
};
export type Opened = { readonly kind: 'refused'; readonly refusal: Refusal } | ({ readonly kind: 'open' } & Open);

export const noLonger: Refusal = { code: 'FORBIDDEN', message: 'You may no longer see this' };

/** Told of a subscriber that has started, is there, and is gone. */
export type Followed = { readonly joined: () => void; readonly alive: () => void; readonly left: () => void };

/**
 * Opens one topic for one account. It listens before it asks for the right and reads the past, so that nothing falls
 * between the two: not a message, and not the event that takes the right away.
 */
export const openTopic = async (
  hub: Hub,
  of: {
    readonly topic: string;
    readonly accountId: string;
    readonly after: Cursor | undefined;
    readonly receiver: Receiver;
    /** Messages kept while others are due; beyond it the client must read afresh. */
    readonly kept: number;
    readonly authorise: () => Promise<Refusal | undefined>;
    /** Asks for a new look at the right. */
    readonly recheck: () => void;
    /** Given what takes the topic away, until the returned function is called. */
    readonly hold: (lose: (refusal: Refusal) => void) => () => void;
    readonly backlog: (after: Position) => Promise<Backlog>;
    readonly followed: Followed;
  },
): Promise<Opened> => {
  const { after } = of;
  const registered = hub.position();
  /** What the past holds, then what came in meanwhile. */
  let due: Delivery[] = [];
  let past = 0;
  let next = 0;
  let queued = 0;
  let overflown = false;
  let state: 'opening' | 'live' | 'over' = 'opening';
  let lost: Refusal | undefined;
  let sent = after?.position ?? registered;
  /** The rest of an event that the client was cut off in may come from the past, or only now. */
  let rest = (delivery: Delivery): Delivery => (after === undefined ? delivery : unseen(after, delivery));

  const close = (): void => {
    if (state === 'over') return;
    unlisten();
    letGo();
    if (state === 'live') of.followed.left();
    state = 'over';
    due = [];
  };
  const lose = (refusal: Refusal): void => {
    lost ??= refusal;
    if (state !== 'live') return;
    close();
    of.receiver.lost(lost);
  };
  const unlisten = hub.listen(of.topic, {
    accountId: of.accountId,
    deliver: (delivery) => {
      if (delivery.position !== undefined && delivery.position <= sent) return;
      const unread = rest(delivery);
      if (state === 'live') {
        sent = delivery.position ?? sent;
        of.receiver.deliver(unread);
        return;
      }
      queued += unread.frames.length;
      if (queued > of.kept) overflown = true;
      else due.push(unread);
    },
    lost: () => lose(noLonger),
    recheck: of.recheck,
  });
  const letGo = of.hold(lose);
  const skip = (): void => {
    due = [];
    past = 0;
    next = 0;
    queued = 0;
    overflown = false;
    rest = (delivery) => delivery;
    sent = hub.position();
  };
  const pass = (): void => {
    if (next >= past) queued -= due[next]?.frames.length ?? 0;
    next += 1;
  };
  /** The next one; what the past and the queue both hold is passed over. */
  const current = (): Delivery | undefined => {
    for (; next < due.length; pass()) {
      const delivery = due[next];
      if (delivery?.position === undefined || delivery.position > sent) return delivery;
    }
    return undefined;
  };

  try {
    const refusal = (await of.authorise()) ?? lost;
    const found: Backlog | undefined =
      refusal === undefined && after !== undefined ? await of.backlog(after.position) : undefined;
    const refused = refusal ?? lost;
    if (refused !== undefined) {
      close();
      return { kind: 'refused', refusal: refused };
    }
    const resync = found?.kind === 'tooFar' || overflown;
    if (resync) skip();
    else if (found?.kind === 'messages' && after !== undefined) {
      due = [...found.deliveries.map(rest), ...due];
      past = found.deliveries.length;
    }
    return {
      kind: 'open',
      seq: resync || after === undefined ? String(sent) : textOf(after),
      resync,
      due: () => {
        if (lost !== undefined || state !== 'opening') return undefined;
        return overflown ? { resync: hub.position() } : current();
      },
      take: () => {
        if (overflown) return skip();
        sent = current()?.position ?? sent;
        return pass();
      },
      start: () => {
        if (state !== 'opening') return;
        if (lost !== undefined) {
          close();
          of.receiver.lost(lost);
          return;
        }
        state = 'live';
        due = [];
        of.followed.joined();
      },
      alive: () => {
        if (state === 'live') of.followed.alive();
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
};
