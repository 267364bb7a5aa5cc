import type { Test } from 'tap';
import { START, type StoredEvent } from '../../../src/eventstore/port.ts';
import { ids, newEvent, newEvents, newStream, type Open, readOn, rising, stored, unique } from './subject.ts';

/** Reads of one stream and of the whole log. */
export const reading = (t: Test, open: Open): void => {
  t.test('reading a stream', async (t) => {
    const { store } = await open(t);
    const stream = newStream();
    const events = newEvents(10);
    stored(await store.append(stream, 'noStream', events.slice(0, 4)));
    stored(await store.append(stream, 3, events.slice(4)));
    const all = ids(events);
    const revisions = (read: readonly StoredEvent[]) => read.map(({ revision }) => revision);

    t.test('forwards begins at the first event', async (t) => {
      const read = await store.readStream(stream);
      t.same(ids(read), all);
      t.same(revisions(read), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      t.ok(rising(read.map(({ position }) => position)));
      t.same(await store.readStream(stream, { direction: 'forwards', from: 0 }), read);
    });

    t.test('forwards includes the revision it begins at', async (t) => {
      t.same(revisions(await store.readStream(stream, { from: 7 })), [7, 8, 9]);
      t.same(revisions(await store.readStream(stream, { from: 9 })), [9]);
    });

    t.test('forwards past the end is empty', async (t) => {
      t.same(await store.readStream(stream, { from: 10 }), []);
      t.same(await store.readStream(stream, { from: 1_000_000 }), []);
    });

    t.test('backwards begins at the last event', async (t) => {
      t.same(revisions(await store.readStream(stream, { direction: 'backwards' })), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
      t.same(revisions(await store.readStream(stream, { direction: 'backwards', limit: 1 })), [9]);
    });

    t.test('backwards includes the revision it begins at', async (t) => {
      t.same(revisions(await store.readStream(stream, { direction: 'backwards', from: 2 })), [2, 1, 0]);
      t.same(revisions(await store.readStream(stream, { direction: 'backwards', from: 0 })), [0]);
    });

    t.test('backwards from past the end begins at the last event', async (t) => {
      const read = await store.readStream(stream, { direction: 'backwards', from: 1_000, limit: 2 });
      t.same(revisions(read), [9, 8]);
    });

    t.test('gives at most as many as asked for', async (t) => {
      t.same(revisions(await store.readStream(stream, { limit: 3 })), [0, 1, 2]);
      t.same(revisions(await store.readStream(stream, { from: 4, limit: 2 })), [4, 5]);
      t.same(revisions(await store.readStream(stream, { direction: 'backwards', from: 4, limit: 2 })), [4, 3]);
      t.equal((await store.readStream(stream, { limit: 10_000 })).length, 10);
    });

    t.test('that is missing is empty', async (t) => {
      for (const direction of ['forwards', 'backwards'] as const) {
        t.same(await store.readStream(newStream(), { direction }), []);
        t.same(await store.readStream(newStream(), { direction, from: 3, limit: 5 }), []);
      }
    });

    t.test('is one stream, not those whose names begin alike', async (t) => {
      stored(await store.append(`${stream}x`, 'noStream', newEvents(1)));
      t.same(ids(await store.readStream(stream)), all);
      t.same(await store.readStream(stream.slice(0, -1)), []);
    });
  });

  t.test('reading the whole log', async (t) => {
    const { store } = await open(t);
    const category = `c${unique()}`;
    const start = await store.head();
    const streams = [newStream(category), newStream(category), newStream(`${category}x`)] as const;
    const kinds = [`A${unique()}`, `B${unique()}`, `C${unique()}`] as const;
    const written: string[] = [];
    const next = new Map<string, number>();
    const answers: bigint[] = [];
    for (let n = 0; n < 40; n += 1) {
      const stream = streams[n % 3] ?? streams[0];
      const events = newEvents(1 + (n % 4)).map((event, i) => ({ ...event, type: kinds[(n + i) % 3] ?? kinds[0] }));
      const revision = next.get(stream);
      const answer = stored(await store.append(stream, revision ?? 'noStream', events));
      next.set(stream, answer.revision);
      answers.push(answer.position);
      written.push(...ids(events));
    }
    const all = await readOn(store, start);

    t.test('gives every event once, in the order of appends', async (t) => {
      t.same(ids(all), written);
      t.ok(rising([start, ...all.map(({ position }) => position)]));
      for (const stream of streams)
        t.same(
          all.filter((event) => event.stream === stream),
          await store.readStream(stream),
          'with the same fields as its stream gives',
        );
    });

    t.test('in pages of any size gives the same', async (t) => {
      for (const limit of [1, 3, 10, 1_000]) t.same(await readOn(store, start, { limit }), all, `pages of ${limit}`);
    });

    t.test('begins behind any event', async (t) => {
      for (const [n, event] of all.entries()) {
        const page = await store.readAll(event.position, { limit: 2 });
        t.same(ids(page.events), written.slice(n + 1, n + 3));
      }
    });

    t.test('answers how far it looked', async (t) => {
      const first = await store.readAll(start, { limit: 5 });
      t.equal(first.events.length, 5);
      t.equal(first.position, first.events.at(-1)?.position);
      const last = await store.readAll(start);
      t.ok(last.position >= (all.at(-1)?.position ?? 0n));
    });

    t.test('behind the end is empty, at the head', async (t) => {
      const head = await store.head();
      t.same(await store.readAll(head), { events: [], position: head });
      t.same(await store.readAll(head, { filter: { types: [kinds[0]] } }), { events: [], position: head });
      t.ok(head >= (answers.at(-1) ?? 0n), 'the head has reached the last append');
    });

    const filters = [
      ['one type', { types: [kinds[0]] }, ({ type }) => type === kinds[0]],
      ['two types', { types: [kinds[0], kinds[2]] }, ({ type }) => type !== kinds[1]],
      ['a category', { categories: [category] }, ({ stream }) => stream.startsWith(`${category}-`)],
      ['two categories', { categories: [category, `${category}x`] }, () => true],
      [
        'types and categories at once',
        { types: [kinds[1]], categories: [`${category}x`] },
        ({ type, stream }) => type === kinds[1] && stream.startsWith(`${category}x-`),
      ],
      ['a type that is only the beginning of one', { types: [kinds[0].slice(0, -1)] }, () => false],
      ['a type that would match as a pattern', { types: ['.*', `${kinds[0].slice(0, -1)}.`] }, () => false],
      ['a category that is only the beginning of one', { categories: [category.slice(0, -1)] }, () => false],
      ['a category that would match as a pattern', { categories: [`${category.slice(0, -1)}.`, 'c%'] }, () => false],
      ['no type at all', { types: [] }, () => false],
      ['no category at all', { categories: [] }, () => false],
    ] as const satisfies readonly (readonly [string, object, (event: StoredEvent) => boolean])[];
    for (const [what, filter, passes] of filters)
      t.test(`with a filter by ${what}`, async (t) => {
        const expected = all.filter(passes);
        for (const limit of [2, 1_000])
          t.same(await readOn(store, start, { filter, limit }), expected, `pages of ${limit}`);
      });

    t.test('from the start reaches the head', async (t) => {
      const events = await readOn(store, START);
      t.same(events.slice(-all.length), all);
      t.ok(rising([START, ...events.map(({ position }) => position)]));
      t.notOk(
        events.some(({ stream, type }) => stream.startsWith('$') || type.startsWith('$')),
        'without events of the store itself',
      );
    });
  });

  t.test('the head', async (t) => {
    const { store } = await open(t);
    t.test('moves with each append and with nothing else', async (t) => {
      const stream = newStream();
      const before = await store.head();
      t.equal(await store.head(), before);
      await store.append(stream, 3, newEvents(1));
      t.equal(await store.head(), before, 'a refused append does not move it');
      const { position } = stored(await store.append(stream, 'noStream', newEvents(2)));
      t.equal(await store.head(), (await store.readStream(stream)).at(-1)?.position);
      t.ok((await store.head()) <= position);
      const event = newEvent();
      const later = stored(await store.append(stream, 1, [event]));
      t.equal(await store.head(), later.position);
      await store.append(stream, 1, [event]);
      t.equal(await store.head(), later.position, 'a repeated append does not move it');
    });
  });
};
