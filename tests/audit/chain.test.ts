import { createHash, randomUUID } from 'node:crypto';
import pino from 'pino';
import t, { type Test } from 'tap';
import { z } from 'zod';
import { digestOf, GENESIS } from '../../src/audit/chain/digest.ts';
import { chainHead, extendChain } from '../../src/audit/chain/records.ts';
import { runChain } from '../../src/audit/chain/run.ts';
import { positionAt, verifyChain } from '../../src/audit/chain/verify.ts';
import { createCodec } from '../../src/eventstore/codec.ts';
import { Replaced } from '../../src/eventstore/consumer/faults.ts';
import { eventStoreDb } from '../../src/eventstore/eventstoredb/index.ts';
import { createFeed } from '../../src/eventstore/feed.ts';
import { keyRing } from '../../src/eventstore/keyRing.ts';
import type { EventStore, StoredEvent } from '../../src/eventstore/port.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { masterKeys } from '../../src/masterKeys.ts';
import { standIn } from '../eventstore/standIn/index.ts';
import { testDatabase } from '../support/postgres.ts';
import { decode, eventually } from '../support/readSide.ts';

const silent = pino({ level: 'silent' });
const metadata = JSON.stringify({ schemaVersion: 1, note: 'ümlaut' });
const happened = (data: object) => ({ id: randomUUID(), type: 'Noted', data: JSON.stringify(data), metadata });

type Opened = Awaited<ReturnType<typeof testDatabase>> & { readonly store: EventStore };
type Open = (t: Test) => Promise<Opened>;

const onPostgres: Open = async (t) => {
  const database = await testDatabase(t, { migrate: true });
  const store = postgresEventStore({ connectionString: database.connectionString });
  t.teardown(() => store.close());
  return { ...database, store };
};
const onEventStoreDb: Open = async (t) => {
  const database = await testDatabase(t, { migrate: true });
  const server = await standIn();
  const store = eventStoreDb({ connectionString: server.connectionString });
  t.teardown(async () => {
    await store.close();
    await server.close();
  });
  return { ...database, store };
};

const follow = (t: Test, { pool, store }: Pick<Opened, 'pool' | 'store'>) => {
  const feed = createFeed({ store, decode });
  const chain = runChain({ pool, store, feed, log: silent });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= chain.close().then(() => feed.close());
    return closed;
  };
  t.teardown(close);
  return close;
};

/** A chained log of twelve events in three streams. */
const chainedLog = async (t: Test, open: Open) => {
  const opened = await open(t);
  const { store, pool } = opened;
  for (let round = 0; round < 4; round += 1)
    for (const stream of ['note-a', 'note-b', 'note-c'])
      await store.append(stream, round === 0 ? 'noStream' : round - 1, [happened({ round, text: 'déjà vu 🎈' })]);
  const close = follow(t, opened);
  const head = await store.head();
  await eventually(
    async () => (await chainHead(pool)).position,
    (position) => position === head,
  );
  await close();
  const { events } = await store.readAll(0n);
  return { ...opened, events, head };
};

/** The store as it would look to a reader after somebody had changed what lies in it. */
const seenAs = (store: EventStore, change: (events: readonly StoredEvent[]) => readonly StoredEvent[]) => ({
  readAll: async (after: bigint, { limit = 10_000 } = {}) => {
    const { events, position } = await store.readAll(0n);
    const rest = change(events).filter((event) => event.position > after);
    return { events: rest.slice(0, limit), position: rest[limit - 1]?.position ?? position };
  },
});
const at = <T>(list: readonly T[], index: number): T => {
  const found = list[index];
  if (found === undefined) throw new Error(`Nothing at ${index}`);
  return found;
};

t.test('the digest of an event', async (t) => {
  const event = { stream: 'a-b', revision: 10, id: 'i', type: 'T', metadata: '{}', data: '{"x":"é"}' };
  t.test('is SHA-256 over the netstrings of what it covers', async (t) => {
    const expected = createHash('sha256').update('3:a-b,2:10,1:i,1:T,2:{},10:{"x":"é"},').digest('hex');
    t.equal(digestOf(event), expected);
  });
  t.test('differs with every part, and when bytes move from one part into the next', async (t) => {
    const others = [
      { ...event, stream: 'a-c' },
      { ...event, revision: 1 },
      { ...event, id: 'j' },
      { ...event, type: 'U' },
      { ...event, metadata: '{} ' },
      { ...event, data: '{"x":"e"}' },
      { ...event, metadata: '{}{', data: '"x":"é"}' },
    ].map((other) => digestOf(other));
    t.equal(new Set([digestOf(event), ...others]).size, 8);
  });
});

for (const [name, open] of [
  ['PostgreSQL', onPostgres],
  ['EventStoreDB', onEventStoreDb],
] as const)
  t.test(`the chain over a log in ${name}`, async (t) => {
    const { store, pool, events, head } = await chainedLog(t, open);
    const verify = (change?: (events: readonly StoredEvent[]) => readonly StoredEvent[]) =>
      verifyChain({ pool, store: change === undefined ? store : seenAs(store, change) });
    const fifth = at(events, 4);
    const place = { position: fifth.position, eventId: fifth.id };

    t.test('links every event to the one before', async (t) => {
      const { rows } = await pool.query<{ event_id: string; position: string; hash: Buffer }>(
        'select * from convene.audit_chain order by position',
      );
      t.equal(rows.length, 12);
      let hash: Buffer = Buffer.from(GENESIS, 'hex');
      for (const [index, row] of rows.entries()) {
        const event = at(events, index);
        t.equal(row.event_id, event.id);
        t.equal(row.position, String(event.position));
        hash = createHash('sha256')
          .update(Buffer.concat([hash, Buffer.from(digestOf(event), 'hex')]))
          .digest();
        t.equal(row.hash.toString('hex'), hash.toString('hex'));
      }
      t.match(await chainHead(pool), { events: 12, position: head, hash: hash.toString('hex') });
    });
    t.test('is unbroken', async (t) => t.strictSame(await verify(), { checked: 12, to: head, brokenAt: undefined }));
    t.test('can be looked at in part', async (t) => {
      const part = { pool, store, from: fifth.position, to: at(events, 8).position };
      t.match(await verifyChain(part), { checked: 5, brokenAt: undefined });
      t.match(await verifyChain({ ...part, from: head + 1n, to: undefined }), { checked: 0, brokenAt: undefined });
    });
    for (const [what, changed] of [
      ['data', { data: '{"round":9}' }],
      ['metadata', { metadata: '{}' }],
      ['type', { type: 'Renamed' }],
      ['stream', { stream: 'note-z' }],
      ['revision', { revision: 99 }],
    ] as const)
      t.test(`names the first event with another ${what}`, async (t) => {
        const change = (all: readonly StoredEvent[]) =>
          all.map((event, index) => (index === 4 || index === 9 ? { ...event, ...changed } : event));
        t.match(await verify(change), { checked: 4, brokenAt: { ...place, kind: 'altered', of: 'event' } });
      });
    t.test('names a missing event', async (t) =>
      t.match(await verify((all) => all.toSpliced(4, 1)), {
        checked: 4,
        brokenAt: { ...place, kind: 'missing', of: 'event' },
      }),
    );
    t.test('names a missing event when all later ones moved up', async (t) => {
      const positions = events.map(({ position }) => position);
      const change = (all: readonly StoredEvent[]) =>
        all.toSpliced(4, 1).map((event, index) => ({ ...event, position: at(positions, index) }));
      t.match(await verify(change), { brokenAt: { ...place, kind: 'missing', of: 'event' } });
    });
    t.test('names the first of missing events at the end', async (t) => {
      const tenth = at(events, 9);
      t.match(await verify((all) => all.slice(0, 9)), {
        checked: 9,
        brokenAt: { position: tenth.position, eventId: tenth.id, kind: 'missing', of: 'event' },
      });
    });
    t.test('names an inserted event when all later ones moved down', async (t) => {
      const positions = [...events.map(({ position }) => position), head + 1n];
      const forged = { ...fifth, id: randomUUID(), revision: 7 };
      const change = (all: readonly StoredEvent[]) =>
        all.toSpliced(4, 0, forged).map((event, index) => ({ ...event, position: at(positions, index) }));
      t.match(await verify(change), {
        checked: 4,
        brokenAt: { position: fifth.position, eventId: forged.id, kind: 'inserted', of: 'event' },
      });
    });
    t.test('names an event that took the place of another', async (t) =>
      t.match(await verify((all) => all.with(4, { ...fifth, id: randomUUID() })), {
        brokenAt: { ...place, kind: 'altered', of: 'event' },
      }),
    );
    t.test('names the first of two events that changed places', async (t) => {
      const change = (all: readonly StoredEvent[]) => {
        const [one, other] = [at(all, 4), at(all, 6)];
        return all.with(4, { ...other, position: one.position }).with(6, { ...one, position: other.position });
      };
      t.match(await verify(change), { checked: 4, brokenAt: { ...place, kind: 'altered', of: 'event' } });
    });
    t.test('finds the place of an instant', async (t) => {
      const first = await positionAt(pool, store, at(events, 0).recordedAt);
      t.equal(first, at(events, 0).position);
      t.equal(await positionAt(pool, store, '9999-12-31T00:00:00.000Z'), undefined);
      const found = await positionAt(pool, store, at(events, 7).recordedAt);
      const expected = events.find(({ recordedAt }) => recordedAt >= at(events, 7).recordedAt);
      t.equal(found, expected?.position);
    });
    t.test('names what was done to its own records', async (t) => {
      const meddled = async (statement: string, values: readonly unknown[]) => {
        const client = await pool.connect();
        try {
          await client.query('begin');
          const { rowCount } = await client.query(statement, [...values]);
          t.equal(rowCount, 1);
          return (await verifyChain({ pool: client, store })).brokenAt;
        } finally {
          await client.query('rollback');
          client.release();
        }
      };
      const where = 'where position = $1';
      for (const column of ['digest', 'hash'])
        t.match(
          await meddled(`update convene.audit_chain set ${column} = sha256('x') ${where}`, [fifth.position]),
          { ...place, of: 'chain', kind: 'altered' },
          column,
        );
      t.match(await meddled(`delete from convene.audit_chain ${where}`, [fifth.position]), {
        ...place,
        of: 'chain',
        kind: 'missing',
      });
      t.match(await meddled(`delete from convene.audit_chain ${where}`, [head]), { of: 'chain', kind: 'missing' });
      t.match(await meddled(`update convene.audit_chain_head set hash = sha256('x')`, []), { of: 'chain' });
    });
  });

t.test('the bytes in PostgreSQL themselves', async (t) => {
  t.test('cannot be altered unseen', async (t) => {
    const { store, pool, events } = await chainedLog(t, onPostgres);
    await pool.query('update log.events set data = data || $1 where position = 3', [' ']);
    t.match(await verifyChain({ pool, store }), {
      checked: 2,
      brokenAt: { position: 3n, eventId: at(events, 2).id, kind: 'altered', of: 'event' },
    });
  });
  t.test('cannot be removed unseen', async (t) => {
    const { store, pool, events } = await chainedLog(t, onPostgres);
    await pool.query('delete from log.events where position = 3');
    t.match((await verifyChain({ pool, store })).brokenAt, {
      position: 3n,
      eventId: at(events, 2).id,
      kind: 'missing',
    });
  });
});

for (const [name, open] of [
  ['PostgreSQL', onPostgres],
  ['EventStoreDB', onEventStoreDb],
] as const)
  t.test(`the bytes in ${name} are the same after the key of a person is destroyed`, async (t) => {
    const opened = await open(t);
    const { store, pool } = opened;
    const keys = keyRing(pool, masterKeys('x'.repeat(32), undefined));
    const Named = z.object({ person: z.string(), name: z.string().meta({ pii: 'person' }) });
    const codec = createCodec([{ events: { Named } }], keys);
    const sealed = await codec.encode([{ id: randomUUID(), type: 'Named', data: { person: 'p', name: 'Somebody' } }], {
      commandId: randomUUID(),
      command: 'Name',
      correlationId: randomUUID(),
      actor: { id: 'system', kind: 'system' },
    });
    await store.append('person-p', 'noStream', sealed);
    follow(t, opened);
    await eventually(
      async () => (await chainHead(pool)).events,
      (count) => count === 1,
    );
    const seen = async () => (await codec.decode((await store.readAll(0n)).events))[0];
    t.match(await seen(), { data: { name: 'Somebody' } });
    await keys.erase('p');
    t.match(await seen(), { data: { name: 'deleted' } });
    t.match(await verifyChain({ pool, store }), { checked: 1, brokenAt: undefined });
  });

t.test('chaining', async (t) => {
  t.test('goes on where it was, whenever it was cut off', async (t) => {
    const opened = await onPostgres(t);
    const { store, pool } = opened;
    let appended = 0;
    const append = async () => {
      await store.append('note-a', appended === 0 ? 'noStream' : appended - 1, [happened({ appended })]);
      appended += 1;
      return store.head();
    };
    const reached = (head: bigint) =>
      eventually(
        async () => (await chainHead(pool)).position,
        (position) => position === head,
      );
    let head = await append();
    const close = follow(t, opened);
    await reached(head);
    await close();
    head = await append();
    for (const lost of ['before', 'after'] as const) {
      let failures = 0;
      const query = async (statement: { readonly text?: string }, values?: unknown[]) => {
        const cutOff = statement.text?.includes('update convene.audit_chain_head') && failures === 0;
        if (cutOff) failures += 1;
        if (cutOff && lost === 'before') throw new Error('Connection terminated');
        const answer = await pool.query(statement as never, values as never);
        if (cutOff) throw new Error('Connection terminated');
        return answer;
      };
      const broken = Object.assign(Object.create(pool), { query }) as typeof pool;
      const closeBroken = follow(t, { pool: broken, store });
      head = await append();
      await reached(head);
      await closeBroken();
      t.equal(failures, 1, `the answer was lost ${lost} the commit`);
      t.strictSame(await verifyChain({ pool, store }), { checked: appended, to: head, brokenAt: undefined });
    }
  });
  t.test('leaves an event to whoever chained it first', async (t) => {
    const { store, pool } = await onPostgres(t);
    await store.append('note-a', 'noStream', [happened({}), happened({})]);
    const { events } = await store.readAll(0n);
    const head = await chainHead(pool);
    await extendChain(pool, head, events.slice(0, 1));
    await t.rejects(extendChain(pool, head, events), Replaced);
    t.match(await chainHead(pool), { events: 1, position: 1n });
    t.match(await verifyChain({ pool, store }), { checked: 1, brokenAt: undefined });
  });
  t.test('is done by one process at a time', async (t) => {
    const opened = await onPostgres(t);
    const { store, pool } = opened;
    const closing = [follow(t, opened), follow(t, opened)];
    for (let round = 0; round < 40; round += 1) {
      await store.append(`note-${round}`, 'noStream', [happened({ round })]);
      if (round === 20) await closing[0]?.();
    }
    await eventually(
      async () => (await chainHead(pool)).events,
      (count) => count === 40,
    );
    t.match(await verifyChain({ pool, store }), { checked: 40, brokenAt: undefined });
  });
});
