import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { type EventStore, START } from '../../src/eventstore/port.ts';
import {
  follow,
  ids,
  type newEvent,
  newEvents,
  newStream,
  readOn,
  rising,
  stored,
  unique,
} from './contract/subject.ts';
import type { StandIn } from './standIn/index.ts';
import { begin, foreign } from './standIn/loss.ts';

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
    for (const limit of [1, 3]) t.same(ids(await readOn(store, START, { limit })), written);
    for (let m = 0; m < 700; m += 1) server.log.system('$stats', '$statsCollected');
    const head = await store.head();
    await reached(() => position() >= head);
    t.same(ids(events), written);
    for (const limit of [100, 1_000]) t.same(ids(await readOn(store, START, { limit })), written);
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
