import t from 'tap';
import { uuid5, uuid7 } from '../src/uuid.ts';

/** The namespace for domain names, and an example, both from RFC 9562. */
const DNS = '6ba7b810-9dad-11d1-80b4-00c04fd430c8';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

t.test('uuid5', async (t) => {
  t.test('gives the UUID of the standard’s example', async (t) => {
    t.equal(uuid5('www.example.com', DNS), '2ed6657d-e927-568b-95e1-2665a8aea6a2');
  });
  t.test('follows from both name and namespace', async (t) => {
    const other = uuid5('a', DNS);
    t.equal(uuid5('a', DNS), other);
    t.not(uuid5('b', DNS), other);
    t.not(uuid5('a', other), other);
  });
  t.test('refuses a namespace that is no UUID', async (t) => {
    t.throws(() => uuid5('a', 'somewhere'), TypeError);
  });
});

t.test('uuid7', async (t) => {
  t.test('carries version, variant and the time', async (t) => {
    const id = uuid7(4_000_000_000_000);
    t.equal(UUID.exec(id)?.[1], '7');
    t.equal(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16), 4_000_000_000_000);
  });
  t.test('rises within a millisecond, past its 4096 ids, and when the clock steps back', async (t) => {
    const now = 4_100_000_000_000;
    const ids = Array.from({ length: 10_000 }, (_, index) => uuid7(now - (index % 3)));
    t.strictSame(ids, [...new Set(ids)].sort());
    t.equal(ids.length, 10_000);
  });
});
