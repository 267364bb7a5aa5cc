import { randomUUID } from 'node:crypto';
import pg from 'pg';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { createAggregates } from '../../src/commands/aggregates.ts';
import { type AnyBinding, bind, type Outcome } from '../../src/commands/binding.ts';
import { createJudge } from '../../src/commands/lines.ts';
import { Abandoned } from '../../src/commands/outcomes.ts';
import { createCommands, type Request } from '../../src/commands/pipeline.ts';
import { postgresSnapshots } from '../../src/commands/snapshots.ts';
import { type Actor, commandsOf, decider, type EventOf, reject } from '../../src/domain/decider.ts';
import { createCodec } from '../../src/eventstore/codec.ts';
import { keyRing } from '../../src/eventstore/keyRing.ts';
import { type EventStore, OutcomeUnknown } from '../../src/eventstore/port.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { masterKeys } from '../../src/masterKeys.ts';
import { noLookups } from '../support/lookups.ts';
import { testDatabase } from '../support/postgres.ts';

const events = { Added: z.object({ by: z.int(), note: z.string() }) };
const counter = decider<{ total: number }, EventOf<typeof events>>({
  category: 'counter',
  events,
  initial: { total: 0 },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'Added':
        return { total: state.total + data.by };
    }
  },
});
const command = commandsOf(counter);
const add = command(
  'Add',
  z.object({ id: z.string(), by: z.int().max(100), note: z.string().default('') }),
  ({ by, note }, { total }) => {
    if (by < 0 && total + by < 0) return reject('CONFLICT', 'below-zero', 'There is less than that', 'by');
    return by === 0 ? [] : [{ type: 'Added', data: { by, note } }];
  },
);
const open = command('Open', z.object({ by: z.int() }), ({ by }) => [{ type: 'Added', data: { by, note: '' } }]);

const Answer = z.object({ total: z.int(), id: z.string() });
const adding: AnyBinding = bind(add, {
  access: 'add:things',
  stream: ({ id }) => id,
  answer: { schema: Answer, of: ({ state, id }) => ({ total: state.total, id }) },
  summary: 'Adds',
  example: { id: 'a', by: 1 },
});
const opening: AnyBinding = bind(open, {
  access: 'add:things',
  stream: (_input, { newId }) => newId('counter'),
  answer: { schema: Answer, of: ({ state, id }) => ({ total: state.total, id }) },
  summary: 'Opens',
  example: { by: 1 },
});

const user: Actor = { id: randomUUID(), kind: 'user', permissions: ['add:things'], verified: true };

/** A process of its own: nothing is shared with others but the database. */
const node = async (connectionString: string, t: Test, wrap: (store: EventStore) => EventStore = (store) => store) => {
  const pool = new pg.Pool({ connectionString, options: '-c search_path=convene' });
  const store = postgresEventStore({ connectionString });
  t.teardown(async () => {
    await store.close();
    await pool.end();
  });
  const codec = createCodec([counter], keyRing(pool, masterKeys('one')));
  const snapshots = postgresSnapshots(pool, 'these rules');
  const aggregates = createAggregates({ store, codec, snapshots });
  const judge = createJudge({ store: wrap(store), codec, aggregates });
  const commands = createCommands({
    aggregates,
    judge,
    hashKey: Buffer.alloc(32, 1),
    lookups: noLookups,
    passwords: { hash: async () => '', verify: async () => false, current: () => true },
  });
  const send = (input: unknown, request: Partial<Request> = {}, binding = adding): Promise<Outcome> =>
    commands.execute(binding, { input, actor: user, correlationId: randomUUID(), ...request });
  return { store, codec, aggregates, snapshots, send, pool, reads: commands.reads };
};

const nodes = async (t: Test, wrap?: (store: EventStore) => EventStore) => {
  const { connectionString } = await testDatabase(t, { migrate: true });
  return { one: await node(connectionString, t, wrap), another: () => node(connectionString, t) };
};

t.test('a command', async (t) => {
  const { one, another } = await nodes(t);

  t.test('appends what its rule decides and answers with the state behind it', async (t) => {
    const id = randomUUID();
    t.match(await one.send({ id, by: 2 }), {
      ok: true,
      stream: `counter-${id}`,
      revision: 0,
      version: 0,
      data: { total: 2, id },
    });
    t.match(await one.send({ id, by: 3 }), { ok: true, revision: 1, data: { total: 5 }, replayed: false });
    const [first] = await one.store.readStream(`counter-${id}`);
    t.match(JSON.parse(first?.metadata ?? ''), { command: 'Add', actor: { id: user.id, kind: 'user' } });
  });

  t.test('that changes nothing stores nothing and succeeds', async (t) => {
    const id = randomUUID();
    t.match(await one.send({ id, by: 0 }), { ok: true, revision: undefined, version: undefined, data: { total: 0 } });
    t.same(await one.store.readStream(`counter-${id}`), []);
  });

  t.test('is refused by its rule, its schema, the caller’s rights, in words for a person', async (t) => {
    const id = randomUUID();
    t.match(await one.send({ id, by: -1 }), {
      ok: false,
      code: 'CONFLICT',
      reason: 'below-zero',
      details: [{ field: 'by' }],
    });
    t.match(await one.send({ id, by: 101 }), { ok: false, code: 'VALIDATION_ERROR', details: [{ field: 'by' }] });
    const nobody: Actor = { id: '', kind: 'anonymous', permissions: [], verified: false };
    t.match(await one.send({}, { actor: nobody }), { code: 'UNAUTHORIZED' });
    t.match(await one.send({}, { actor: { ...user, permissions: [] } }), {
      code: 'FORBIDDEN',
      reason: 'permission-missing',
    });
    t.match(await one.send({}, { actor: { ...user, verified: false } }), {
      code: 'FORBIDDEN',
      details: [{ field: 'emailVerified' }],
    });
  });

  t.test('with an Idempotency-Key is done once, and its first answer given again', async (t) => {
    const id = randomUUID();
    const key = { idempotencyKey: 'k' };
    const first = await one.send({ id, by: 2 }, key);
    await one.send({ id, by: 5 });
    const fresh = await another();
    for (const { send } of [one, fresh]) {
      t.match(
        await send({ id, by: 2 }, key),
        { ...first, position: BigInt, replayed: true },
        'the same answer, later events or not',
      );
      t.match(await send({ by: 2, id, note: '' }, key), { replayed: true }, 'the same request in another spelling');
      t.match(await send({ id, by: 3 }, key), { ok: false, code: 'IDEMPOTENCY_KEY_REUSED' });
    }
    t.equal((await one.store.readStream(`counter-${id}`)).length, 2);
    t.match(await one.send({ id: randomUUID(), by: 2 }, key), { replayed: false }, 'the key counts per aggregate');
    t.match(
      await one.send({ id, by: 1 }, { ...key, actor: { ...user, id: randomUUID() } }),
      { replayed: false },
      'and per account',
    );
  });

  t.test('that makes a new aggregate makes one however often it is repeated, at once or later', async (t) => {
    const fresh = await another();
    const key = { idempotencyKey: randomUUID() };
    const asked = [one, fresh, one, fresh, one];
    const outcomes = await Promise.all(asked.map(({ send }) => send({ by: 1 }, key, opening)));
    const [stream = '', ...others] = new Set(outcomes.map((outcome) => (outcome.ok ? outcome.stream : 'refused')));
    t.strictSame(others, []);
    t.equal((await one.store.readStream(stream)).length, 1);
    // Where two processes append at the same moment, each takes the event for its own: there may be a first of each.
    for (const node of [one, fresh]) {
      const first = outcomes.filter((outcome, at) => asked[at] === node && outcome.ok && !outcome.replayed);
      t.ok(first.length <= 1);
    }
    t.ok(outcomes.some((outcome) => outcome.ok && !outcome.replayed));
    for (const node of [one, fresh])
      t.match(await node.send({ by: 1 }, key, opening), { ok: true, stream, replayed: true });
  });

  t.test('whose key another process has just used, for the same or for something else, is told so', async (t) => {
    for (const [by, told] of [
      [2, { ok: true, data: { total: 2 } }],
      [3, { ok: false, code: 'IDEMPOTENCY_KEY_REUSED' }],
    ] as const) {
      const other = await another();
      const id = randomUUID();
      const key = { idempotencyKey: 'k' };
      // In memory here, so that it is decided upon as it was.
      await other.reads.load(counter, id);
      await one.send({ id, by: 2 }, key);
      t.match(await other.send({ id, by }, key), told);
      t.match(await other.reads.load(counter, id), { revision: 0, state: { total: 2 } }, 'and knows what is stored');
      t.match(await other.send({ id, by: 2 }, key), { ok: true, replayed: true, data: { total: 2 } });
    }
  });

  t.test('that was refused is decided again', async (t) => {
    const id = randomUUID();
    const key = { idempotencyKey: 'k' };
    t.match(await one.send({ id, by: -2 }, key), { ok: false, reason: 'below-zero' });
    await one.send({ id, by: 2 });
    t.match(await one.send({ id, by: -2 }, key), { ok: true, data: { total: 0 }, replayed: false });
  });

  t.test('with If-Match is decided at that version alone', async (t) => {
    const id = randomUUID();
    t.match(await one.send({ id, by: 1 }, { ifMatch: 0 }), { code: 'PRECONDITION_FAILED' });
    await one.send({ id, by: 1 });
    t.match(await one.send({ id, by: 1 }, { ifMatch: 0 }), { ok: true });
    t.match(await one.send({ id, by: 1 }, { ifMatch: 0 }), { code: 'PRECONDITION_FAILED' });
    const raced = await Promise.all([1, 2, 3].map(() => one.send({ id, by: 1 }, { ifMatch: 1 })));
    t.equal(raced.filter(({ ok }) => ok).length, 1);
  });

  t.test('whose caller went away is not decided', async (t) => {
    const id = randomUUID();
    await t.rejects(one.send({ id, by: 1 }, { signal: AbortSignal.abort() }), Abandoned);
    t.same(await one.store.readStream(`counter-${id}`), []);
  });

  t.test('larger than the log takes is refused, its neighbours are not', async (t) => {
    const id = randomUUID();
    const note = 'x'.repeat(600_000);
    const outcomes = await Promise.all([
      one.send({ id, by: 1, note }),
      one.send({ id, by: 1, note: note + note }),
      one.send({ id, by: 1, note }),
      one.send({ id, by: 1 }),
    ]);
    t.match(outcomes, [
      { ok: true },
      { ok: false, code: 'PAYLOAD_TOO_LARGE' },
      { ok: true },
      { ok: true, data: { total: 3 } },
    ]);
  });
});

t.test('many commands on one stream', async (t) => {
  t.test('of one process never conflict, and each sees its predecessors', async (t) => {
    const { one } = await nodes(t);
    const id = randomUUID();
    const outcomes = await Promise.all(Array.from({ length: 300 }, () => one.send({ id, by: 1 })));
    const totals = outcomes.map((outcome) => outcome.ok && (outcome.data as { total: number }).total);
    t.same(
      [...totals].sort((a, b) => Number(a) - Number(b)),
      Array.from({ length: 300 }, (_, n) => n + 1),
    );
  });

  t.test('of several processes keep every invariant', async (t) => {
    const { one, another } = await nodes(t);
    const others = [one, await another(), await another()];
    const id = randomUUID();
    await one.send({ id, by: 40 });
    const outcomes = await Promise.all(
      Array.from({ length: 120 }, (_, n) => (others[n % 3] as typeof one).send({ id, by: -1 })),
    );
    const done = outcomes.filter(({ ok }) => ok).length;
    const reasons = new Set(outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.reason])));
    reasons.delete('contended');
    reasons.delete('below-zero');
    t.equal(reasons.size, 0);
    const stored = await one.store.readStream(`counter-${id}`);
    t.equal(stored.length - 1, done, 'every success is stored, nothing else is');
    t.ok(done <= 40 && done > 0);
  });
});

t.test('an append of unknown outcome that was stored all the same is found when the command is repeated', async (t) => {
  let lost = false;
  const { one } = await nodes(t, (store) => ({
    ...store,
    append: async (...args) => {
      const outcome = await store.append(...args);
      if (lost) return outcome;
      lost = true;
      throw new OutcomeUnknown('cut off');
    },
  }));
  const id = randomUUID();
  const key = { idempotencyKey: 'k' };
  await t.rejects(one.send({ id, by: 7 }, key), OutcomeUnknown);
  t.match(await one.send({ id, by: 7 }, key), { ok: true, replayed: true, data: { total: 7 } });
  t.equal((await one.store.readStream(`counter-${id}`)).length, 1);
});

t.test('a long stream is loaded from its snapshot, and from its events when the rules have changed', async (t) => {
  const { one, another } = await nodes(t);
  const id = randomUUID();
  await one.send({ id, by: 1 }, { idempotencyKey: 'early' });
  for (let round = 0; round < 10; round += 1)
    await Promise.all(Array.from({ length: 64 }, () => one.send({ id, by: 1 })));
  const second = await another();
  t.match(await second.send({ id, by: 1 }), { revision: 641, data: { total: 642 } });
  const { rows } = await one.pool.query('select revision from convene.snapshots where stream = $1', [`counter-${id}`]);
  t.match(rows, [{ revision: 640 }]);
  const third = await another();
  t.match(await third.send({ id, by: 1 }), { revision: 642, data: { total: 643 } });
  t.match(await third.send({ id, by: 1 }, { idempotencyKey: 'early' }), {
    replayed: true,
    revision: 0,
    data: { total: 1 },
  });
  await one.pool.query(`update convene.snapshots set fingerprint = 'other rules', state = '{"total":-99}'`);
  t.match(await (await another()).send({ id, by: 1 }), { revision: 643, data: { total: 644 } });
});

t.test('events of others keep what is in memory current', async (t) => {
  const { one, another } = await nodes(t);
  const other = await another();
  const id = randomUUID();
  await one.send({ id, by: 1 });
  await other.send({ id, by: 5 });
  const stored = await one.store.readStream(`counter-${id}`);
  for (const event of await one.codec.decode(stored)) if ('data' in event) one.aggregates.observe(event);
  const known = await one.aggregates.load(counter, `counter-${id}`);
  t.match(known, { revision: 1, state: { total: 6 } });
});

t.test('what the log was asked for is known in memory as well', async (t) => {
  const { one, another } = await nodes(t);
  const id = randomUUID();
  t.match(await one.reads.load(counter, id), { revision: undefined, state: { total: 0 } });
  await (await another()).send({ id, by: 5 });
  t.match(await one.reads.load(counter, id), { state: { total: 0 } }, 'nobody has told it yet');
  t.equal((await one.reads.history(counter, id)).length, 1);
  t.match(await one.reads.load(counter, id), { revision: 0, state: { total: 5 } });
});
