import { type ClientMessage, type Parsed, parsed } from './clientMessages.ts';
import { encoded, type Names } from './encoding.ts';
import type { Limits } from './limits.ts';
import { closeCodes } from './limits.ts';
import type { Live, Place } from './live.ts';
import type { Login, Logins } from './logins.ts';
import type { Due, Open } from './subscription.ts';
import type { Delivery } from './topics.ts';

/** The way to the client. `send` says how many bytes wait to be taken by it; `taken` is called when these are. */
export type Transport = {
  readonly send: (data: string | Buffer, taken?: () => void) => number;
  readonly close: (code: number, reason: string) => void;
  readonly ping: () => void;
};

export type ConnectionDeps = {
  readonly transport: Transport;
  readonly live: Pick<Live, 'limits' | 'enter' | 'pulse'>;
  readonly logins: Pick<Logins, 'byToken' | 'byTicket'>;
  readonly names: Names;
  readonly onError: (error: unknown) => void;
};

export type Connection = {
  /** A message from the client. */
  readonly received: (text: string) => void;
  /** A sign of life from the client. */
  readonly heard: () => void;
  /** Ends it from our side. */
  readonly close: (code: number, reason: string) => void;
  /** The client is gone, or was sent away: everything is given back. */
  readonly ended: () => void;
};

/** When a connection has to do something by itself. Times are those of the pulse. */
const createClock = (limits: Limits, now: number) => {
  let [heard, pinged, checked] = [now, now, now];
  let ends = Number.POSITIVE_INFINITY;
  let warned = false;
  return {
    heard: (): void => {
      heard = Date.now();
    },
    logIn: (expiresAt: Date): void => {
      ends = expiresAt.getTime();
      warned = false;
    },
    /** What is due now, the most pressing alone. */
    due: (time: number, loggedIn: boolean): 'late' | 'silent' | 'expired' | 'warn' | 'check' | 'ping' | undefined => {
      if (!loggedIn) return time - now >= limits.authWithin ? 'late' : undefined;
      if (time - heard > limits.silence) return 'silent';
      if (time >= ends) return 'expired';
      if (!warned && time >= ends - limits.expiryWarning) {
        warned = true;
        return 'warn';
      }
      if (time - checked >= limits.checkEvery) {
        checked = time;
        return 'check';
      }
      if (time - pinged < limits.pingEvery) return undefined;
      pinged = time;
      return 'ping';
    },
    ends: (): string => new Date(ends).toISOString(),
  };
};

/** One WebSocket's talk: login first, then topics. Messages of one client are answered in their order. */
export const createConnection = (deps: ConnectionDeps): Connection => {
  const { transport, live, logins } = deps;
  const { limits } = live;
  const bytesOf = encoded.webSocket[deps.names];
  const topics = new Map<string, Open>();
  const clock = createClock(limits, Date.now());
  let place: Place | undefined;
  let accountId: string | undefined;
  let over = false;
  let waiting = 0;
  let answered: Promise<void> = Promise.resolve();

  const ended = (): void => {
    if (over) return;
    over = true;
    unfollow();
    for (const { close } of topics.values()) close();
    topics.clear();
    place?.leave();
  };
  const close = (code: number, reason: string): void => {
    if (over) return;
    ended();
    transport.close(code, reason);
  };
  /** Bytes that wait to be taken. */
  const write = (data: string | Buffer, taken?: () => void): number => {
    if (over) return 0;
    const unread = transport.send(data, taken);
    if (unread > limits.unreadBytes) close(closeCodes.tooSlow, 'reading too slowly');
    return unread;
  };
  const send = (message: object): number => write(JSON.stringify(message));
  const refuse = (code: string, message: string, topic?: string): number =>
    send({ type: 'error', code, message, ...(topic === undefined ? {} : { topic }) });

  const unfollow = live.pulse.follow((now) => {
    switch (clock.due(now, place !== undefined)) {
      case 'late':
        return close(closeCodes.unauthorized, 'no login in time');
      case 'silent':
        return close(closeCodes.tooSlow, 'nothing heard');
      case 'expired':
        return close(closeCodes.unauthorized, 'token expired');
      case 'warn':
        send({ type: 'auth:expiring', at: clock.ends() });
        return undefined;
      case 'check':
        return place?.recheck();
      case 'ping':
        return transport.ping();
      default:
        return undefined;
    }
  });

  const logIn = async (login: Login | undefined): Promise<void> => {
    if (over) return;
    if (login === undefined || login.endsAt.getTime() <= Date.now())
      return close(closeCodes.unauthorized, 'no valid token');
    const { actor, endsAt } = login;
    if (place !== undefined && accountId !== actor.id) return close(closeCodes.unauthorized, 'another account');
    if (place === undefined) {
      const entered = await live.enter(actor, () => close(closeCodes.unauthorized, 'login revoked'));
      if (over) return entered?.leave();
      if (entered === undefined) return close(closeCodes.tooMany, 'too many connections');
      place = entered;
      accountId = actor.id;
    } else place.renew(actor);
    clock.logIn(endsAt);
    send({ type: 'auth:ok', expiresAt: endsAt.toISOString() });
    return undefined;
  };

  const deliver = ({ frames }: Delivery): void => {
    for (const frame of frames) write(bytesOf(frame));
  };
  /** Sends one thing that is due, and waits until the client has taken enough of what was sent. */
  const hand = async (topic: string, due: Due): Promise<void> => {
    if ('resync' in due) {
      send({ type: 'resync', topic, seq: String(due.resync) });
      return;
    }
    const last = due.frames.length - 1;
    for (const [index, frame] of due.frames.entries()) {
      if (index < last) write(bytesOf(frame));
      else {
        const { promise, resolve } = Promise.withResolvers<void>();
        if (write(bytesOf(frame), resolve) > limits.pacedBytes && !over) await promise;
      }
    }
  };
  const handOver = async (topic: string, open: Open): Promise<void> => {
    for (;;) {
      const due = open.due();
      if (due === undefined || over) break;
      open.take();
      await hand(topic, due);
    }
    if (!over) open.start();
  };

  const subscribe = async (topic: string, after: string | undefined, { open }: Place): Promise<void> => {
    if (!topics.has(topic) && topics.size >= limits.topicsPerConnection) {
      refuse('RATE_LIMIT_EXCEEDED', `At most ${limits.topicsPerConnection} topics`, topic);
      return;
    }
    topics.get(topic)?.close();
    topics.delete(topic);
    const opened = await open(topic, after, {
      deliver,
      lost: ({ code, message }) => {
        topics.delete(topic);
        refuse(code, message, topic);
      },
    });
    if (opened.kind === 'refused') {
      refuse(opened.refusal.code, opened.refusal.message, topic);
      return;
    }
    if (over) return opened.close();
    topics.set(topic, opened);
    send({ type: opened.resync ? 'resync' : 'subscribed', topic, seq: opened.seq });
    // Not waited for: a client that takes its time with one topic may still speak.
    handOver(topic, opened).catch(deps.onError);
    return undefined;
  };

  const answer = async (said: Parsed): Promise<void> => {
    if (over) return undefined;
    if (said.ok && said.message.type === 'auth') {
      const { token, ticket } = said.message;
      return logIn(token === undefined ? await logins.byTicket(ticket ?? '') : await logins.byToken(token));
    }
    if (place === undefined) return close(closeCodes.unauthorized, 'log in first');
    if (said.ok) return comply(said.message, place);
    refuse('BAD_REQUEST', said.wrong, said.topic);
    return undefined;
  };
  const comply = async (message: ClientMessage, at: Place): Promise<void> => {
    if (message.type === 'subscribe') return subscribe(message.topic, message.after, at);
    if (message.type === 'ping') send({ type: 'pong' });
    if (message.type !== 'unsubscribe') return;
    topics.get(message.topic)?.close();
    topics.delete(message.topic);
    send({ type: 'unsubscribed', topic: message.topic });
  };

  return {
    heard: () => {
      clock.heard();
      for (const { alive } of topics.values()) alive();
    },
    received: (text) => {
      clock.heard();
      if (waiting >= limits.waitingMessages) return close(closeCodes.flood, 'too many messages at once');
      waiting += 1;
      answered = answered
        .then(() => answer(parsed(text)))
        .catch((error: unknown) => {
          deps.onError(error);
          refuse('INTERNAL_ERROR', 'This could not be answered; try again');
        })
        .finally(() => {
          waiting -= 1;
        });
      return undefined;
    },
    close,
    ended,
  };
};
