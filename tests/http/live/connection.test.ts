import { EventEmitter, once } from 'node:events';
import t, { type Test } from 'tap';
import { createConnection } from '../../../src/http/live/connection.ts';
import { defaultLimits } from '../../../src/http/live/limits.ts';
import { createLive, type LiveParts } from '../../../src/http/live/live.ts';
import type { Login } from '../../../src/http/live/logins.ts';
import { createLog, kinds } from './log.ts';

type Received = { readonly type?: string; readonly [name: string]: unknown };
const actorOf = (id: string) => ({ id, kind: 'user' as const, permissions: [], verified: true, sessionId: `of ${id}` });
const rights = { permissions: [], roles: [], plan: 'free', verified: true, active: true };
const loginOf = (id: string, endsAt: Date): Login => ({ actor: actorOf(id), accountId: id, rights, endsAt });
const inMs = (ms: number): Date => new Date(Date.now() + ms);
/** Milliseconds that a login lasts. */
const LASTS = 60_000;

const followOf =
  (beats: EventEmitter) =>
  (beat: (now: number) => void): (() => void) => {
    beats.on('beat', beat);
    return () => beats.off('beat', beat);
  };

const setUp = async (
  t: Test,
  {
    limits = {},
    names = 'colon',
    beats,
    ...parts
  }: Partial<Omit<LiveParts, 'limits'>> & {
    limits?: Partial<typeof defaultLimits>;
    names?: 'colon' | 'hyphen';
    /** Beats that the test gives itself, in place of the clock's: a process that stands still for a moment misses none. */
    beats?: EventEmitter;
  } = {},
) => {
  const log = createLog();
  const merged = { ...defaultLimits, beat: 1, ...limits };
  const live = await createLive({
    ...log,
    kinds: kinds.map((kind) => ({ kind })),
    reads: { load: async () => ({ state: undefined as never, revision: undefined }) },
    limits: merged,
    standing: async (actor) => actor,
    activeOf: async () => true,
    observe: () => undefined,
    onError: (error) => t.fail(String(error)),
    ...parts,
  });
  const told = new EventEmitter();
  const received: Received[] = [];
  const takers: (() => void)[] = [];
  let unread = 0;
  let closed: { code: number; reason: string } | undefined;
  const connection = createConnection({
    transport: {
      send: (data, taken) => {
        received.push(JSON.parse(String(data)) as Received);
        queueMicrotask(() => told.emit('told'));
        if (taken !== undefined) takers.push(taken);
        return unread;
      },
      close: (code, reason) => {
        closed = { code, reason };
        queueMicrotask(() => told.emit('told'));
      },
      ping: () => told.emit('ping'),
    },
    live: beats === undefined ? live : { ...live, pulse: { ...live.pulse, follow: followOf(beats) } },
    logins: {
      byToken: async (token) => {
        if (token === 'good') return loginOf('anna', inMs(LASTS));
        return token === 'other' ? loginOf('bert', inMs(LASTS)) : undefined;
      },
      byTicket: async (ticket) => (ticket === 'once' ? loginOf('anna', inMs(LASTS)) : undefined),
    },
    names,
    onError: (error) => t.fail(String(error)),
  });
  t.teardown(async () => {
    connection.ended();
    await live.close();
  });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await once(told, 'told');
  };
  return {
    ...log,
    live,
    connection,
    received,
    told,
    until,
    say: (message: unknown) => connection.received(typeof message === 'string' ? message : JSON.stringify(message)),
    heard: async (wanted: Received): Promise<Received> => {
      const fits = (message: Received) => Object.entries(wanted).every(([name, value]) => message[name] === value);
      await until(() => received.some(fits));
      return received.find(fits) as Received;
    },
    closed: async () => {
      await until(() => closed !== undefined);
      return closed;
    },
    /** So many bytes wait for the client from now on. */
    leaveUnread: (bytes: number) => {
      unread = bytes;
    },
    /** The client takes everything that waits for it. */
    read: () => {
      unread = 0;
      for (const taken of takers.splice(0)) taken();
    },
    limits: merged,
  };
};
const logIn = { type: 'auth', token: 'good' };

t.test('a connection', async (t) => {
  t.test('logs in with its first message', async (t) => {
    const { say, heard } = await setUp(t);
    say(logIn);
    t.ok(await heard({ type: 'auth:ok' }));
  });
  t.test('is closed without a login in time', async (t) => {
    const { closed } = await setUp(t, { limits: { authWithin: 5 } });
    t.match(await closed(), { code: 4401 });
  });
  for (const [what, message] of [
    ['a wrong token', { type: 'auth', token: 'bad' }],
    ['another message first', { type: 'subscribe', topic: 'room:a' }],
    ['nonsense first', 'hello'],
  ] as const)
    t.test(`is closed after ${what}`, async (t) => {
      const { say, closed } = await setUp(t);
      say(message);
      t.match(await closed(), { code: 4401 });
    });
  t.test('is closed when its token expires, after a warning', async (t) => {
    const beats = new EventEmitter();
    const { say, heard, closed, received } = await setUp(t, { beats, limits: { expiryWarning: 20_000 } });
    say(logIn);
    const ends = Date.parse(String((await heard({ type: 'auth:ok' })).expiresAt));
    for (const before of [20_001, 20_000, 1]) beats.emit('beat', ends - before);
    t.ok(await heard({ type: 'auth:expiring' }));
    beats.emit('beat', ends);
    t.match(await closed(), { code: 4401, reason: 'token expired' });
    t.strictSame(
      received.map(({ type }) => type),
      ['auth:ok', 'auth:expiring'],
    );
  });
  t.test('goes on with a new token of the same account, and ends with one of another', async (t) => {
    const { say, closed, received } = await setUp(t);
    say(logIn);
    say(logIn);
    say({ type: 'auth', token: 'other' });
    t.match(await closed(), { code: 4401, reason: 'another account' });
    t.strictSame(
      received.map(({ type }) => type),
      ['auth:ok', 'auth:ok'],
    );
  });
  t.test('is closed when its login turns out to be gone', async (t) => {
    let alive = true;
    const { say, heard, closed } = await setUp(t, {
      standing: async (actor) => (alive ? actor : undefined),
      limits: { checkEvery: 5 },
    });
    say(logIn);
    await heard({ type: 'auth:ok' });
    alive = false;
    t.match(await closed(), { code: 4401, reason: 'login revoked' });
  });
  t.test('is closed when its login ended while it logged in', async (t) => {
    const { say, closed } = await setUp(t, { standing: async () => undefined });
    say(logIn);
    t.match(await closed(), { code: 4401, reason: 'login revoked' });
  });
  t.test('looks again when rights cannot be read, until they can', async (t) => {
    let asked = 0;
    const { say, closed } = await setUp(t, {
      standing: async () => {
        asked += 1;
        if (asked === 1) throw new Error('lost');
        return undefined;
      },
      onError: (error) => t.match(error, { message: 'lost' }),
    });
    say(logIn);
    t.match(await closed(), { code: 4401, reason: 'login revoked' });
    t.equal(asked, 2);
  });
  t.test('logs in with a ticket, once it is good', async (t) => {
    const { say, heard, closed } = await setUp(t);
    say({ type: 'auth', ticket: 'once' });
    t.ok(await heard({ type: 'auth:ok' }));
    say({ type: 'auth', ticket: 'another' });
    t.match(await closed(), { code: 4401 });
  });
  t.test('pings, and is closed when nothing is heard', async (t) => {
    const beats = new EventEmitter();
    const { say, heard, closed, told } = await setUp(t, { beats, limits: { pingEvery: 5_000, silence: 15_000 } });
    const pinged = once(told, 'ping');
    say(logIn);
    await heard({ type: 'auth:ok' });
    const now = Date.now();
    beats.emit('beat', now + 5_000);
    await pinged;
    beats.emit('beat', now + 15_001);
    t.match(await closed(), { code: 4408, reason: 'nothing heard' });
  });
  t.test('is refused when the account has too many', async (t) => {
    const { say, closed } = await setUp(t, { limits: { connectionsPerAccount: 0 } });
    say(logIn);
    t.match(await closed(), { code: 4429 });
  });
  t.test('gives its place back, and its topics, when it ends', async (t) => {
    const { say, heard, connection, live } = await setUp(t, { limits: { connectionsPerAccount: 1 } });
    say(logIn);
    say({ type: 'subscribe', topic: 'room:a' });
    await heard({ type: 'subscribed', topic: 'room:a' });
    t.equal(live.connections(), 1);
    t.equal(live.hub.listeners(), 1);
    connection.ended();
    t.equal(live.connections(), 0);
    t.equal(live.hub.listeners(), 0);
  });
  t.test('drops a reader that is too slow', async (t) => {
    const { say, heard, closed, append, leaveUnread, limits, live } = await setUp(t);
    say(logIn);
    say({ type: 'subscribe', topic: 'room:a' });
    await heard({ type: 'subscribed' });
    leaveUnread(limits.unreadBytes + 1);
    append('room-a', 'Said', { text: 'more' });
    t.match(await closed(), { code: 4408, reason: 'reading too slowly' });
    t.equal(live.hub.listeners(), 0);
  });
  t.test('is closed when it asks for more than can be answered', async (t) => {
    const { say, closed } = await setUp(t, { limits: { waitingMessages: 3 } });
    for (let n = 0; n < 5; n += 1) say(logIn);
    t.match(await closed(), { code: 1008 });
  });
  t.test('says what is wrong with a message, and goes on', async (t) => {
    const { say, heard, received } = await setUp(t);
    say(logIn);
    await heard({ type: 'auth:ok' });
    for (const [message, wrong] of [
      ['{"type":', /JSON/],
      ['null', /JSON/],
      [{ type: 'dance' }, /type must be one of auth, subscribe/],
      [{ type: 'subscribe' }, /^topic/],
      [{ type: 'subscribe', topic: 'room:a', after: 'yesterday' }, /^after/],
      [{ type: 'auth' }, /either token or ticket/],
    ] as const) {
      const before = received.length;
      say(message);
      say({ type: 'ping' });
      await heard({ type: 'pong' });
      t.match(received[before], { type: 'error', code: 'BAD_REQUEST', message: wrong });
      received.splice(before);
    }
  });
  t.test('gives what was missed as fast as it is read, and then goes on', async (t) => {
    const { say, heard, append, leaveUnread, read, received, until, limits, live } = await setUp(t);
    const seen = append('room-a', 'Said', { text: 'seen' });
    for (let n = 0; n < 5; n += 1) append('room-a', 'Said', { text: `missed ${n}` });
    say(logIn);
    await heard({ type: 'auth:ok' });
    leaveUnread(limits.pacedBytes + 1);
    say({ type: 'subscribe', topic: 'room:a', after: String(seen) });
    await heard({ event: 'room:said' });
    const last = append('room-a', 'Said', { text: 'meanwhile' });
    say({ type: 'ping' });
    await heard({ type: 'pong' });
    const texts = () => received.filter(({ event }) => event !== undefined).map(({ data }) => Object(data).text);
    t.strictSame(texts(), ['missed 0'], 'nothing more goes out while that waits');
    while (live.hub.position() < last) await new Promise((resolve) => setImmediate(resolve));
    read();
    await until(() => texts().length === 7 - 1);
    t.strictSame(texts(), ['missed 0', 'missed 1', 'missed 2', 'missed 3', 'missed 4', 'meanwhile']);
    append('room-a', 'Said', { text: 'after' });
    await until(() => texts().length === 7);
    t.equal(texts().at(-1), 'after');
  });
  t.test('asks to read afresh when too much comes in while it gives what was missed', async (t) => {
    const { say, heard, append, leaveUnread, read, received, until, limits, live } = await setUp(t, {
      limits: { replayedMessages: 5 },
    });
    const seen = append('room-a', 'Said', { text: 'seen' });
    for (let n = 0; n < 3; n += 1) append('room-a', 'Said', { text: `missed ${n}` });
    say(logIn);
    await heard({ type: 'auth:ok' });
    leaveUnread(limits.pacedBytes + 1);
    say({ type: 'subscribe', topic: 'room:a', after: String(seen) });
    await heard({ event: 'room:said' });
    let last = 0n;
    for (let n = 0; n < 6; n += 1) last = append('room-a', 'Said', { text: `flood ${n}` });
    while (live.hub.position() < last) await new Promise((resolve) => setImmediate(resolve));
    read();
    t.match(await heard({ type: 'resync', topic: 'room:a' }), { seq: String(last) });
    append('room-a', 'Said', { text: 'after' });
    await until(() => received.filter(({ event }) => event !== undefined).length === 2);
    t.match(received.at(-1), { event: 'room:said', data: { text: 'after' } });
  });
});

t.test('a subscription', async (t) => {
  t.test('is confirmed before its first message; messages carry name, topic, data, time and place', async (t) => {
    const { say, heard, append, received } = await setUp(t);
    say(logIn);
    say({ type: 'subscribe', topic: 'room:a' });
    await heard({ type: 'subscribed', topic: 'room:a', seq: '0' });
    append('room-a', 'Said', { text: 'hello' });
    const message = await heard({ event: 'room:said' });
    t.strictSame(message, {
      event: 'room:said',
      topic: 'room:a',
      data: { text: 'hello' },
      at: '2027-03-01T09:00:00.000Z',
      seq: '10',
    });
    t.equal(received.findIndex(({ type }) => type === 'subscribed') < received.indexOf(message), true);
  });
  t.test('resumes behind a message', async (t) => {
    const { say, heard, append, received } = await setUp(t);
    const seen = append('room-a', 'Said', { text: 'seen' });
    append('room-a', 'Said', { text: 'missed' });
    say(logIn);
    say({ type: 'subscribe', topic: 'room:a', after: String(seen) });
    await heard({ event: 'room:said' });
    t.strictSame(
      received.slice(1).map(({ type, event, seq }) => [type ?? event, seq]),
      [
        ['subscribed', '10'],
        ['room:said', '20'],
      ],
    );
  });
  t.test('too far behind asks to read afresh', async (t) => {
    const { say, heard, append } = await setUp(t, { limits: { replayedMessages: 2 } });
    const seen = append('room-a', 'Said', { text: 'seen' });
    for (const text of ['1', '2', '3']) append('room-a', 'Said', { text });
    say(logIn);
    say({ type: 'subscribe', topic: 'room:a', after: String(seen) });
    t.ok(await heard({ type: 'resync', topic: 'room:a' }));
  });
  t.test('asked for twice is one', async (t) => {
    const { say, heard, append, received, live } = await setUp(t);
    say(logIn);
    say({ type: 'subscribe', topic: 'room:a' });
    say({ type: 'subscribe', topic: 'room:a' });
    say({ type: 'ping' });
    await heard({ type: 'pong' });
    t.equal(live.hub.listeners(), 1);
    append('room-a', 'Said', { text: 'once' });
    await heard({ event: 'room:said' });
    t.equal(received.filter(({ event }) => event === 'room:said').length, 1);
  });
  t.test('is refused, limited and ended without harm to others', async (t) => {
    const { say, heard, live } = await setUp(t, { limits: { topicsPerConnection: 2 } });
    say(logIn);
    say({ type: 'subscribe', topic: 'room:closed' });
    t.ok(await heard({ type: 'error', code: 'FORBIDDEN', topic: 'room:closed' }));
    say({ type: 'subscribe', topic: 'attic:a' });
    t.ok(await heard({ type: 'error', code: 'VALIDATION_ERROR', topic: 'attic:a' }));
    say({ type: 'subscribe', topic: 'room:a', after: 'yesterday' });
    t.ok(await heard({ type: 'error', code: 'BAD_REQUEST' }));
    for (const topic of ['room:a', 'room:b', 'room:c']) say({ type: 'subscribe', topic });
    t.ok(await heard({ type: 'error', code: 'RATE_LIMIT_EXCEEDED', topic: 'room:c' }));
    say({ type: 'unsubscribe', topic: 'room:a' });
    t.ok(await heard({ type: 'unsubscribed', topic: 'room:a' }));
    say({ type: 'subscribe', topic: 'room:c' });
    t.ok(await heard({ type: 'subscribed', topic: 'room:c' }));
    t.equal(live.hub.listeners(), 2);
  });
  t.test('that is lost is told so, and nothing after', async (t) => {
    const { say, heard, append, received } = await setUp(t);
    say(logIn);
    for (const topic of ['room:a', 'room:b']) say({ type: 'subscribe', topic });
    await heard({ type: 'subscribed', topic: 'room:b' });
    append('room-a', 'ShownOut', { accountId: 'anna' });
    append('room-a', 'Said', { text: 'secret' });
    append('room-b', 'Said', { text: 'open' });
    await heard({ event: 'room:said', topic: 'room:b' });
    t.equal(
      received.some(({ event, topic }) => event !== undefined && topic === 'room:a'),
      false,
    );
    t.ok(await heard({ type: 'error', code: 'FORBIDDEN', topic: 'room:a' }));
  });
  t.test('has names with hyphens for those who ask', async (t) => {
    const { say, heard, append } = await setUp(t, { names: 'hyphen' });
    say(logIn);
    say({ type: 'subscribe', topic: 'room:a' });
    await heard({ type: 'subscribed' });
    append('room-a', 'Said', { text: 'hello' });
    t.ok(await heard({ event: 'room-said', topic: 'room:a' }));
  });
});
