import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { z } from 'zod';
import { ERASED, pii } from '../../src/domain/decider.ts';
import { createCodec, type EventShapes } from '../../src/eventstore/codec.ts';
import { isUndecodable, type Metadata } from '../../src/eventstore/event.ts';
import { keyRing } from '../../src/eventstore/keyRing.ts';
import type { NewEvent, StoredEvent } from '../../src/eventstore/port.ts';
import { masterKeys } from '../../src/masterKeys.ts';
import { testDatabase } from '../support/postgres.ts';

const metadata: Metadata = {
  commandId: randomUUID(),
  command: 'NotePerson',
  correlationId: randomUUID(),
  actor: { id: 'someone', kind: 'user' },
};

const shapes: EventShapes = {
  events: {
    PersonNoted: z.object({
      personId: z.string(),
      name: pii('personId', z.string()),
      tags: z.array(z.object({ label: pii('personId', z.string()).optional(), weight: z.int() })),
      changed: z.object({ phone: pii('personId', z.string().nullable()) }).optional(),
    }),
    Counted: z.object({ total: z.int(), unit: z.string() }),
    AccountErased: z.object({ accountId: z.string() }),
  },
  older: {
    Counted: [
      { schema: z.object({ n: z.int() }), upcast: ({ n }: { n: number }) => ({ count: n }) },
      {
        schema: z.object({ count: z.int() }),
        upcast: ({ count }: { count: number }) => ({ total: count, unit: 'piece' }),
      },
    ],
  },
};

const lying = (event: NewEvent, over: Partial<StoredEvent> = {}): StoredEvent => ({
  ...event,
  stream: 'person-1',
  revision: 3,
  position: 17n,
  recordedAt: '2026-01-01T00:00:00.000Z',
  ...over,
});

const open = async (t: Parameters<typeof testDatabase>[0]) => {
  const { pool } = await testDatabase(t, { migrate: true });
  const keys = keyRing(pool, masterKeys('one'));
  return { pool, keys, codec: createCodec([shapes], keys) };
};

const person = (personId: string, name: string) => ({
  id: randomUUID(),
  type: 'PersonNoted',
  data: { personId, name, tags: [{ label: name, weight: 1 }, { weight: 2 }], changed: { phone: name } },
});

t.test('the codec', async (t) => {
  const { pool, keys, codec } = await open(t);

  t.test('gives back any event as it was, and keeps personal fields out of the bytes', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.uuid(), fc.string({ minLength: 4, unit: 'grapheme' }), async (personId, text) => {
        const name = `«${text}»`;
        const event = person(personId, name);
        const [stored] = await codec.encode([event], metadata);
        t.notOk(stored?.data.includes(JSON.stringify(name).slice(1, -1)));
        const [read] = await codec.decode([lying(stored as NewEvent)]);
        t.same(read && 'data' in read && read.data, event.data);
      }),
      { numRuns: 50 },
    );
  });

  t.test('reads personal fields of an erased person as deleted, in memory and after a restart', async (t) => {
    const event = person('erased', 'Somebody');
    const [stored] = await codec.encode([event], metadata);
    await keys.erase('erased');
    for (const reader of [codec, createCodec([shapes], keyRing(pool, masterKeys('one')))]) {
      const [read] = await reader.decode([lying(stored as NewEvent)]);
      t.match(read, {
        data: { name: ERASED, tags: [{ label: ERASED, weight: 1 }, { weight: 2 }], changed: { phone: ERASED } },
      });
    }
    const [after] = await codec.encode([person('erased', 'Once more')], metadata);
    t.notMatch(after?.data, 'Once more', 'nothing of an erased person is written again');
  });

  t.test('reads nothing from an erasure on, though the key is not destroyed yet', async (t) => {
    const erasure = { id: randomUUID(), type: 'AccountErased', data: { accountId: 'late' } };
    const stored = await codec.encode([person('late', 'Somebody'), erasure, person('late', 'Straggler')], metadata);
    const [before, , after] = await codec.decode(stored.map((event) => lying(event)));
    t.match(before, { data: { name: ERASED } });
    t.match(after, { data: { name: ERASED } });
    t.match(await codec.decode(stored.slice(0, 1).map((event) => lying(event))), [{ data: { name: ERASED } }]);
    const [later] = await codec.encode([person('late', 'Once more')], metadata);
    t.notMatch(later?.data, 'Once more');
    const broken = { ...lying(stored[1] as NewEvent), data: '{}' };
    t.ok((await codec.decode([broken])).every(isUndecodable), 'and a damaged one stops nothing');
  });

  t.test('reads nothing of a person erased by another node, once this one has heard of it', async (t) => {
    const elsewhere = keyRing(pool, masterKeys('one'));
    const there = createCodec([shapes], elsewhere);
    const [stored] = await codec.encode([person('far', 'Somebody')], metadata);
    const read = async (): Promise<unknown> => (await there.decode([lying(stored as NewEvent)]))[0];
    t.match(await read(), { data: { name: 'Somebody' } });
    await keys.erase('far');
    elsewhere.forget('far');
    t.match(await read(), { data: { name: ERASED } });
    const [after] = await there.encode([person('far', 'Once more')], metadata);
    t.notMatch(after?.data, 'Once more', 'and writes nothing of him');
  });

  t.test('opens what a former master key wrapped, and nothing without it', async (t) => {
    const [stored] = await codec.encode([person('rotated', 'Somebody')], metadata);
    const rotated = createCodec([shapes], keyRing(pool, masterKeys('two', 'one')));
    t.match((await rotated.decode([lying(stored as NewEvent)]))[0], { data: { name: 'Somebody' } });
    await t.rejects(createCodec([shapes], keyRing(pool, masterKeys('two'))).decode([lying(stored as NewEvent)]));
  });

  t.test('gives one person one key when two nodes make it at once', async (t) => {
    const rings = Array.from({ length: 8 }, () => keyRing(pool, masterKeys('one')));
    const found = await Promise.all(rings.map((ring) => ring.toSeal(['raced'])));
    t.equal(new Set(found.map((ring) => ring.get('raced')?.toString('hex'))).size, 1);
  });

  t.test('brings older shapes to the current one, step by step', async (t) => {
    const [current] = await codec.encode(
      [{ id: randomUUID(), type: 'Counted', data: { total: 4, unit: 'hour' } }],
      metadata,
    );
    t.equal(JSON.parse(current?.metadata ?? '').schemaVersion, 3);
    const written = (version: number, data: object) =>
      lying({
        ...(current as NewEvent),
        data: JSON.stringify(data),
        metadata: JSON.stringify({ ...metadata, schemaVersion: version }),
      });
    const read = await codec.decode([written(1, { n: 1 }), written(2, { count: 2 }), lying(current as NewEvent)]);
    t.match(
      read.map((event) => 'data' in event && event.data),
      [
        { total: 1, unit: 'piece' },
        { total: 2, unit: 'piece' },
        { total: 4, unit: 'hour' },
      ],
    );
  });

  t.test('hands on what it cannot read, with the place where it lies', async (t) => {
    const [good] = await codec.encode([person('p', 'Somebody')], metadata);
    const [other] = await codec.encode([person('p', 'Somebody')], metadata);
    const stored = lying(good as NewEvent);
    const bad: [string, StoredEvent][] = [
      ['unknown-type', { ...stored, type: 'NeverHeardOf' }],
      ['damaged', { ...stored, data: '{"personId":' }],
      ['damaged', { ...stored, data: '{}' }],
      ['damaged', { ...stored, metadata: '[]' }],
      ['damaged', { ...stored, metadata: JSON.stringify({ ...metadata, schemaVersion: 9 }) }],
      ['damaged', { ...stored, data: stored.data.replace('"$pii":["p","', '"$pii":["p","AA') }],
      // A sealed value of one event does not open in another.
      ['damaged', { ...stored, data: (other as NewEvent).data }],
    ];
    for (const [kind, event] of bad) {
      const [before, read, after] = await codec.decode([stored, event, stored]);
      t.ok(before && !isUndecodable(before) && after && !isUndecodable(after), 'its neighbours are read');
      t.ok(read && isUndecodable(read));
      t.match(read, {
        stream: 'person-1',
        revision: 3,
        position: 17n,
        error: { kind, stream: 'person-1', revision: 3, position: 17n },
      });
      t.notMatch(String((read as { error: Error }).error.message), 'Somebody');
    }
  });

  t.test('writes nothing that does not fit its schema', async (t) => {
    await t.rejects(codec.encode([{ id: randomUUID(), type: 'Counted', data: { total: 'x' } }], metadata));
    await t.rejects(codec.encode([{ id: randomUUID(), type: 'NeverHeardOf', data: {} }], metadata));
  });
});

t.test('two aggregates with one event name are refused', async (t) => {
  const { keys } = await open(t);
  t.throws(() => createCodec([shapes, shapes], keys), /Counted|PersonNoted/);
});
