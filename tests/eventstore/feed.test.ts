import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { createFeed, type Feed, type Reader } from '../../src/eventstore/feed.ts';
import { type EventStore, type Position, START, type StoredEvent } from '../../src/eventstore/port.ts';

const EVENTS = 40_000;
const past: readonly StoredEvent[] = Array.from({ length: EVENTS }, (_, n) => ({
  id: randomUUID(),
  type: 'Noted',
  data: '{}',
  metadata: '{}',
  stream: 'note-1',
  revision: n,
  position: BigInt(n + 1),
  recordedAt: '2026-01-01T00:00:00.000Z',
}));

/** A log that does not grow any more, and the feed of it. */
const open = async (t: Test, patience: { readonly patienceMs?: number } = {}) => {
  let pages = 0;
  let decoded = 0;
  const store = {
    head: async () => BigInt(EVENTS),
    readAll: async (after: Position, { limit = EVENTS } = {}) => {
      pages += 1;
      const events = past.slice(Number(after), Number(after) + limit);
      return { events, position: events.at(-1)?.position ?? after };
    },
    subscribe: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      return { done: promise, close: async () => resolve() };
    },
  } as unknown as EventStore;
  const feed = createFeed({
    ...patience,
    store,
    decode: async (events) => {
      decoded += events.length;
      return events.map(({ data, metadata, ...event }) => ({
        ...event,
        schemaVersion: 1,
        data: JSON.parse(data),
        metadata: JSON.parse(metadata),
      }));
    },
  });
  t.after(() => feed.close());
  await feed.ready;
  return { feed, pages: () => pages, decoded: () => decoded };
};

const wantsAll = (): Reader => ({ concerns: () => true, passed: () => {} });

/** Reads on in steps; `seen` is how far it has come and checks that nothing is missing. */
const reading = (feed: Feed, t: Test) => {
  const reader = wantsAll();
  let seen = START;
  const step = async (): Promise<Position> => {
    const { events, from, to } = await feed.after(seen, new AbortController().signal, reader);
    t.equal(from, seen);
    t.equal(events.length, Number(to - from));
    t.equal(events[0]?.position, from + 1n);
    seen = to;
    return to;
  };
  return {
    step,
    seen: () => seen,
    toEnd: async (): Promise<void> => {
      while (seen < BigInt(EVENTS)) await step();
    },
  };
};

t.test('readers of the past', async (t) => {
  t.test('share every page, however fast each of them is', async (t) => {
    // A machine that stands still for a second makes no reader a lost one.
    const { feed, pages, decoded } = await open(t, { patienceMs: 600_000 });
    const [slow, ...fast] = [reading(feed, t), reading(feed, t), reading(feed, t), reading(feed, t)];
    const running = Promise.all(fast.map((one) => one.toEnd()));
    while (slow.seen() < BigInt(EVENTS)) {
      const before = pages();
      await slow.step();
      // Until the fast ones have gone as far as they may.
      for (let turns = 0; turns < 20; turns += 1) await new Promise(setImmediate);
      const apart = Math.max(...fast.map((one) => Number(one.seen() - slow.seen())));
      t.ok(apart <= 4 * 2_048, `${apart} events apart`);
      // Those that may be decoded, and the one behind them.
      t.ok(pages() - before <= 5);
    }
    await running;
    t.equal(decoded(), EVENTS);
    t.equal(pages(), Math.ceil(EVENTS / 2_048));
  });

  t.test('do not wait long for one that does not come back', async (t) => {
    const { feed, decoded } = await open(t);
    const [lost, others] = [reading(feed, t), [reading(feed, t), reading(feed, t)]];
    await lost.step();
    await Promise.all(others.map((one) => one.toEnd()));
    t.equal(decoded(), EVENTS);
    await lost.toEnd();
    t.ok(decoded() > EVENTS, 'and it reads for itself when it does');
  });

  t.test('that come later do not hold up those before them', async (t) => {
    const { feed } = await open(t);
    const early = reading(feed, t);
    while (early.seen() < BigInt(EVENTS / 2)) await early.step();
    const late = reading(feed, t);
    await Promise.all([early.toEnd(), late.toEnd()]);
    t.equal(early.seen(), late.seen());
  });

  t.test('leave when they are told to while they wait for another', async (t) => {
    const { feed } = await open(t);
    const [behind, ahead] = [reading(feed, t), wantsAll()];
    await behind.step();
    const leaving = new AbortController();
    const reason = new Error('Enough');
    const run = async (): Promise<void> => {
      for (let seen = START; ; ) seen = (await feed.after(seen, leaving.signal, ahead)).to;
    };
    const running = run();
    for (let turns = 0; turns < 50; turns += 1) await new Promise(setImmediate);
    leaving.abort(reason);
    await t.rejects(running, reason);
  });
});

t.test('a log that grows fast is taken in gulps, and whole', async (t) => {
  const LENGTH = 4_000;
  let grown = 0;
  let looks = 0;
  const store = {
    head: async () => START,
    subscribe: (_from: Position, { onBatch }: Parameters<EventStore['subscribe']>[1]) => {
      const { promise: done, resolve: close } = Promise.withResolvers<void>();
      const run = async (): Promise<void> => {
        for (let told = 0; told < LENGTH; ) {
          await new Promise(setImmediate);
          const to = grown;
          if (to === told) continue;
          looks += 1;
          await onBatch({ events: past.slice(told, to), position: BigInt(to) });
          told = to;
        }
      };
      run().catch(close);
      return { done, close: async () => close() };
    },
  } as unknown as EventStore;
  const feed = createFeed({
    store,
    decode: async (events) => events.map((event) => ({ ...event, schemaVersion: 1 }) as never),
  });
  t.after(() => feed.close());
  const reader = reading(feed, t);
  const read = (async () => {
    while (reader.seen() < BigInt(LENGTH)) await reader.step();
  })();
  for (; grown < LENGTH; grown += 1) await new Promise(setImmediate);
  await read;
  t.ok(looks < LENGTH / 4, `${looks} looks at ${LENGTH} events that came one by one`);
});
