import { setImmediate as turn } from 'node:timers/promises';
import type { Test } from 'tap';
import { START } from '../../../src/eventstore/port.ts';
import { follow, ids, newEvents, newStream, type Open, readOn, rising, stored, unique } from './subject.ts';

const gate = () => {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
};

/** What a subscriber sees, and how it ends. */
export const subscribing = (t: Test, open: Open): void => {
  t.test('a subscription', async (t) => {
    t.test('from the start gives what is stored and then what comes', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      stored(await store.append(stream, 'noStream', newEvents(30)));
      const before = await readOn(store, START);
      const { events, reached } = follow(t, store);
      await reached(() => events.length >= before.length);
      const later = newEvents(5);
      stored(await store.append(stream, 29, later));
      await reached(() => events.length >= before.length + 5);
      t.same(ids(events), [...ids(before), ...ids(later)]);
      t.same(events.slice(0, before.length), before, 'with the same fields as a read gives');
      t.ok(rising(events.map(({ position }) => position)));
    });

    t.test('from a position gives what comes behind it', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      await store.append(stream, 'noStream', newEvents(20));
      const read = await store.readStream(stream);
      const { events, reached } = follow(t, store, read[6]?.position);
      await reached(() => events.length >= 13);
      t.same(events, read.slice(7));
    });

    t.test('from the head gives only what comes', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      stored(await store.append(stream, 'noStream', newEvents(3)));
      const { events, reached } = follow(t, store, await store.head());
      const coming: string[] = [];
      for (let revision = 2; revision < 12; revision += 1) {
        const [event] = newEvents(1);
        if (event === undefined) throw new Error('no event');
        coming.push(event.id);
        stored(await store.append(stream, revision, [event]));
        await reached(() => events.length >= coming.length);
      }
      t.same(ids(events), coming);
    });

    t.test('gives batches whose positions never fall and cover their events', async (t) => {
      const { store } = await open(t);
      const start = await store.head();
      const { batches, events, reached } = follow(t, store, start);
      for (let n = 0; n < 20; n += 1) await store.append(newStream(), 'noStream', newEvents(7));
      await reached(() => events.length >= 140);
      t.ok(batches.every((batch) => batch.events.every(({ position }) => position <= batch.position)));
      t.ok(batches.every(({ position }, n) => position >= (batches[n - 1]?.position ?? start)));
      for (const [n, batch] of batches.entries())
        t.ok(batch.events.every(({ position }) => position > (batches[n - 1]?.position ?? start)));
    });

    t.test('with a filter gives what passes it, stored and coming', async (t) => {
      const { store } = await open(t);
      const category = `c${unique()}`;
      const [a, b] = [`A${unique()}`, `B${unique()}`];
      const start = await store.head();
      const write = async () => {
        for (const type of [a, b])
          for (const stream of [newStream(category), newStream(`${category}x`)])
            stored(await store.append(stream, 'noStream', newEvents(3, { type })));
      };
      await write();
      const byType = follow(t, store, start, { filter: { types: [a] } });
      const byTypes = follow(t, store, start, { filter: { types: [a, b] } });
      const byCategory = follow(t, store, start, { filter: { categories: [category] } });
      const byBoth = follow(t, store, start, { filter: { types: [b], categories: [`${category}x`] } });
      const byPattern = follow(t, store, start, { filter: { types: ['.*', `${a.slice(0, -1)}.`] } });
      const byNothing = follow(t, store, start, { filter: { types: [] } });
      await byType.reached(() => byType.events.length >= 6);
      await write();
      const head = await store.head();
      const all = await readOn(store, start);
      const followers = [byType, byTypes, byCategory, byBoth, byPattern, byNothing];
      for (const { reached, position } of followers) await reached(() => position() >= head);
      t.same(
        byType.events,
        all.filter(({ type }) => type === a),
      );
      t.same(byTypes.events, all);
      t.same(
        byCategory.events,
        all.filter(({ stream }) => stream.startsWith(`${category}-`)),
      );
      t.same(
        byBoth.events,
        all.filter(({ type, stream }) => type === b && stream.startsWith(`${category}x-`)),
      );
      t.same(byPattern.events, []);
      t.same(byNothing.events, []);
    });

    t.test('that nothing passes still reaches the head, by batches without events', async (t) => {
      const { store } = await open(t);
      const start = await store.head();
      await store.append(newStream(), 'noStream', newEvents(100));
      const { batches, position, reached } = follow(t, store, start, { filter: { types: [`N${unique()}`] } });
      for (let n = 0; n < 5; n += 1) {
        const head = await store.head();
        await reached(() => position() >= head);
        stored(await store.append(newStream(), 'noStream', newEvents(1)));
      }
      t.ok(batches.length > 0);
      t.ok(batches.every(({ events }) => events.length === 0));
      t.ok(rising([start, ...batches.map((batch) => batch.position)]));
    });

    t.test('may begin again at any position it was told', async (t) => {
      const { store } = await open(t);
      const start = await store.head();
      const type = `T${unique()}`;
      for (let n = 0; n < 12; n += 1) {
        await store.append(newStream(), 'noStream', newEvents(n % 3 === 0 ? 40 : 2));
        await store.append(newStream(), 'noStream', newEvents(1, { type }));
      }
      const head = await store.head();
      const filter = { types: [type] };
      const first = follow(t, store, start, { filter });
      await first.reached(() => first.position() >= head);
      t.equal(first.events.length, 12);
      for (const { position } of first.batches) {
        const rest = first.events.filter((event) => event.position > position);
        const again = follow(t, store, position, { filter });
        await again.reached(() => again.events.length >= rest.length && again.position() >= head);
        t.same(again.events, rest);
        t.same(await readOn(store, position, { filter }), rest, 'a read may begin there too');
        await again.subscription.close();
      }
    });

    t.test('hands over one batch at a time and waits for it', async (t) => {
      const { store } = await open(t);
      const start = await store.head();
      let inside = 0;
      let most = 0;
      const { events, reached } = follow(t, store, start, {
        onBatch: async () => {
          inside += 1;
          most = Math.max(most, inside);
          for (let n = 0; n < 20; n += 1) await turn();
          inside -= 1;
        },
      });
      const written: string[] = [];
      for (let n = 0; n < 60; n += 1) {
        const batch = newEvents(3);
        written.push(...ids(batch));
        await store.append(newStream(), 'noStream', batch);
      }
      await reached(() => events.length >= 180);
      t.equal(most, 1);
      t.same(ids(events), written);
    });

    t.test('closes once the batch under way is handled, and gives nothing more', async (t) => {
      const { store } = await open(t);
      const entered = gate();
      const leave = gate();
      const seen: string[] = [];
      let calls = 0;
      const start = await store.head();
      const subscription = store.subscribe(start, {
        onBatch: async (batch) => {
          calls += 1;
          entered.open();
          await leave.passed;
          seen.push(...ids(batch.events));
        },
      });
      const first = newEvents(1);
      stored(await store.append(newStream(), 'noStream', first));
      await entered.passed;
      let closed = false;
      const closing = subscription.close().then(() => {
        closed = true;
      });
      const later = newEvents(1);
      stored(await store.append(newStream(), 'noStream', later));
      const witness = follow(t, store, start);
      await witness.reached(() => witness.events.length >= 2);
      t.equal(closed, false, 'the batch is still under way');
      leave.open();
      await closing;
      await subscription.done;
      t.same(seen.slice(0, 1), ids(first));
      t.equal(calls, 1);
      await subscription.close();
    });

    t.test('closes at once when it is idle', async (t) => {
      const { store } = await open(t);
      const subscription = store.subscribe(await store.head(), { onBatch: async () => {} });
      await subscription.close();
      await t.resolves(subscription.done);
      const unasked = store.subscribe(START, { onBatch: async () => {} });
      await t.resolves(Promise.all([unasked.close(), unasked.close()]));
      await t.resolves(unasked.done);
    });

    t.test('ends with what onBatch threw, and calls it no more', async (t) => {
      const { store } = await open(t);
      const start = await store.head();
      let calls = 0;
      const subscription = store.subscribe(start, {
        onBatch: async () => {
          calls += 1;
          throw new Error('cannot handle this');
        },
      });
      const rejected = t.rejects(subscription.done, { message: 'cannot handle this' });
      stored(await store.append(newStream(), 'noStream', newEvents(2)));
      await rejected;
      const witness = follow(t, store, start);
      stored(await store.append(newStream(), 'noStream', newEvents(1)));
      await witness.reached(() => witness.events.length >= 3);
      t.equal(calls, 1);
      await subscription.close();
    });

    t.test('ends when the store is closed', async (t) => {
      const { another } = await open(t);
      const store = await another();
      const subscription = store.subscribe(await store.head(), { onBatch: async () => {} });
      await store.close();
      await t.resolves(subscription.done);
    });
  });
};
