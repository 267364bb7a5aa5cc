import { z } from 'zod';
import type { Actor } from '../../domain/decider.ts';
import type { Limits } from './limits.ts';
import { closeCodes } from './limits.ts';
import type { Opened, Receiver } from './subscription.ts';
import { type Delivery, framesOf, textOf } from './topics.ts';

/** A login that a token proved, and when it ends. */
export type Login = { readonly actor: Actor; readonly expiresAt: Date };

/** The way to the client. `send` says how many bytes wait to be taken by it. */
export type Transport = {
  readonly send: (text: string) => number;
  readonly close: (code: number, reason: string) => void;
  readonly ping: () => void;
};

export type ConnectionDeps = {
  readonly transport: Transport;
  readonly limits: Limits;
  /** Undefined: the token is worth nothing (any more). */
  readonly logIn: (token: string) => Promise<Login | undefined>;
  /** Whether the login still holds: not revoked, account active. */
  readonly alive: (actor: Actor) => Promise<boolean>;
  /** Takes one of the account's places; undefined when all are taken. */
  readonly enter: (accountId: string) => (() => void) | undefined;
  readonly open: (topic: string, actor: Actor, after: string | undefined, receiver: Receiver) => Promise<Opened>;
  /** Message names with `-` instead of `:`. */
  readonly hyphens: boolean;
  readonly onError: (error: unknown) => void;
};

export type Connection = {
  /** A message from the client. */
  readonly received: (text: string) => void;
  /** A sign of life from the client. */
  readonly heard: () => void;
  /** The client is gone, or was sent away: everything is given back. */
  readonly ended: () => void;
};

const ClientMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('auth'), token: z.string().max(8_192) }),
  z.object({
    type: z.literal('subscribe'),
    topic: z.string().max(200),
    after: z
      .string()
      .regex(/^\d{1,20}$/)
      .optional(),
  }),
  z.object({ type: z.literal('unsubscribe'), topic: z.string().max(200) }),
  z.object({ type: z.literal('ping') }),
]);
type ClientMessage = z.output<typeof ClientMessage>;

const parsed = (text: string): ClientMessage | undefined => {
  try {
    return ClientMessage.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
};

/** The longest delay that a timer takes. */
const LONGEST = 2 ** 31 - 1;

/** One WebSocket's talk: login first, then topics. Messages of one client are answered in their order. */
export const createConnection = (deps: ConnectionDeps): Connection => {
  const { transport, limits } = deps;
  const topics = new Map<string, () => void>();
  const timers = new Set<NodeJS.Timeout>();
  let login: Login | undefined;
  let leave: (() => void) | undefined;
  let over = false;
  let lastHeard = Date.now();
  let waiting = 0;
  let answered: Promise<void> = Promise.resolve();

  const after = (milliseconds: number, act: () => void): NodeJS.Timeout => {
    const timer = setTimeout(act, Math.min(Math.max(milliseconds, 0), LONGEST));
    timers.add(timer);
    return timer;
  };
  const ended = (): void => {
    if (over) return;
    over = true;
    for (const timer of timers) clearTimeout(timer);
    clearInterval(pings);
    for (const close of topics.values()) close();
    topics.clear();
    leave?.();
  };
  const close = (code: number, reason: string): void => {
    if (over) return;
    ended();
    transport.close(code, reason);
  };
  const write = (text: string): void => {
    if (over) return;
    if (transport.send(text) > limits.unreadBytes) close(closeCodes.tooSlow, 'reading too slowly');
  };
  const send = (message: object): void => write(JSON.stringify(message));
  const refuse = (code: string, message: string, topic?: string): void =>
    send({ type: 'error', code, message, ...(topic === undefined ? {} : { topic }) });

  const authTimer = after(limits.authWithin, () => close(closeCodes.unauthorized, 'no login in time'));
  const expiryTimers = new Set<NodeJS.Timeout>();
  const pings = setInterval(() => {
    if (Date.now() - lastHeard > limits.silence) return close(closeCodes.tooSlow, 'nothing heard');
    transport.ping();
    if (login !== undefined)
      deps.alive(login.actor).then((alive) => alive || close(closeCodes.unauthorized, 'login revoked'), deps.onError);
    return undefined;
  }, limits.pingEvery);

  const watchExpiry = (expiresAt: Date): void => {
    for (const timer of expiryTimers) clearTimeout(timer);
    expiryTimers.clear();
    const left = expiresAt.getTime() - Date.now();
    expiryTimers.add(
      after(left - limits.expiryWarning, () => send({ type: 'auth:expiring', at: expiresAt.toISOString() })),
    );
    expiryTimers.add(after(left, () => close(closeCodes.unauthorized, 'token expired')));
  };

  const authenticate = async (token: string): Promise<void> => {
    const found = await deps.logIn(token);
    if (over) return undefined;
    if (found === undefined || found.expiresAt.getTime() <= Date.now())
      return close(closeCodes.unauthorized, 'no valid token');
    if (login !== undefined && login.actor.id !== found.actor.id)
      return close(closeCodes.unauthorized, 'another account');
    leave ??= deps.enter(found.actor.id);
    if (leave === undefined) return close(closeCodes.tooMany, 'too many connections');
    clearTimeout(authTimer);
    login = found;
    watchExpiry(found.expiresAt);
    return send({ type: 'auth:ok' });
  };

  const deliver = (delivery: Delivery): void => {
    for (const frame of framesOf(delivery))
      if (deps.hyphens) send({ ...frame, event: frame.event.replace(':', '-') });
      else write(textOf(frame));
  };

  const subscribe = async (topic: string, from: string | undefined, { actor }: Login): Promise<void> => {
    if (!topics.has(topic) && topics.size >= limits.topicsPerConnection)
      return refuse('RATE_LIMIT_EXCEEDED', `At most ${limits.topicsPerConnection} topics`, topic);
    topics.get(topic)?.();
    topics.delete(topic);
    const lost = (): void => {
      topics.delete(topic);
      refuse('FORBIDDEN', 'You may no longer see this', topic);
    };
    const opened = await deps.open(topic, actor, from, { deliver, lost });
    if (opened.kind === 'refused') return refuse(opened.refusal.code, opened.refusal.message, topic);
    if (over) return opened.close();
    topics.set(topic, opened.close);
    send({ type: opened.resync ? 'resync' : 'subscribed', topic, seq: String(opened.seq) });
    for (const delivery of opened.due()) deliver(delivery);
    return opened.start();
  };

  const answer = async (message: ClientMessage | undefined): Promise<void> => {
    if (over) return undefined;
    if (message?.type === 'auth') return authenticate(message.token);
    if (login === undefined) return close(closeCodes.unauthorized, 'log in first');
    if (message === undefined) return refuse('BAD_REQUEST', 'Not a message of this protocol');
    if (message.type === 'subscribe') return subscribe(message.topic, message.after, login);
    if (message.type === 'ping') return send({ type: 'pong' });
    topics.get(message.topic)?.();
    topics.delete(message.topic);
    return send({ type: 'unsubscribed', topic: message.topic });
  };

  return {
    heard: () => {
      lastHeard = Date.now();
    },
    received: (text) => {
      lastHeard = Date.now();
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
    ended,
  };
};
