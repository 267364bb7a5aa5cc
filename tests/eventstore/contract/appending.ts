import type { Test } from 'tap';
import { categoryOf } from '../../../src/eventstore/event.ts';
import { MAX_APPEND_BYTES, type NewEvent } from '../../../src/eventstore/port.ts';
import { ids, newEvent, newEvents, newStream, type Open, rising, stored } from './subject.ts';

/** What an append answers, what it stores, and what a repeat of it does. */
export const appending = (t: Test, open: Open): void => {
  t.test('an append', async (t) => {
    t.test('to a new stream begins at revision 0 and answers the last revision', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      const before = await store.head();
      const first = stored(await store.append(stream, 'noStream', newEvents(1)));
      t.match(first, { ok: true, revision: 0, repeated: false });
      t.type(first.position, 'bigint');
      t.ok(first.position > before);
      const second = stored(await store.append(stream, 0, newEvents(3)));
      t.match(second, { revision: 3, repeated: false });
      t.ok(second.position > first.position);
      const third = stored(await store.append(stream, 3, newEvents(1)));
      t.match(third, { revision: 4, repeated: false });
      t.ok(rising([before, first.position, second.position, third.position]));
    });

    t.test('answers a position at or behind its last event and before every later one', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      const first = stored(await store.append(stream, 'noStream', newEvents(3)));
      const second = stored(await store.append(stream, 2, newEvents(2)));
      const events = await store.readStream(stream);
      t.ok(events.slice(0, 3).every(({ position }) => position <= first.position));
      t.ok(events.slice(3).every(({ position }) => position > first.position && position <= second.position));
    });

    t.test('stores every field as it was given', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      const events = newEvents(2, { metadata: '{"commandId":"x"}' });
      const { position } = stored(await store.append(stream, 'noStream', events));
      const read = await store.readStream(stream);
      t.equal(read.length, 2);
      for (const [revision, { position: at, recordedAt, ...rest }] of read.entries()) {
        t.same(rest, { ...events[revision], stream, revision });
        t.ok(at > 0n && at <= position);
        t.match(recordedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        t.ok(Math.abs(Date.parse(recordedAt) - Date.now()) < 3_600_000, 'by a clock that is about right');
      }
    });

    t.test('keeps the text of data and metadata to the byte', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      const texts = [
        '{"a":1.0,"b":1e3,"c":-0,"d":12345678901234567890.123456789,"e":0.10}',
        '{ "spaced" :\t[ 1 ,2 ]\n}',
        '{"escaped":"\\u00e9\\u0000\\ud83d\\ude00\\/","raw":"é😀 ﷺ\u2028"}',
        '{"b":1,"a":2,"a":3,"2":0,"1":0}',
        '{"__proto__":{"x":1},"constructor":null}',
        '[]',
        '{}',
        '"only text"',
        '"{\\"a\\":1}"',
        'null',
        '0',
        'false',
        '""',
        '\n{}\n',
        '{"half":"\\ud800"}',
      ];
      const events = texts.flatMap((text) => [newEvent({ data: text }), newEvent({ metadata: text })]);
      const before = await store.head();
      await store.append(stream, 'noStream', events);
      const read = await store.readStream(stream);
      t.same(
        read.map(({ data, metadata }) => [data, metadata]),
        events.map(({ data, metadata }) => [data, metadata]),
      );
      const page = await store.readAll(before, { filter: { categories: [categoryOf(stream)] } });
      t.same(page.events, read, 'the whole log gives the same events as the stream');
    });

    t.test('takes names as they are', async (t) => {
      const { store } = await open(t);
      const stream = `${newStream()}~2026-01-31/é😀 .*%_'"\\`;
      const type = `Größe.*[x] 'q' "😀"`;
      stored(await store.append(stream, 'noStream', newEvents(1, { type })));
      t.match(await store.readStream(stream), [{ stream, type, revision: 0 }]);
      t.same(await store.readStream(`${stream} `), []);
    });

    t.test('on another revision is refused with the actual one, and stores nothing', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      t.same(await store.append(stream, 0, newEvents(2)), { ok: false, actual: 'noStream' });
      t.same(await store.append(stream, 7, newEvents(1)), { ok: false, actual: 'noStream' });
      t.same(await store.readStream(stream), []);
      const events = newEvents(3);
      await store.append(stream, 'noStream', events);
      for (const expected of ['noStream', 0, 1, 3, 1_000_000] as const)
        t.same(await store.append(stream, expected, newEvents(2)), { ok: false, actual: 2 }, `expecting ${expected}`);
      t.same(ids(await store.readStream(stream)), ids(events));
      t.match(await store.append(stream, 2, newEvents(1)), { ok: true, revision: 3 });
    });

    t.test('after a conflict stores at the actual revision', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      await store.append(stream, 'noStream', newEvents(2));
      const late = newEvents(2);
      t.same(await store.append(stream, 'noStream', late), { ok: false, actual: 1 });
      t.match(await store.append(stream, 1, late), { ok: true, revision: 3, repeated: false });
    });

    t.test('of many events is one append', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      const events = newEvents(600);
      t.match(await store.append(stream, 'noStream', events), { ok: true, revision: 599 });
      t.same(ids(await store.readStream(stream)), ids(events));
    });
  });

  t.test('a repeated append', async (t) => {
    t.test('gives the first answer and stores nothing', async (t) => {
      const { store, another } = await open(t);
      const stream = newStream();
      const events = newEvents(3);
      const first = stored(await store.append(stream, 'noStream', events));
      const more = newEvents(2);
      const second = stored(await store.append(stream, 2, more));
      const other = await another();
      for (const through of [store, other]) {
        t.same(await through.append(stream, 'noStream', events), { ...first, repeated: true });
        t.same(await through.append(stream, 2, more), { ...second, repeated: true });
      }
      t.same(ids(await store.readStream(stream)), ids([...events, ...more]));
    });

    t.test('is recognised after later events', async (t) => {
      const { store, another } = await open(t);
      const stream = newStream();
      const first = newEvents(2);
      const answer = stored(await store.append(stream, 'noStream', first));
      for (let revision = 1; revision < 21; revision += 1) await store.append(stream, revision, newEvents(1));
      t.same(await store.append(stream, 'noStream', first), { ...answer, repeated: true });
      t.same(await (await another()).append(stream, 'noStream', first), { ...answer, repeated: true });
      t.equal((await store.readStream(stream)).length, 22);
    });

    t.test('changes nothing when the data differ', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      const events = newEvents(1);
      const answer = stored(await store.append(stream, 'noStream', events));
      const altered = events.map((event) => ({ ...event, data: '{"n":"other"}' }));
      t.same(await store.append(stream, 'noStream', altered), { ...answer, repeated: true });
      t.match(await store.readStream(stream), [{ data: events[0]?.data }]);
    });

    t.test('that expects another revision is found or refused, never stored twice', async (t) => {
      const { store, another } = await open(t);
      for (const through of [store, await another()]) {
        const stream = newStream();
        const events = newEvents(3);
        const answer = stored(await store.append(stream, 'noStream', events));
        for (const expected of [2, 0, 1, 5] as const) {
          const repeat = await through.append(stream, expected, events);
          if (repeat.ok) t.same(repeat, { ...answer, repeated: true }, `expecting ${expected}`);
          else t.equal(repeat.actual, 2, `expecting ${expected}`);
        }
        t.same(ids(await store.readStream(stream)), ids(events));
        t.match(await through.append(stream, 2, newEvents(1)), { ok: true, revision: 3, repeated: false });
        await through.append(stream, 3, events);
        t.equal((await store.readStream(stream)).length, 4);
      }
    });

    t.test('mixed with new events stores no event twice', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      const events = newEvents(3);
      await store.append(stream, 'noStream', events);
      const [one] = events as [NewEvent, ...NewEvent[]];
      for (const [expected, mixed] of [
        ['noStream', [...events, newEvent()]],
        [2, [newEvent(), one]],
        [2, [one, newEvent()]],
      ] as const)
        await store.append(stream, expected, mixed).catch(() => {});
      const read = ids(await store.readStream(stream));
      t.equal(new Set(read).size, read.length);
      t.same(read.slice(0, 3), ids(events));
    });

    t.test('is recognised when both are under way at once', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      const events = newEvents(2);
      const answers = await Promise.all(Array.from({ length: 8 }, () => store.append(stream, 'noStream', events)));
      t.ok(answers.every((answer) => answer.ok && answer.revision === 1));
      t.same(ids(await store.readStream(stream)), ids(events));
    });
  });

  t.test('the size of an append', async (t) => {
    const ofBytes = (bytes: number): NewEvent => newEvent({ data: `"${'x'.repeat(bytes - 2)}"` });

    t.test('may be exactly the limit', async (t) => {
      const { store } = await open(t);
      const one = newStream();
      t.match(await store.append(one, 'noStream', [ofBytes(MAX_APPEND_BYTES)]), { ok: true, revision: 0 });
      t.equal((await store.readStream(one))[0]?.data.length, MAX_APPEND_BYTES);
      const two = newStream();
      const halves = [ofBytes(MAX_APPEND_BYTES / 2), ofBytes(MAX_APPEND_BYTES / 2)];
      t.match(await store.append(two, 'noStream', halves), { ok: true, revision: 1 });
    });

    t.test('may not be a byte more, and nothing is stored', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      const tooLarge = { name: 'AppendTooLarge', stream, bytes: MAX_APPEND_BYTES + 1 };
      await t.rejects(store.append(stream, 'noStream', [ofBytes(MAX_APPEND_BYTES + 1)]), tooLarge);
      await t.rejects(store.append(stream, 'noStream', [ofBytes(MAX_APPEND_BYTES - 9), ofBytes(10)]), tooLarge);
      t.same(await store.readStream(stream), []);
      t.match(await store.append(stream, 'noStream', newEvents(1)), { ok: true, revision: 0 });
    });

    t.test('counts UTF-8 bytes of data only', async (t) => {
      const { store } = await open(t);
      const stream = newStream();
      const euros = `"${'€'.repeat((MAX_APPEND_BYTES - 4) / 3)}"`;
      t.equal(Buffer.byteLength(euros), MAX_APPEND_BYTES - 2);
      await t.rejects(store.append(stream, 'noStream', [newEvent({ data: `"€${euros.slice(1)}` })]), {
        name: 'AppendTooLarge',
        bytes: MAX_APPEND_BYTES + 1,
      });
      const metadata = `"${'m'.repeat(MAX_APPEND_BYTES)}"`;
      t.match(await store.append(stream, 'noStream', [newEvent({ data: euros, metadata })]), { ok: true });
      t.match(await store.readStream(stream), [{ data: euros, metadata }]);
    });
  });
};
