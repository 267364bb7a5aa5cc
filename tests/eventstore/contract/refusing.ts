import type { Test } from 'tap';
import type { NewEvent } from '../../../src/eventstore/port.ts';
import { ids, newEvent, newEvents, newStream, type Open, stored } from './subject.ts';

const SECRET = 'not-to-be-quoted';

/** Input that no store may see: refused by name, without quoting data, and with nothing stored. */
export const refusing = (t: Test, open: Open): void => {
  t.test('an invalid append', async (t) => {
    const { store } = await open(t);
    const stream = newStream();
    const [kept] = newEvents(1) as [NewEvent];
    stored(await store.append(stream, 'noStream', [kept]));

    const events: readonly (readonly [string, Partial<NewEvent> | Record<string, unknown>])[] = [
      ['an id that is no UUID', { id: 'one' }],
      ['an empty id', { id: '' }],
      ['the nil UUID', { id: '00000000-0000-0000-0000-000000000000' }],
      ['an id in braces', { id: '{0b7a7ac6-3d20-4a26-8a54-0d1d6f1e7d0a}' }],
      ['an id without hyphens', { id: '0b7a7ac63d204a268a540d1d6f1e7d0a' }],
      ['an id in upper case', { id: '0B7A7AC6-3D20-4A26-8A54-0D1D6F1E7D0A' }],
      ['an empty type', { type: '' }],
      ['a system type', { type: '$metadata' }],
      ['a type with a control character', { type: 'a\u0000b' }],
      ['a type with half a surrogate pair', { type: 'a\ud800' }],
      ['a type that is too long', { type: 'T'.repeat(201) }],
      ['empty data', { data: '' }],
      ['data that is no JSON', { data: `{"a":${SECRET}}` }],
      ['data with a trailing comma', { data: '{"a":1,}' }],
      ['data with half a surrogate pair', { data: '"\ud800"' }],
      ['metadata that is no JSON', { metadata: SECRET }],
      ['empty metadata', { metadata: '' }],
      ['metadata with half a surrogate pair', { metadata: '"\udc00"' }],
      ['undefined data', { data: undefined }],
      ['data that is an object', { data: { a: 1n } }],
      ['undefined metadata', { metadata: undefined }],
    ];
    for (const [what, over] of events)
      t.test(`with ${what} is refused`, async (t) => {
        const refused = (list: readonly NewEvent[]) =>
          store.append(stream, 0, list).then(
            () => t.fail('was stored'),
            (error: Error) => {
              t.equal(error.name, 'InvalidEvent');
              t.notMatch(error.message, SECRET);
            },
          );
        const bad = { ...newEvent(), ...over } as NewEvent;
        await refused([bad]);
        await refused([newEvent(), bad]);
      });

    const streams: readonly (readonly [string, string])[] = [
      ['an empty name', ''],
      ['the stream of all events', '$all'],
      ['a system stream', '$streams'],
      ['the metadata of a stream', `$$${newStream()}`],
      ['a name with a control character', 'a\n-b'],
      ['a name with half a surrogate pair', 'a-\ud800'],
      ['a name that is too long', `a-${'x'.repeat(400)}`],
    ];
    for (const [what, name] of streams)
      t.test(`to ${what} is refused`, async (t) =>
        t.rejects(store.append(name, 'noStream', newEvents(1)), { name: 'InvalidEvent' }),
      );

    for (const expected of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
      t.test(`expecting ${expected} is refused`, async (t) =>
        t.rejects(store.append(stream, expected, newEvents(1)), { name: 'InvalidEvent' }),
      );

    t.test('without events is refused', async (t) => {
      const head = await store.head();
      await t.rejects(store.append(stream, 0, []), { name: 'InvalidEvent' });
      await t.rejects(store.append(newStream(), 'noStream', []), { name: 'InvalidEvent' });
      t.equal(await store.head(), head, 'the log did not move');
    });

    t.test('with one id twice is refused', async (t) => {
      const event = newEvent();
      await t.rejects(store.append(stream, 0, [event, newEvent(), { ...event }]), { name: 'InvalidEvent' });
    });

    t.test('leaves the stream and the store as they were', async (t) => {
      t.same(ids(await store.readStream(stream)), [kept.id]);
      t.match(await store.append(stream, 0, newEvents(1)), { ok: true, revision: 1 });
    });
  });
};
