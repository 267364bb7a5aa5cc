import { randomUUID } from 'node:crypto';
import t from 'tap';
import { park } from '../../src/eventstore/consumer/parking.ts';
import { deadLetters, decide, requestRebuild, setPaused } from '../../src/projections/control.ts';
import { integer } from '../../src/projections/projection.ts';
import { prepareTables } from '../../src/projections/slots.ts';
import { projectionStatus } from '../../src/projections/status.ts';
import { counters, eventually, readSide } from '../support/readSide.ts';

type Side = Awaited<ReturnType<typeof readSide>>;

const total = async ({ pool }: Side, id: string): Promise<number | undefined> =>
  (await pool.query<{ total: number }>('select total from read.counters where id = $1', [id])).rows[0]?.total;

const letters = async ({ pool }: Side) => (await deadLetters(pool)).letters;

const status = async ({ pool, store }: Side) => (await projectionStatus(pool, store, [counters]))[0];

t.test('an event whose fold throws', async (t) => {
  const side = await readSide(t);
  const [bad, good] = [randomUUID(), randomUUID()];
  await side.append(`counter-${bad}`, 'Counted', { id: bad });
  await side.append(`counter-${bad}`, 'Exploded', { id: bad });
  await side.append(`counter-${bad}`, 'Counted', { id: bad }, { id: bad });
  const first = side.run([counters]);
  await side.reached(await side.append(`counter-${good}`, 'Counted', { id: good }), counters);

  t.equal(await total(side, good), 1, 'holds no other stream up');
  t.equal(await total(side, bad), 1, 'keeps what came before it and holds back what follows');
  const [letter] = await letters(side);
  t.match(letter, { name: 'counters', stream: `counter-${bad}`, revision: 1, type: 'Exploded', error: 'Error' });

  await eventually(
    () => letters(side),
    ([now]) => (now?.attempts ?? 0) >= 2,
  );
  t.equal((await letters(side))[0]?.id, letter?.id, 'stays the same letter when it is tried again');
  t.match(await status(side), { retrying: 1, parked: 0, state: 'live', incomplete: false });

  // A runner counts on from what it has read, and may be at the next repeat just now.
  await first.close();
  await side.pool.query('update convene.parked set attempts = 5, next_attempt = null');
  side.run([counters]);
  t.equal(await decide(side.pool, letter?.id ?? '', 'retry'), 'done');
  await eventually(
    () => letters(side),
    ([now]) => now?.attempts === 6,
  );
  t.equal((await letters(side))[0]?.nextAttempt, null);
  t.match(await status(side), { retrying: 0, parked: 1 }, 'waits for an operator after five repeats');
  t.equal(await decide(side.pool, letter?.id ?? '', 'skip'), 'done');
  await eventually(
    () => letters(side),
    (now) => now.length === 0,
  );
  t.equal(await total(side, bad), 3, 'when skipped lets its queue follow');
  t.match(await status(side), { incomplete: true, parked: 0 }, 'when skipped marks the read model incomplete');
  t.equal(await decide(side.pool, letter?.id ?? '', 'retry'), 'unknown');
});

t.test('a wish that comes while the stream is being tried again', async (t) => {
  const side = await readSide(t);
  await prepareTables(side.pool, side.store, [counters]);
  const consumer = { kind: 'projection', name: 'counters', slot: 'live' } as const;
  await side.append('counter-1', 'Exploded', {}, {});
  const [event, next] = await side.decode(await side.store.readStream('counter-1'));
  if (event === undefined || next === undefined) throw new Error('Nothing was read');
  const wish = async () => {
    const { rows } = await side.pool.query<{ verdict: string | null }>('select verdict from convene.parked');
    return rows[0]?.verdict;
  };
  await park(side.pool, consumer, event, new Error('no'), 1);
  const [letter] = await letters(side);
  t.equal(await decide(side.pool, letter?.id ?? '', 'skip'), 'done');
  await park(side.pool, consumer, event, new Error('no'), 2);
  t.equal(await wish(), 'skip', 'stands when that fails');
  await park(side.pool, consumer, event, new Error('no'), 3, 'retry');
  t.equal(await wish(), 'skip', 'also when it followed from another wish');
  await park(side.pool, consumer, event, new Error('no'), 4, 'skip');
  t.equal(await wish(), null, 'but not when it followed from this one');
  t.equal(await decide(side.pool, letter?.id ?? '', 'skip'), 'done');
  await park(side.pool, consumer, next, new Error('no'), 1);
  t.equal(await wish(), null, 'nor when it is another event that fails now');
});

t.test('an event that the table refuses is found among its neighbours', async (t) => {
  const side = await readSide(t);
  const [bad, ...good] = Array.from({ length: 30 }, () => randomUUID()) as [string, ...string[]];
  for (const id of good.slice(0, 15)) await side.append(`counter-${id}`, 'Counted', { id });
  await side.append(`counter-${bad}`, 'Counted', { id: bad }, { id: bad, by: 2 ** 31 }, { id: bad });
  let position = 0n;
  for (const id of good.slice(15)) position = await side.append(`counter-${id}`, 'Counted', { id });
  side.run([counters]);
  await side.reached(position, counters);
  const { rows } = await side.pool.query(
    'select count(*)::int as counters, sum(total)::int as total from read.counters',
  );
  t.strictSame(rows, [{ counters: 30, total: 30 }]);
  t.match(await letters(side), [{ stream: `counter-${bad}`, revision: 1, error: 'error 22003' }]);
});

t.test('an event that cannot be read is poison where it may matter', async (t) => {
  const side = await readSide(t);
  const id = randomUUID();
  await side.append(`counter-${id}`, 'Counted', { id });
  await side.append(`counter-${id}`, 'BrokenCount', { id });
  await side.append(`other-${id}`, 'BrokenNoise', { id });
  side.run([counters]);
  await side.reached(await side.append(`counter-${id}`, 'Counted', { id }), counters);
  t.equal(await total(side, id), 1);
  t.match(await letters(side), [{ stream: `counter-${id}`, revision: 1, type: 'BrokenCount' }]);
  t.equal((await letters(side)).length, 1);
});

t.test('a rebuild', async (t) => {
  const side = await readSide(t);
  const id = randomUUID();
  side.run([counters]);
  await side.reached(await side.append(`counter-${id}`, 'Counted', { id }, { id }), counters);
  await side.pool.query('update read.counters set total = 99');

  t.test('sets right what is wrong in the live table, and leaves nothing behind', async (t) => {
    t.equal(await requestRebuild(side.pool, 'counters'), 'done');
    await eventually(
      () => total(side, id),
      (now) => now === 2,
    );
    await eventually(
      () => status(side),
      (now) => now?.state === 'live',
    );
    await side.reached(await side.append(`counter-${id}`, 'Counted', { id }), counters);
    t.equal(await total(side, id), 3);
    const { rows } = await side.pool.query(`select tablename from pg_tables where schemaname = 'read'`);
    t.strictSame(rows, [{ tablename: 'counters' }]);
  });
  t.test('is refused for what does not exist', async (t) => {
    t.equal(await requestRebuild(side.pool, 'nothing'), 'unknown');
    t.equal(await setPaused(side.pool, 'nothing', true), 'unknown');
  });
});

t.test('a newer version is built beside the live table and swapped in whole', async (t) => {
  const side = await readSide(t);
  const id = randomUUID();
  const first = side.run([counters]);
  await side.reached(
    await side.append(`counter-${id}`, 'Counted', ...Array.from({ length: 3_000 }, () => ({ id }))),
    counters,
  );
  await first.close();

  const newer = { ...counters, version: 2, columns: { ...counters.columns, doubled: integer } };
  const fold = counters.fold.Counted as (row: unknown, event: unknown, key: string) => { total: number };
  const doubling = {
    ...newer,
    fold: {
      ...counters.fold,
      Counted: (row: unknown, event: unknown, key: string) => {
        const next = fold(row, event, key);
        return { ...next, doubled: next.total * 2 };
      },
    },
  };
  const seen = new Set<string>();
  const swaps: number[] = [];
  let watching = true;
  const watch = (async () => {
    while (watching) {
      const { rows } = await side.pool.query<Record<string, unknown>>('select * from read.counters');
      seen.add(rows.map(({ total: count, doubled }) => `${count}/${doubled}`).join());
    }
  })();
  side.run([doubling], { afterSwap: async () => void swaps.push(1) });
  await eventually(
    () => status(side),
    (now) => now?.version === 2,
  );
  watching = false;
  await watch;
  const { rows } = await side.pool.query('select total, doubled from read.counters');
  t.strictSame(rows, [{ total: 3_000, doubled: 6_000 }]);
  t.strictSame(
    [...seen].filter((each) => each !== '3000/undefined' && each !== '3000/6000'),
    [],
  );
  t.strictSame(swaps, [1]);
});

t.test('a paused projection stands still and goes on', async (t) => {
  const side = await readSide(t);
  const id = randomUUID();
  side.run([counters]);
  await side.reached(await side.append(`counter-${id}`, 'Counted', { id }), counters);
  t.equal(await setPaused(side.pool, 'counters', true), 'done');
  t.equal(await setPaused(side.pool, 'counters', true), 'done');
  await eventually(
    () => status(side),
    (now) => now?.state === 'paused',
  );
  const position = await side.append(`counter-${id}`, 'Counted', { id });
  t.equal(await setPaused(side.pool, 'counters', false), 'done');
  await side.reached(position, counters);
  t.equal(await total(side, id), 2);
});
