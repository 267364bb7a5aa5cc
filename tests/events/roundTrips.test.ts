import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import fc from 'fast-check';
import t from 'tap';
import { z } from 'zod';
import { shownData } from '../../src/audit/past.ts';
import type { AnyDecider } from '../../src/commands/binding.ts';
import { deciders } from '../../src/domain/catalogue.ts';
import { ERASED } from '../../src/domain/decider.ts';
import { createCodec } from '../../src/eventstore/codec.ts';
import { isUndecodable, type Metadata, type Recorded } from '../../src/eventstore/event.ts';
import { dataBytes, metadataBytes, storedEvent } from '../../src/eventstore/eventstoredb/records.ts';
import { keyRing } from '../../src/eventstore/keyRing.ts';
import type { NewEvent, StoredEvent } from '../../src/eventstore/port.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { masterKeys } from '../../src/masterKeys.ts';
import { arbitraryOf } from '../support/arbitrary.ts';
import { testDatabase } from '../support/postgres.ts';
import { runs } from '../support/random.ts';

/** What every object has without being given it. */
const INHERITED = Object.getOwnPropertyNames(Object.prototype);

const folder = new URL('./golden/', import.meta.url);
const Golden = z.object({ type: z.string(), schemaVersion: z.int(), data: z.record(z.string(), z.unknown()) });
const metadata: Metadata = {
  commandId: randomUUID(),
  command: 'Test',
  correlationId: randomUUID(),
  actor: { id: 'someone', kind: 'user' },
};

/** A personal value that can be found again wherever it comes out, in any spelling of JSON. */
const canary = fc
  .tuple(fc.uuid(), fc.constantFrom('', 'ö', '"', '👩‍👩‍👧', '@example.org'))
  .map(([id, tail]) => `canary-${id}${tail}`);
const CANARY = /canary-[0-9a-f-]{36}/;
const personal = (schema: z.ZodType): fc.Arbitrary<unknown> => {
  const nullable = schema.safeParse(null).success;
  return nullable ? fc.option(canary, { freq: 6 }) : canary;
};
/** Data of a shape; personal fields hold canaries, and the fields that name persons hold one of a few ids. */
const dataOf = (schema: z.ZodType, subjects: readonly string[]): fc.Arbitrary<Record<string, unknown>> => {
  const named = new Set<string>();
  const data = arbitraryOf(schema, {
    marked: ({ pii }, field) => {
      if (typeof pii !== 'string') return undefined;
      named.add(pii);
      // The mark stands on the optional or on what is inside it; whether the field is there is the object's affair.
      return personal(field);
    },
  }) as fc.Arbitrary<Record<string, unknown>>;
  return fc.tuple(data, fc.constantFrom(...subjects)).map(([drawn, subject]) => ({
    ...drawn,
    ...Object.fromEntries([...named].map((field) => [field, subject])),
  }));
};

/** Every shape in which an event may lie in the log, oldest first. */
const shapes = (deciders as readonly AnyDecider[]).flatMap((decider) =>
  Object.entries(decider.events).flatMap(([type, current]) => {
    const former = decider.older?.[type] ?? [];
    return [...former.map(({ schema }) => schema), current].map((schema, index) => ({
      decider,
      type,
      schema,
      version: index + 1,
      current: index === former.length,
      /** The same shape as the newest one of a codec that knows no later one: by it, older shapes can be written. */
      alone: { events: { [type]: schema }, older: { [type]: former.slice(0, index) } },
    }));
  }),
);

const lying = (event: NewEvent): StoredEvent => ({
  ...event,
  stream: 'test-1',
  revision: 0,
  position: 1n,
  recordedAt: '2026-01-01T00:00:00.000Z',
});
/** As EventStoreDB's client hands over what was stored. */
const throughEventStoreDb = (event: NewEvent): StoredEvent =>
  storedEvent({
    id: event.id,
    type: event.type,
    streamId: 'test-1',
    revision: 0n,
    position: { commit: 1n, prepare: 1n },
    created: new Date(0),
    isJson: true,
    data: dataBytes(event.data),
    metadata: metadataBytes(event.metadata),
  } as never);

const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
/** The canaries of a value, replaced. */
const replaced = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
    typeof part === 'string' && CANARY.test(part) ? ERASED : part,
  );
const inOrder = (schema: z.ZodType, data: unknown): unknown => throughJson(schema.parse(data));

t.test('every event, in every shape', async (t) => {
  const { pool, connectionString } = await testDatabase(t, { migrate: true });
  const store = postgresEventStore({ connectionString });
  t.teardown(() => store.close());
  const keys = keyRing(pool, masterKeys('one'));
  const codec = createCodec(deciders, keys);
  const subjects = Array.from({ length: 4 }, () => randomUUID());
  const read = async (event: StoredEvent, by = codec): Promise<Recorded> => {
    const [decoded] = await by.decode([event]);
    if (decoded === undefined || isUndecodable(decoded)) throw decoded?.error ?? new Error('Nothing was read');
    return decoded;
  };

  t.test('comes back as it was, with nothing personal in its bytes', async (t) => {
    let sealed = 0;
    const kept: { readonly event: NewEvent; readonly data: unknown; readonly shape: (typeof shapes)[number] }[] = [];
    for (const shape of shapes) {
      const { type, schema, decider, version } = shape;
      const writer = createCodec([shape.alone], keys);
      await fc.assert(
        fc.asyncProperty(dataOf(schema, subjects), fc.uuid(), async (data, id) => {
          const before = inOrder(schema, data);
          assert.deepEqual(before, throughJson(data), `${type}: the schema takes its own data as they are`);
          const [event] = await writer.encode([{ id, type, data: structuredClone(data) }], metadata);
          assert.ok(event);
          assert.equal(JSON.parse(event.metadata).schemaVersion, version);
          assert.doesNotMatch(Buffer.from(event.data + event.metadata).toString(), CANARY, `${type}: personal bytes`);
          const written = JSON.stringify(data);
          sealed += CANARY.test(written) ? 1 : 0;
          for (const stored of [lying(event), throughEventStoreDb(event)]) {
            assert.deepEqual([stored.data, stored.metadata], [event.data, event.metadata], `${type}: the same bytes`);
            assert.deepEqual(throughJson((await read(stored, writer)).data), before, `${type}: the same data`);
          }
          const today = await read(lying(event));
          if (shape.current) {
            assert.deepEqual(throughJson(today.data), before);
            assert.doesNotMatch(JSON.stringify(shownData(today, false)), CANARY, `${type}: masked for auditors`);
            // What states are keyed by are ids, which inputs keep to UUIDs: none is called like what every object has.
            if (!INHERITED.some((name) => written.includes(`"${name}"`))) {
              const state = decider.evolve(decider.initial as never, today as never);
              assert.doesNotMatch(JSON.stringify(state) ?? '', CANARY, `${type}: nothing personal in the state`);
            }
          }
          if (kept.length < 4000) kept.push({ event, data: before, shape });
        }),
        { ...runs(15), endOnFailure: true },
      );
    }
    t.ok(shapes.length >= 65, `${shapes.length} shapes`);
    t.ok(sealed > 200, `${sealed} times with something personal`);

    t.test('through Postgres too, byte by byte', async (t) => {
      const some = kept.filter((_one, index) => index % 5 === 0).map(({ event }) => ({ ...event, id: randomUUID() }));
      for (let from = 0; from < some.length; from += 200)
        await store.append(`test-${randomUUID()}`, 'noStream', some.slice(from, from + 200));
      const { events } = await store.readAll(0n);
      t.equal(events.length, some.length);
      const bytes = ({ id, type, data, metadata }: NewEvent) => ({ id, type, data, metadata });
      t.strictSame(events.map(bytes), some.map(bytes));
    });

    t.test('and reads as deleted in its personal fields alone once the keys are destroyed', async (t) => {
      for (const subject of subjects) await keys.erase(subject);
      const fresh = createCodec(deciders, keyRing(pool, masterKeys('one')));
      let erased = 0;
      for (const { event, data, shape } of kept.filter(({ shape }) => shape.current)) {
        for (const by of [codec, fresh]) {
          const { data: now } = await read(lying(event), by);
          assert.deepEqual(throughJson(now), replaced(data), shape.type);
        }
        if (CANARY.test(JSON.stringify(data))) erased += 1;
      }
      t.ok(erased > 200, `${erased} events`);
    });
  });

  t.test('is read from its golden file', async (t) => {
    const files = await readdir(folder);
    t.ok(files.length >= 65);
    for (const file of files) {
      const { type, schemaVersion, data } = Golden.parse(JSON.parse(await readFile(new URL(file, folder), 'utf8')));
      const today = await read(
        lying({
          id: randomUUID(),
          type,
          data: JSON.stringify(data),
          metadata: JSON.stringify({ schemaVersion, ...metadata }),
        }),
      );
      const newest = shapes.find((shape) => shape.type === type && shape.current);
      t.strictSame(throughJson(newest?.schema.parse(today.data)), throughJson(today.data), file);
    }
  });

  t.test('is refused when a sealed field is bent', async () => {
    const shape = shapes.find(({ type }) => type === 'AccountRegistered');
    assert.ok(shape);
    const [data] = fc.sample(dataOf(shape.schema, [randomUUID()]), 1);
    const [event] = await codec.encode([{ id: randomUUID(), type: shape.type, data }], metadata);
    assert.ok(event);
    const bent = event.data.replace(/("\$pii":\["[^"]+",")[^"]+/, `$1${randomBytes(48).toString('base64')}`);
    assert.notEqual(bent, event.data);
    const [decoded] = await codec.decode([lying({ ...event, data: bent })]);
    assert.ok(decoded && isUndecodable(decoded));
  });
});
