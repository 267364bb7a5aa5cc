import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { START } from '../../src/eventstore/port.ts';
import { ids, newEvents, newStream, stored } from './contract/subject.ts';
import { begin, foreign, holds, insistently, until } from './standIn/loss.ts';

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
    const [first, events] = [newEvents(1), newEvents(2)];
    await insistently(() => store.append(stream, 'noStream', first));
    server.muffle();
    const rejected = t.rejects(store.append(stream, 0, events), { name: 'OutcomeUnknown' });
    await until(holds(server, events[1]?.id ?? ''));
    await server.kill();
    await rejected;
    await server.start();
    t.match(await insistently(() => store.append(stream, 0, events)), { ok: true, revision: 2, repeated: true });
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
    const first = newEvents(1);
    await insistently(() => store.append(stream, 'noStream', first));
    server.freeze();
    const begun = performance.now();
    await t.rejects(store.append(stream, 0, newEvents(1)), { name: 'OutcomeUnknown' });
    t.ok(performance.now() - begun < 9_000, 'its own, not the usual one of ten seconds');
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
    const [stream, events] = [newStream(), newEvents(1)];
    t.match(await insistently(() => store.append(stream, 'noStream', events)), { ok: true, revision: 0 });
  });

  t.test('after it was there certainly stored nothing of what could not be sent', async (t) => {
    const { server, store, open } = await begin(t, { append: 300, read: 300 });
    const stream = newStream();
    const [first, events] = [newEvents(1), newEvents(1)];
    await insistently(() => store.append(stream, 'noStream', first));
    await server.kill();
    // The first may meet the connection while it breaks.
    await store.append(newStream(), 'noStream', newEvents(1)).catch(() => {});
    await t.rejects(store.append(stream, 0, events), { name: 'StoreUnavailable' });
    t.equal(holds(server, events[0]?.id ?? '')(), false);
    await server.start(2);
    // Only one with patience can tell for sure that it was the first: the other may lose the answer to a busy machine.
    t.match(await open({}).append(stream, 0, events), { ok: true, revision: 1, repeated: false });
    t.match(await insistently(() => store.append(stream, 0, events)), { ok: true, revision: 1 });
    t.same(ids(await insistently(() => store.readStream(stream))), ids([...first, ...events]));
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
    await insistently(() => store.head());
    server.freeze();
    await t.rejects(store.readAll(START), { name: 'StoreUnavailable' });
    await t.rejects(store.head(), { name: 'StoreUnavailable' });
    server.thaw();
    t.same(await insistently(() => store.readStream(newStream())), []);
  });
});
