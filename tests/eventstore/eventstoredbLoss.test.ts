import { setImmediate as turn } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventStoreDb } from '../../src/eventstore/eventstoredb/index.ts';
import { type EventStore, START } from '../../src/eventstore/port.ts';
import { follow, ids, newEvent, newEvents, newStream, readOn, rising, stored, unique } from './contract/subject.ts';
import { type StandIn, standIn } from './standIn/index.ts';

t.setTimeout(300_000);

const bytes = (text: string) => new TextEncoder().encode(text);

const begin = async (t: Test, timeouts?: { append?: number; read?: number }) => {
  const server = await standIn();
  const open = () => {
    const store = eventStoreDb({ connectionString: server.connectionString, ...(timeouts && { timeouts }) });
    t.teardown(() => store.close());
    return store;
  };
  t.teardown(() => server.close());
  return { server, open, store: open() };
};

/** Waits until something is in the log that the server has not told anyone. */
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turn();
};
const holds = (server: StandIn, id: string) => () => server.log.records.some((record) => record.id === id);

/** Another writer's event, put straight into the log. */
const foreign = (
  server: StandIn,
  stream: string,
  wanted: number | 'noStream',
  over: { contentType?: string; data?: string } = {},
) => {
  const event = { ...newEvent(), contentType: 'application/octet-stream', ...over };
  return server.log.append(stream, wanted, [{ ...event, data: bytes(event.data), metadata: bytes('{"a":1}') }]);
};

t.test('an append whose answer is lost', async (t) => {
  t.test('is found when it was stored', async (t) => {
    const { server, store } = await begin(t);
    const stream = newStream();
    const first = stored(await store.append(stream, 'noStream', newEvents(1)));
    const events = newEvents(3);
    server.muffle();
    const answer = store.append(stream, first.revision, events);
    await until(holds(server, events[2]?.id ?? ''));
    server.cut();
    t.match(await answer, { ok: true, revision: 3, repeated: true });
    const read = await store.readStream(stream);
    t.same(ids(read.slice(1)), ids(events));
    t.equal(stored(await answer).position, read.at(-1)?.position);
  });

  t.test('is found when others have written behind it', async (t) => {
    const { server, store } = await begin(t);
    const stream = newStream();
    await store.append(stream, 'noStream', newEvents(1));
    const events = newEvents(2);
    server.muffle();
    const answer = store.append(stream, 0, events);
    await until(holds(server, events[1]?.id ?? ''));
    foreign(server, stream, 2);
    foreign(server, stream, 3);
    server.cut();
    t.match(await answer, { ok: true, revision: 2, repeated: true });
  });

  t.test('is a conflict when the stream went on without it', async (t) => {
    const { server, store } = await begin(t);
    const stream = newStream();
    await store.append(stream, 'noStream', newEvents(1));
    server.freeze();
    const answer = store.append(stream, 0, newEvents(2));
    await turn();
    foreign(server, stream, 0);
    foreign(server, stream, 1);
    server.cut();
    server.thaw();
    t.same(await answer, { ok: false, actual: 2 });
    t.equal((await store.readStream(stream)).length, 3);
  });

  t.test('is sent again when the stream has not moved', async (t) => {
    const { server, store } = await begin(t);
    const [stream, other] = [newStream(), newStream()];
    await store.append(stream, 'noStream', newEvents(1));
    server.freeze();
    const events = newEvents(2);
    const answers = Promise.all([store.append(stream, 0, events), store.append(other, 'noStream', newEvents(1))]);
    await turn();
    server.cut();
    server.thaw();
    t.match(await answers, [
      { ok: true, revision: 2, repeated: false },
      { ok: true, revision: 0, repeated: false },
    ]);
    t.same(ids((await store.readStream(stream)).slice(1)), ids(events));
    t.equal((await store.readStream(other)).length, 1);
  });

  t.test('is of unknown outcome while the server stays away, and found when repeated', async (t) => {
    const { server, store } = await begin(t, { append: 600, read: 600 });
    const stream = newStream();
    await store.append(stream, 'noStream', newEvents(1));
    const events = newEvents(2);
    server.muffle();
    const answer = store.append(stream, 0, events);
    await until(holds(server, events[1]?.id ?? ''));
    await server.kill();
    await t.rejects(answer, { name: 'OutcomeUnknown' });
    await server.start();
    t.match(await store.append(stream, 0, events), { ok: true, revision: 2, repeated: true });
    t.equal((await store.readStream(stream)).length, 3);
  });

  t.test('for many streams at once is found for each', async (t) => {
    const { server, store } = await begin(t);
    await store.append(newStream(), 'noStream', newEvents(1));
    const appends = Array.from({ length: 100 }, () => ({ stream: newStream(), events: newEvents(2) }));
    server.muffle();
    const answers = Promise.all(appends.map(({ stream, events }) => store.append(stream, 'noStream', events)));
    await until(holds(server, appends[60]?.events[1]?.id ?? ''));
    await server.kill();
    await server.start(3);
    for (const answer of await answers) t.match(answer, { ok: true, revision: 1 });
    for (const { stream, events } of appends) t.same(ids(await store.readStream(stream)), ids(events));
  });

  t.test('because the server is frozen keeps to the deadline', async (t) => {
    const { server, store } = await begin(t, { append: 500, read: 500 });
    const stream = newStream();
    await store.append(stream, 'noStream', newEvents(1));
    server.freeze();
    const begun = performance.now();
    await t.rejects(store.append(stream, 0, newEvents(1)), { name: 'OutcomeUnknown' });
    t.ok(performance.now() - begun < 5_000);
    server.thaw();
  });

  t.test('because the server gave up waiting is looked up', async (t) => {
    const { server, store, open } = await begin(t);
    const stream = newStream();
    const events = newEvents(2);
    await store.append(newStream(), 'noStream', newEvents(1));
    server.hold();
    const first = store.append(stream, 'noStream', events);
    await until(holds(server, events[1]?.id ?? ''));
    t.match(await open().append(stream, 'noStream', events), { ok: true, revision: 1, repeated: true });
    server.release();
    t.match(await first, { ok: true, revision: 1 });
    t.equal((await store.readStream(stream)).length, 2);
  });

  t.test('is found by a writer that knows nothing of it and expects another revision', async (t) => {
    const { server, store, open } = await begin(t);
    const stream = newStream();
    const events = newEvents(3);
    const answer = stored(await store.append(stream, 'noStream', events));
    await server.kill();
    await server.start();
    for (const expected of [2, 0, 7] as const)
      t.same(await open().append(stream, expected, events), { ...answer, repeated: true });
    t.equal((await store.readStream(stream)).length, 3);
  });
});

t.test('a server that is away', async (t) => {
  t.test('makes every call fail by name within its time', async (t) => {
    const { server, store } = await begin(t, { append: 300, read: 300 });
    await server.kill();
    const away = { name: 'StoreUnavailable' };
    await t.rejects(store.append(newStream(), 'noStream', newEvents(1)), away);
    await t.rejects(store.readStream(newStream()), away);
    await t.rejects(store.readAll(START), away);
    await t.rejects(store.head(), away);
    await server.start();
    t.match(await store.append(newStream(), 'noStream', newEvents(1)), { ok: true, revision: 0 });
  });

  t.test('after it was there certainly stored nothing of what could not be sent', async (t) => {
    const { server, store } = await begin(t, { append: 300, read: 300 });
    const stream = newStream();
    await store.append(stream, 'noStream', newEvents(1));
    await server.kill();
    const events = newEvents(1);
    // The first may meet the connection while it breaks.
    await store.append(newStream(), 'noStream', newEvents(1)).catch(() => {});
    await t.rejects(store.append(stream, 0, events), { name: 'StoreUnavailable' });
    t.equal(holds(server, events[0]?.id ?? '')(), false);
    await server.start(2);
    t.match(await store.append(stream, 0, events), { ok: true, revision: 1, repeated: false });
  });

  t.test('does not keep the store from being closed', async (t) => {
    const { server, store } = await begin(t, { append: 300, read: 300 });
    const subscription = store.subscribe(START, { onBatch: async () => {} });
    await server.kill();
    await store.close();
    await subscription.done;
    await t.rejects(store.append(newStream(), 'noStream', newEvents(1)), { name: 'StoreUnavailable' });
  });

  t.test('that is frozen makes reads fail within their time', async (t) => {
    const { server, store } = await begin(t, { append: 300, read: 300 });
    await store.head();
    server.freeze();
    await t.rejects(store.readAll(START), { name: 'StoreUnavailable' });
    await t.rejects(store.head(), { name: 'StoreUnavailable' });
    server.thaw();
    t.same(await store.readStream(newStream()), []);
  });
});

t.test('a subscription', async (t) => {
  const losses: readonly (readonly [string, (server: StandIn) => Promise<void>])[] = [
    ['killed and started again', async (server) => server.kill().then(() => server.start(2))],
    ['cut off', async (server) => server.cut()],
    ['asked to stop', async (server) => server.terminate()],
  ];
  for (const [what, lose] of losses)
    for (const filtered of [false, true])
      t.test(`goes on when the server is ${what}${filtered ? ', with a filter' : ''}`, async (t) => {
        const { server, store } = await begin(t);
        const type = `T${unique()}`;
        const options = filtered ? { filter: { types: [type] } } : {};
        const { events, batches, reached } = follow(t, store, START, options);
        const written: string[] = [];
        for (let round = 0; round < 4; round += 1) {
          for (let n = 0; n < 10; n += 1) {
            const [event] = newEvents(1, { type });
            if (event === undefined) throw new Error('no event');
            written.push(event.id);
            foreign(server, newStream(), 'noStream');
            stored(await store.append(newStream(), 'noStream', [event]));
          }
          await reached(() => written.every((id) => events.some((event) => event.id === id)));
          await lose(server);
        }
        const mine = events.filter((event) => event.type === type);
        t.same([...new Set(ids(mine))], written, 'nothing is missing or out of order');
        t.ok(batches.every((batch) => rising(batch.events.map(({ position }) => position))));
      });

  t.test('begins again behind the last batch that was handled', async (t) => {
    const { server, store } = await begin(t);
    for (let n = 0; n < 30; n += 1) await store.append(newStream(), 'noStream', newEvents(40));
    const all = await readOn(store, START);
    let losses = 0;
    const { events, batches, reached } = follow(t, store, START, {
      onBatch: async () => {
        if (losses >= 3) return;
        losses += 1;
        await server.kill();
        await server.start();
      },
    });
    await reached(() => events.length >= all.length);
    t.same(ids(events), ids(all), 'each batch was handled, so none came twice');
    t.equal(losses, 3);
    t.ok(rising(batches.map(({ position }) => position)));
  });

  t.test('never tells a position before the events below it', async (t) => {
    const { server, store } = await begin(t);
    const type = `T${unique()}`;
    for (let n = 0; n < 60; n += 1) {
      await store.append(newStream(), 'noStream', newEvents(1 + ((n * 7) % 50)));
      await store.append(newStream(), 'noStream', newEvents(1 + (n % 3), { type }));
      if (n % 9 === 0) server.log.system('$stats', '$statsCollected');
    }
    const passing = await readOn(store, START, { filter: { types: [type] } });
    const head = await store.head();
    const { batches, position, reached } = follow(t, store, START, {
      filter: { types: [type] },
      onBatch: async () => {
        for (let n = 0; n < 5; n += 1) await turn();
      },
    });
    await reached(() => position() >= head);
    let given = 0;
    for (const batch of batches) {
      given += batch.events.length;
      t.equal(passing.filter(({ position }) => position <= batch.position).length, given);
    }
    t.equal(given, passing.length);
  });

  t.test('that is too slow for the server loses nothing', async (t) => {
    const { server, store } = await begin(t);
    let live: () => void = () => {};
    const blocked = new Promise<void>((resolve) => {
      live = resolve;
    });
    const { events, reached } = follow(t, store, START, { onBatch: () => blocked });
    const data = JSON.stringify('x'.repeat(20_000));
    const written: string[] = [];
    for (let n = 0; n < 30; n += 1) {
      const batch = newEvents(50, { data });
      written.push(...ids(batch));
      stored(await store.append(newStream(), 'noStream', batch));
    }
    live();
    await reached(() => events.length >= written.length);
    t.same(ids(events), written);
    t.ok(server.dropped() > 0, 'the server has given up on the subscription in between');
  });

  t.test('waits for a server that is not there yet', async (t) => {
    const { server, store } = await begin(t);
    await server.kill();
    const { events, reached } = follow(t, store, START);
    await server.start(3);
    const [event] = newEvents(1);
    await store.append(newStream(), 'noStream', event ? [event] : []);
    await reached(() => events.length > 0);
    t.same(ids(events), [event?.id]);
  });
});

t.test('what others put into the log', async (t) => {
  t.test('of the server itself is passed over', async (t) => {
    const { server, store } = await begin(t);
    t.equal(await store.head(), START, 'a new server has events of its own only');
    t.same(await store.readAll(START), { events: [], position: START });
    const { events, position, reached } = follow(t, store, START);
    const written: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      for (let m = 0; m < 5 * n; m += 1) server.log.system(m % 2 === 0 ? '$stats' : '$$meta', '$statsCollected');
      const batch = newEvents(2);
      written.push(...ids(batch));
      stored(await store.append(newStream(), 'noStream', batch));
    }
    for (let m = 0; m < 700; m += 1) server.log.system('$stats', '$statsCollected');
    const head = await store.head();
    await reached(() => position() >= head);
    t.same(ids(events), written);
    for (const limit of [1, 3, 1_000]) t.same(ids(await readOn(store, START, { limit })), written);
    t.same(await store.readAll(head), { events: [], position: head });
  });

  t.test('as JSON is given as JSON text', async (t) => {
    const { server, store } = await begin(t);
    const stream = newStream();
    foreign(server, stream, 'noStream', { contentType: 'application/json', data: '{ "a": 1 }' });
    foreign(server, stream, 0, { contentType: 'application/json', data: '{"a":' });
    t.match(await store.readStream(stream), [{ data: '{"a":1}', metadata: '{"a":1}' }, { metadata: '{"a":1}' }]);
  });

  t.test('as damage is given as it is', async (t) => {
    const { server, store } = await begin(t);
    const stream = newStream();
    const [a, b, c] = newEvents(3) as [
      ReturnType<typeof newEvent>,
      ReturnType<typeof newEvent>,
      ReturnType<typeof newEvent>,
    ];
    await store.append(stream, 'noStream', [a, b, c]);
    server.log.damage(a.id, { data: Uint8Array.of(0xff, 0x7b, 0xc3), metadata: Uint8Array.of(0xfe) });
    server.log.damage(b.id, { data: new Uint8Array(), metadata: new Uint8Array() });
    const check = (read: Awaited<ReturnType<EventStore['readStream']>>) => {
      t.same(ids(read), ids([a, b, c]));
      t.match(read, [
        { data: '\ufffd{\ufffd', metadata: '\ufffd' },
        { data: '' },
        { data: c.data, metadata: c.metadata },
      ]);
    };
    check(await store.readStream(stream));
    check((await store.readAll(START)).events);
    const { events, reached } = follow(t, store, START);
    await reached(() => events.length === 3);
    check(events);
  });
});

t.test('the connection string', async (t) => {
  const begin = async (t: Test) => {
    const server = await standIn({ credentials: 'convene:right-password' });
    t.teardown(() => server.close());
    const open = (connectionString: string) => {
      const store = eventStoreDb({ connectionString });
      t.teardown(() => store.close());
      return store;
    };
    return { connectionString: server.connectionString, open };
  };

  t.test('carries credentials and the authority that certified the server', async (t) => {
    const { connectionString, open } = await begin(t);
    const store = open(connectionString);
    const stream = newStream();
    const [event] = newEvents(1);
    t.match(await store.append(stream, 'noStream', event ? [event] : []), { ok: true, revision: 0 });
    t.same(ids(await store.readStream(stream)), [event?.id]);
    const { events, reached } = follow(t, store, START);
    await reached(() => events.length === 1);
  });

  t.test('with a wrong password is refused at once, without quoting it', async (t) => {
    const { connectionString, open } = await begin(t);
    const store = open(connectionString.replace('right-password', 'wrong-password'));
    const begun = performance.now();
    for (const call of [() => store.append(newStream(), 'noStream', newEvents(1)), () => store.head()]) {
      const error = await call().then(
        () => new Error('was let in'),
        (error: Error) => error,
      );
      t.equal(error.name, 'StoreUnavailable');
      t.notMatch(`${error.message} ${error.cause}`, 'wrong-password');
    }
    t.ok(performance.now() - begun < 5_000, 'without trying again until the deadline');
  });

  t.test('without trust in the server stores nothing', async (t) => {
    const { connectionString } = await begin(t);
    const store = eventStoreDb({
      connectionString: connectionString.replace(/\?.*/, ''),
      timeouts: { append: 300, read: 300 },
    });
    t.teardown(() => store.close());
    await t.rejects(store.append(newStream(), 'noStream', newEvents(1)), { name: 'StoreUnavailable' });
  });

  t.test('that cannot be read is named without its password', async (t) => {
    for (const connectionString of ['http://me:secret-word@host', 'esdb://me:secret-word@host?tls=perhaps', ''])
      t.throws(() => eventStoreDb({ connectionString }), /^(?!.*secret-word).*connection string/);
  });
});
