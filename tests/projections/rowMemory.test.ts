import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import type { Fact } from '../../src/eventstore/feed.ts';
import { START } from '../../src/eventstore/port.ts';
import { projector } from '../../src/projections/projector.ts';
import { allowance } from '../../src/projections/rowMemory.ts';
import type { Changes, Row, Table } from '../../src/projections/table.ts';
import { counters } from '../support/readSide.ts';

const KEYS = Array.from({ length: 12 }, () => randomUUID());

/** A table in memory that takes nothing amiss but what Postgres would not do either: a new row twice, a change of none. */
const tableIn = (stored: Map<string, Row>) => {
  let loads = 0;
  const load: Table['load'] = async (_db, keys) => {
    loads += 1;
    return new Map(
      keys.flatMap((key) => {
        const row = stored.get(key);
        return row === undefined ? [] : [[key, row] as const];
      }),
    );
  };
  const write = ({ inserted, updated, deleted }: Changes): void => {
    const must = (holds: boolean, what: string, key: unknown): void => {
      if (!holds) throw new Error(`${what} of ${key}`);
    };
    for (const row of inserted) {
      must(!stored.has(String(row.id)), 'Second insert', row.id);
      stored.set(String(row.id), row);
    }
    for (const row of updated) {
      must(stored.has(String(row.id)), 'Update of nothing', row.id);
      stored.set(String(row.id), row);
    }
    for (const key of deleted) must(stored.delete(key), 'Delete of nothing', key);
  };
  const table = { load, effects: (changes: Changes) => ({ ctes: '', values: [changes] }) } as unknown as Table;
  return { table, write, loads: () => loads };
};

const change = fc.record({
  key: fc.nat(KEYS.length - 1),
  type: fc.constantFrom('Counted', 'Renamed', 'Removed'),
  title: fc.nat(400).map((length) => 'x'.repeat(length)),
});
const step = fc.oneof(
  { weight: 6, arbitrary: fc.array(change, { minLength: 1, maxLength: 12 }) },
  { weight: 2, arbitrary: fc.constant('write' as const) },
  { weight: 1, arbitrary: fc.constant('crash' as const) },
);

const folded = (events: readonly Fact[]): ReadonlyMap<string, Row> => {
  const rows = new Map<string, Row>();
  for (const event of events) {
    const { id } = event.data as { id: string };
    const row = (counters.fold[event.type] as unknown as (...given: unknown[]) => Row | undefined)(
      rows.get(id),
      event,
      id,
    );
    if (row === undefined) rows.delete(id);
    else rows.set(id, row);
  }
  return rows;
};

t.test(
  'however little memory holds and whenever it is written or lost, the table becomes what the events say',
  async (t) => {
    let loaded = 0;
    let given = 0;
    let spared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 0, max: 6_000 }),
        fc.boolean(),
        async (steps, bytes, late) => {
          const stored = new Map<string, Row>();
          const { table, write, loads } = tableIn(stored);
          const handler = projector(counters, table, { pool: undefined as never, allowed: allowance(bytes), late });
          const events: Fact[] = [];
          let durable = 0;
          const flush = (): void => {
            for (const { values } of handler.effects()) write(values[0] as Changes);
            handler.written();
            durable = events.length;
          };
          const take = async (batch: readonly Fact[]): Promise<void> => {
            const before = loads();
            await handler.take(batch);
            if (durable > 0 && loads() === before) spared += 1;
          };
          handler.reset(START);
          for (const each of steps)
            if (each === 'write') flush();
            else if (each === 'crash') {
              handler.reset(BigInt(durable));
              await take(events.slice(durable));
            } else {
              const batch = each.map(
                ({ key, type, title }) => ({ type, data: { id: KEYS[key], title } }) as unknown as Fact,
              );
              await take(batch);
              events.push(...batch);
              if (handler.full()) {
                given += 1;
                flush();
              }
            }
          flush();
          t.strictSame(stored, folded(events));
          loaded += loads();
        },
      ),
      { numRuns: 400 },
    );
    t.ok(loaded > 100 && given > 100 && spared > 100, `${loaded} loads, ${given} times full, ${spared} loads spared`);
  },
);

t.test('builds share what they may hold', async (t) => {
  const [first, second] = [{}, {}];
  const shared = allowance(1_000);
  shared.note(first, 900);
  t.equal(shared.excess(first), 0);
  shared.note(second, 200);
  t.ok(shared.excess(first) > 0, 'who holds more than an equal share makes room');
  t.equal(shared.excess(second), 0);
  shared.note(first, 900 - shared.excess(first));
  t.equal(shared.excess(first), 0);
  shared.note(second, 0);
  shared.note(first, 1_000);
  t.equal(shared.excess(first), 0, 'what has ended takes no share');
});

t.test('rows that are gone round find a part of them in memory, though not all of them fit', async (t) => {
  const keys = Array.from({ length: 200 }, () => randomUUID());
  const stored = new Map<string, Row>();
  const { table, write } = tableIn(stored);
  let asked = 0;
  const counted: Table = {
    ...table,
    load: (db, wanted) => {
      asked += wanted.length;
      return table.load(db, wanted);
    },
  };
  const handler = projector(counters, counted, { pool: undefined as never, allowed: allowance(50_000), late: true });
  handler.reset(START);
  const rounds = 20;
  for (let round = 0; round < rounds; round += 1)
    for (let from = 0; from < keys.length; from += 10) {
      await handler.take(
        keys.slice(from, from + 10).map((id) => ({ type: 'Counted', data: { id } }) as unknown as Fact),
      );
      if (!handler.full()) continue;
      for (const { values } of handler.effects()) write(values[0] as Changes);
      handler.written();
    }
  t.ok(asked > 0);
  t.ok(asked < 0.7 * rounds * keys.length, `${asked} of ${rounds * keys.length} rows loaded`);
});

t.test('a live table is asked for a busy row once, and for one that its event is new to never', async (t) => {
  const stored = new Map<string, Row>();
  const { table, write, loads } = tableIn(stored);
  const handler = projector(counters, table, { pool: undefined as never, allowed: allowance(50_000), late: false });
  handler.reset(START);
  const take = async (...events: readonly { readonly id: string; readonly data: { readonly id: string } }[]) => {
    await handler.take(events.map((event) => ({ type: 'Counted', ...event }) as unknown as Fact));
    t.ok(handler.full(), 'it is written at once');
    for (const { values } of handler.effects()) write(values[0] as Changes);
    handler.written();
  };
  const [busy, fresh] = [randomUUID(), randomUUID()];
  for (let batch = 0; batch < 3; batch += 1) await take({ id: randomUUID(), data: { id: busy } });
  t.equal(loads(), 1);
  await take({ id: fresh, data: { id: fresh } });
  t.equal(loads(), 1);
  await take({ id: randomUUID(), data: { id: fresh } });
  t.equal(loads(), 2, 'what went once it was written is loaded again');
  t.match([stored.get(busy), stored.get(fresh)], [{ total: 3 }, { total: 2 }]);
});
