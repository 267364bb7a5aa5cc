import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import pg from 'pg';
import t, { type Test } from 'tap';
import { START } from '../../src/eventstore/port.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { testDatabase } from '../support/postgres.ts';
import { newStream, readOn } from './contract/subject.ts';

/** `expected` is -1 for no stream. */
type Append = { readonly stream: string; readonly expected: number; readonly ids: readonly string[] };
type Outcome = { readonly stored: boolean; readonly revision: number; readonly position: string | null };

/** One call of the database's function: of one append on its own, or of a batch. */
const call = async (client: pg.ClientBase, appends: readonly Append[]): Promise<Outcome[]> => {
  const events = appends.flatMap(({ ids }) => ids);
  const { rows } = await client.query<Outcome>('select * from log.append($1, $2, $3, $4, $5, $6, $7)', [
    appends.map(({ stream }) => stream),
    appends.map(({ expected }) => expected),
    appends.map(({ ids }) => ids.length),
    events,
    events.map(() => 'Noted'),
    events.map((_, n) => JSON.stringify({ n })),
    events.map(() => '{}'),
  ]);
  return rows;
};

const one = (stream: string, expected = -1, id: string = randomUUID()): Append => ({ stream, expected, ids: [id] });

/** A lone append takes a shorter way through the function than several: each way has to be seen beside each. */
type Shape = 'alone' | 'batch';
const shaped = (shape: Shape, append: Append): Append[] => (shape === 'alone' ? [append] : [one(newStream()), append]);

const open = async (t: Test) => {
  const { connectionString, pool } = await testDatabase(t, { migrate: true });
  const store = postgresEventStore({ connectionString });
  t.teardown(() => store.close());
  const connect = async () => {
    const client = new pg.Client({ connectionString });
    await client.connect();
    t.teardown(() => client.end());
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const pid = rows[0]?.pid;
    return {
      client,
      end: (how: End) => client.query(how),
      begin: () => client.query('begin'),
      append: (appends: readonly Append[]) => call(client, appends),
      /** Waits until this connection waits for a lock. */
      blocked: async (): Promise<void> => {
        const text = `select from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`;
        while ((await pool.query(text, [pid])).rowCount === 0);
      },
    };
  };
  return { store, connections: await Promise.all([connect(), connect(), connect()]) };
};

type End = 'commit' | 'rollback';
const ENDS: readonly End[] = ['commit', 'rollback'];
const SHAPES: readonly (readonly [Shape, Shape, Shape])[] = [
  ['alone', 'alone', 'alone'],
  ['batch', 'batch', 'batch'],
  ['alone', 'batch', 'alone'],
  ['batch', 'alone', 'batch'],
];

t.test('three appends that overlap', async (t) => {
  const {
    store,
    connections: [a, b, c],
  } = await open(t);
  for (const shapes of SHAPES)
    for (const first of ENDS)
      for (const second of ENDS)
        for (const third of ENDS)
          t.test(
            `are seen in the order of commits: ${shapes.join(', ')} ending in ${first}, ${second}, ${third}`,
            async (t) => {
              const start = await store.head();
              const [as, bs, cs] = shapes.map((shape) => shaped(shape, one(newStream()))) as [
                Append[],
                Append[],
                Append[],
              ];
              for (const connection of [a, b, c]) await connection.begin();
              await a.append(as);
              const appendingB = b.append(bs);
              await b.blocked();
              const appendingC = c.append(cs);
              await c.blocked();

              const visible: string[] = [];
              const look = async (): Promise<void> => {
                const { events, position } = await store.readAll(start);
                t.same(
                  events.map((event) => event.position),
                  events.map((_, n) => start + BigInt(n + 1)),
                  'a reader never sees a position before all lower ones',
                );
                t.equal(position, start + BigInt(events.length));
                t.same(
                  events.slice(0, visible.length).map(({ stream }) => stream),
                  visible,
                  'what was seen stays as it was',
                );
                visible.splice(0, visible.length, ...events.map(({ stream }) => stream));
              };
              await look();
              await a.end(first);
              await look();
              // The lock is taken in the order of arrival, but nothing here relies on it.
              const winner = await Promise.race([appendingB.then(() => b), appendingC.then(() => c)]);
              await look();
              await winner.end(winner === b ? second : third);
              await look();
              const last = winner === b ? c : b;
              await (winner === b ? appendingC : appendingB);
              await last.end(last === b ? second : third);
              await look();
              const kept = [first === 'commit' ? as : [], second === 'commit' ? bs : [], third === 'commit' ? cs : []];
              t.same(new Set(visible), new Set(kept.flat().map(({ stream }) => stream)));
            },
          );
});

t.test('an append that waits for another of its stream', async (t) => {
  const {
    store,
    connections: [a, b],
  } = await open(t);
  const id = randomUUID();
  const cases: readonly {
    readonly name: string;
    readonly append: (stream: string) => Append;
    readonly after: Readonly<Record<End, Pick<Outcome, 'stored' | 'revision'>>>;
  }[] = [
    {
      name: 'and wants to be first',
      append: (stream) => one(stream),
      after: { commit: { stored: false, revision: 0 }, rollback: { stored: true, revision: 0 } },
    },
    {
      name: 'and builds on it',
      append: (stream) => one(stream, 0),
      after: { commit: { stored: true, revision: 1 }, rollback: { stored: false, revision: -1 } },
    },
    {
      name: 'and repeats it',
      append: (stream) => one(stream, -1, id),
      after: { commit: { stored: false, revision: 0 }, rollback: { stored: true, revision: 0 } },
    },
    {
      name: 'and has the id of its event',
      append: (stream) => one(stream, 0, id),
      after: { commit: { stored: false, revision: 0 }, rollback: { stored: false, revision: -1 } },
    },
  ];
  for (const { name, append, after } of cases)
    for (const [former, latter] of [
      ['alone', 'alone'],
      ['alone', 'batch'],
      ['batch', 'alone'],
      ['batch', 'batch'],
    ] as const)
      for (const end of ENDS)
        t.test(`${name}, ${latter} after ${former}, is judged by how that ends: ${end}`, async (t) => {
          const stream = newStream();
          const start = await store.head();
          await a.begin();
          const first = await a.append(shaped(former, one(stream, -1, id)));
          t.ok(first.every(({ stored }) => stored));
          const appending = b.append(shaped(latter, append(stream)));
          await b.blocked();
          await a.end(end);
          const outcomes = await appending;
          const outcome = outcomes.at(-1);
          t.match(outcome, after[end]);
          t.equal(outcome?.position !== null, after[end].stored);
          const { events } = await store.readAll(start);
          t.same(
            events.map(({ position }) => position),
            events.map((_, n) => start + BigInt(n + 1)),
          );
          t.equal(
            events.length,
            (end === 'commit' ? first.length : 0) + outcomes.filter(({ stored }) => stored).length,
          );
          // The next case uses the same id.
          await a.client.query('update log.events set id = gen_random_uuid() where id = $1', [id]);
        });
});

t.test('a batch of appends has the outcome of the same appends made alone, in order', async (t) => {
  const [batched, single] = [await open(t), await open(t)];
  const {
    connections: [inBatches],
  } = batched;
  const {
    connections: [alone],
  } = single;
  const append = fc.record({
    stream: fc.nat(1),
    expected: fc.constantFrom(-1, -1, 0, 1, 2),
    ids: fc.uniqueArray(fc.nat(6), { minLength: 1, maxLength: 2 }),
  });
  // What group commit lets share a batch: no id twice, and of one stream only those that expect the same revision.
  const batch = fc
    .array(append, { minLength: 2, maxLength: 5 })
    .map((appends) =>
      appends.filter(({ stream, expected, ids }, at) =>
        appends
          .slice(0, at)
          .every(
            (other) =>
              (other.stream !== stream || other.expected === expected) && !other.ids.some((id) => ids.includes(id)),
          ),
      ),
    );
  let judged = 0;
  let stored = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 8 }), async (batches) => {
      const streams = Array.from({ length: 2 }, () => newStream());
      const ids = Array.from({ length: 7 }, () => randomUUID());
      for (const each of batches) {
        const appends = each.map((one) => ({
          stream: streams[one.stream] as string,
          expected: one.expected,
          ids: one.ids.map((id) => ids[id] as string),
        }));
        const together = await inBatches.append(appends);
        const apart: Outcome[] = [];
        for (const each of appends) apart.push(...(await alone.append([each])));
        t.strictSame(together, apart);
        judged += apart.length;
        stored += apart.filter((outcome) => outcome.stored).length;
      }
    }),
    { numRuns: 80 },
  );
  t.ok(stored > 50 && judged - stored > 50, `${stored} of ${judged} were stored`);
  const lie = async ({ store }: typeof single) =>
    (await readOn(store, START)).map(({ recordedAt: _, ...event }) => ({ ...event, data: '' }));
  t.strictSame(await lie(batched), await lie(single), 'and leaves the same log');
});
