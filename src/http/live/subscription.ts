import type { Position } from '../../eventstore/port.ts';
import type { Hub } from './hub.ts';
import type { Delivery } from './topics.ts';

/** What came of looking for the messages behind a position: the messages, or too many of them to hand over. */
export type Backlog =
  | { readonly kind: 'messages'; readonly deliveries: readonly Delivery[] }
  | { readonly kind: 'tooFar' };

/** A refusal to let an account listen, with a code of the error envelope. */
export type Refusal = { readonly code: 'FORBIDDEN' | 'NOT_FOUND' | 'VALIDATION_ERROR'; readonly message: string };

/** Where one subscriber's messages go. Deliveries come in log order, none twice. */
export type Receiver = {
  readonly deliver: (delivery: Delivery) => void;
  readonly lost: () => void;
};

export type Opened =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** `seq`: messages behind it follow once `start` is called. `resync`: some before it are missing, read afresh. */
  | {
      readonly kind: 'open';
      readonly seq: Position;
      readonly resync: boolean;
      /** What is due already, in log order; hand it over, then call `start`, without waiting in between. */
      readonly due: () => readonly Delivery[];
      readonly start: () => void;
      readonly close: () => void;
    };

/**
 * Opens one topic for one account. It listens before it asks for the right and reads the past, so that nothing falls
 * between the two: not a message, and not the event that takes the right away.
 */
export const openTopic = async (
  hub: Hub,
  of: {
    readonly topic: string;
    readonly accountId: string;
    readonly after: Position | undefined;
    readonly receiver: Receiver;
    /** Messages kept while the past is read; beyond it the client must read afresh. */
    readonly kept: number;
    readonly authorise: () => Promise<Refusal | undefined>;
    readonly backlog: (after: Position) => Promise<Backlog>;
  },
): Promise<Opened> => {
  const registered = hub.position();
  let queue: Delivery[] = [];
  let overflown = false;
  let live = false;
  let lost = false;
  let sent = of.after ?? registered;

  const close = hub.listen(of.topic, {
    accountId: of.accountId,
    deliver: (delivery) => {
      if (delivery.position <= sent) return;
      if (live) {
        sent = delivery.position;
        of.receiver.deliver(delivery);
      } else if (queue.length < of.kept) queue.push(delivery);
      else overflown = true;
    },
    lost: () => {
      lost = true;
      if (live) of.receiver.lost();
    },
  });

  try {
    const refusal = await of.authorise();
    if (refusal !== undefined) {
      close();
      return { kind: 'refused', refusal };
    }
    const past: Backlog = of.after === undefined ? { kind: 'messages', deliveries: [] } : await of.backlog(of.after);
    if (lost) return { kind: 'refused', refusal: { code: 'FORBIDDEN', message: 'You may no longer see this' } };
    const resync = past.kind === 'tooFar' || overflown;
    if (resync) {
      queue = [];
      sent = hub.position();
    }
    const earlier = past.kind === 'messages' && !resync ? past.deliveries : [];
    const seq = resync ? sent : (of.after ?? registered);
    return {
      kind: 'open',
      seq,
      resync,
      due: () => {
        const due: Delivery[] = [];
        for (const delivery of [...earlier, ...queue]) {
          if (delivery.position <= sent) continue;
          sent = delivery.position;
          due.push(delivery);
        }
        queue = [];
        return due;
      },
      start: () => {
        live = true;
        if (lost) of.receiver.lost();
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
};
