import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { START as BEGINNING, EventStoreDBClient, eventTypeFilter, type Position } from '@eventstore/db-client';
import t, { type Test } from 'tap';
import { standIn } from './standIn/index.ts';

/** What the stand-in must do as unkindly as a server, seen with the bare client. With EVENTSTORE_TEST_URL a server is asked the same. */
const traps = (
  t: Test,
  open: (t: Test) => Promise<{ connectionString: string; restart?: () => Promise<void> }>,
): void => {
  const event = (over: { id?: string; type?: string; size?: number } = {}) => ({
    id: over.id ?? randomUUID(),
    type: over.type ?? 'Noted',
    contentType: 'application/octet-stream' as const,
    data: new Uint8Array(over.size ?? 10),
    metadata: undefined,
  });
  const failing = async (t: Test, doing: Promise<unknown>, as: object) =>
    t.match(
      await doing.then(
        () => 'done',
        (error: unknown) => error,
      ),
      as,
    );

  const begin = async (t: Test) => {
    const server = await open(t);
    const client = EventStoreDBClient.connectionString(server.connectionString);
    t.teardown(() => client.dispose());
    const idsOf = async (stream: string) => {
      const ids: string[] = [];
      for await (const resolved of client.readStream(stream)) if (resolved.event) ids.push(resolved.event.id);
      return ids;
    };
    const positions = async () => {
      const all: Position[] = [];
      for await (const resolved of client.readAll()) if (resolved.event) all.push(resolved.event.position);
      return all;
    };
    return { ...server, client, idsOf, positions, stream: `trap-${randomUUID()}` };
  };

  t.test('an append', async (t) => {
    t.test('answers the place of its last event', async (t) => {
      const { client, stream, positions } = await begin(t);
      const answer = await client.appendToStream(stream, [event(), event()], { expectedRevision: 'no_stream' });
      t.equal(answer.nextExpectedRevision, 1n);
      t.same((await positions()).at(-1), answer.position);
      t.equal(answer.position?.commit, answer.position?.prepare);
    });

    t.test('names the actual revision in its error', async (t) => {
      const { client, stream } = await begin(t);
      await failing(t, client.appendToStream(stream, event(), { expectedRevision: 3n }), {
        type: 'wrong-expected-version',
        actualVersion: 'no_stream',
      });
      await client.appendToStream(stream, [event(), event()], { expectedRevision: 'no_stream' });
      await failing(t, client.appendToStream(stream, event(), { expectedRevision: 'no_stream' }), {
        type: 'wrong-expected-version',
        actualVersion: 1n,
      });
    });

    t.test('is recognised again only by the revision that it first expected', async (t) => {
      const { client, stream, idsOf } = await begin(t);
      const [a, b, c, d] = [event(), event(), event(), event()];
      const first = await client.appendToStream(stream, [a, b, c], { expectedRevision: 'no_stream' });
      const again = await client.appendToStream(stream, [a, b, c], { expectedRevision: 'no_stream' });
      t.same(again.position, first.position);
      await t.rejects(client.appendToStream(stream, [a, b, c, d], { expectedRevision: 'no_stream' }));
      await t.rejects(client.appendToStream(stream, [a, d], { expectedRevision: 'no_stream' }));
      await t.rejects(client.appendToStream(stream, [a, b, c], { expectedRevision: 0n }));
      await client.appendToStream(stream, [a, b, c], { expectedRevision: 2n });
      t.equal((await idsOf(stream)).length, 6, 'and doubled by the current one');
    });

    t.test('of any revision is recognised by its first event only', async (t) => {
      const { client, stream, idsOf, restart } = await begin(t);
      const [a, b] = [event(), event()];
      await client.appendToStream(stream, [a], { expectedRevision: 'no_stream' });
      await client.appendToStream(stream, [a], { expectedRevision: 'any' });
      t.equal((await idsOf(stream)).length, 1);
      await client.appendToStream(stream, [b, a], { expectedRevision: 'any' });
      t.equal((await idsOf(stream)).length, 3);
      if (restart === undefined) return;
      await restart();
      // The first call meets the broken connection.
      await idsOf(stream).catch(() => {});
      await client.appendToStream(stream, [a], { expectedRevision: 'any' });
      t.equal((await idsOf(stream)).length, 4, 'and not at all after a restart');
    });

    t.test('of nothing moves the log', async (t) => {
      const { client, stream, positions } = await begin(t);
      await client.appendToStream(stream, [event()], { expectedRevision: 'no_stream' });
      const before = (await positions()).at(-1)?.commit ?? 0n;
      const answer = await client.appendToStream(stream, [], { expectedRevision: 0n });
      t.ok((answer.position?.commit ?? 0n) > before);
      t.equal((await positions()).at(-1)?.commit, before);
    });

    t.test('is limited by the bytes of its data', async (t) => {
      const { client, stream } = await begin(t);
      await failing(t, client.appendToStream(stream, event({ size: 1_048_577 }), { expectedRevision: 'no_stream' }), {
        type: 'maximum-append-size-exceeded',
      });
      await client.appendToStream(stream, event({ size: 1_048_576 }), { expectedRevision: 'no_stream' });
      await failing(t, client.appendToStream(`${stream}b`, event({ size: 17 * 1_048_576 })), { code: 8 });
      await client.appendToStream(`${stream}b`, event(), { expectedRevision: 'no_stream' });
    });

    t.test('takes the names of system streams', async (t) => {
      const { client, stream } = await begin(t);
      t.match(await client.appendToStream(`$${stream}`, event(), { expectedRevision: 'no_stream' }), { success: true });
    });

    t.test('that the server cannot read ends the process of the bare client', async (t) => {
      const { connectionString } = await begin(t);
      const script = `import { EventStoreDBClient } from '@eventstore/db-client';
        const client = EventStoreDBClient.connectionString('${connectionString}');
        const event = { id: 'no-uuid', type: 'Noted', contentType: 'application/json', data: {} };
        await client.appendToStream('trap-1', event).catch(() => {});`;
      const bare = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
      const failure = await bare.catch((error: { stderr: string }) => error);
      t.match(failure.stderr, 'TypeError');
    });

    t.test('with credentials goes by another call, to the same end', async (t) => {
      const { client, stream, idsOf } = await begin(t);
      const credentials = { username: 'a', password: 'b' };
      const one = event();
      await client.appendToStream(stream, [one], { expectedRevision: 'no_stream', credentials });
      await failing(t, client.appendToStream(stream, event(), { expectedRevision: 'no_stream', credentials }), {
        actualVersion: 0n,
      });
      t.same(await idsOf(stream), [one.id]);
    });
  });

  t.test('a read', async (t) => {
    t.test('of the whole log shows system events and begins at its position', async (t) => {
      const { client, stream } = await begin(t);
      await client.appendToStream(stream, [event(), event()], { expectedRevision: 'no_stream' });
      const types: string[] = [];
      const all: Position[] = [];
      for await (const { event } of client.readAll()) {
        types.push(event?.type ?? '');
        if (event) all.push(event.position);
      }
      t.ok(types.some((type) => type.startsWith('$')));
      const [from] = all.slice(-2);
      const read = async (direction: 'forwards' | 'backwards') => {
        const found: (Position | undefined)[] = [];
        for await (const { event } of client.readAll({ direction, maxCount: 1, ...(from && { fromPosition: from }) }))
          found.push(event?.position);
        return found;
      };
      t.same(await read('forwards'), [from]);
      t.same(await read('backwards'), [all.at(-3)]);
    });

    t.test('of a position where no record begins fails', async (t) => {
      const { client, stream, positions } = await begin(t);
      await client.appendToStream(stream, [event(), event()], { expectedRevision: 'no_stream' });
      const commit = ((await positions()).at(-2)?.commit ?? 0n) + 1n;
      const read = async () => {
        for await (const resolved of client.readAll({ fromPosition: { commit, prepare: commit } }))
          t.fail(String(resolved));
      };
      await failing(t, read(), { code: 2 });
    });

    t.test('of a stream that is missing, or of nothing, fails', async (t) => {
      const { client, stream, idsOf } = await begin(t);
      await failing(t, idsOf(stream), { type: 'stream-not-found' });
      await client.appendToStream(stream, event());
      const nothing = async () => {
        for await (const resolved of client.readStream(stream, { maxCount: 0 })) t.fail(String(resolved));
      };
      await failing(t, nothing(), { code: 2 });
    });
  });

  t.test('a subscription', async (t) => {
    t.test('begins behind its position, and tells when it has caught up', async (t) => {
      const { client, stream, idsOf, positions } = await begin(t);
      await client.appendToStream(stream, [event(), event(), event()], { expectedRevision: 'no_stream' });
      const fromPosition = (await positions()).at(-2) ?? BEGINNING;
      const subscription = client.subscribeToAll({ fromPosition });
      const seen: string[] = [];
      subscription.on('data', (resolved) => seen.push(resolved.event?.id ?? ''));
      await once(subscription, 'caughtUp');
      t.same(seen, (await idsOf(stream)).slice(-1));
      await subscription.unsubscribe();
    });

    t.test('reports what it has looked at only now and then, and half a position when nothing matched', async (t) => {
      const { client, stream, positions } = await begin(t);
      await client.appendToStream(stream, [event()], { expectedRevision: 'no_stream' });
      const fromPosition = (await positions()).at(-1) ?? { commit: 0n, prepare: 0n };
      await client.appendToStream(
        stream,
        Array.from({ length: 100 }, () => event()),
        { expectedRevision: 0n },
      );
      const reports: Position[] = [];
      const subscription = client.subscribeToAll({
        fromPosition,
        filter: eventTypeFilter({
          prefixes: [randomUUID()],
          checkpointReached: (_subscription, position) => {
            reports.push(position);
          },
        }),
      });
      subscription.on('data', () => t.fail('nothing matches'));
      await once(subscription, 'caughtUp');
      t.ok(reports.length > 0 && reports.length < 5, `${reports.length} reports`);
      t.ok(reports.every(({ commit, prepare }) => prepare === 0n && commit > fromPosition.commit));
      t.ok((reports.at(-1)?.commit ?? 0n) < ((await positions()).at(-1)?.commit ?? 0n), 'not as far as it has looked');
      await subscription.unsubscribe();
    });

    t.test('that is lost says so once and never comes back', async (t) => {
      const { client, restart } = await begin(t);
      if (restart === undefined) return;
      const subscription = client.subscribeToAll();
      const said: string[] = [];
      for (const name of ['end', 'close', 'data', 'error'] as const)
        subscription.on(name as 'end', () => said.push(name));
      await once(subscription, 'caughtUp');
      said.length = 0;
      const lost = once(subscription, 'end', { signal: AbortSignal.timeout(60_000) }).catch((error: Error) => error);
      await restart();
      t.match(await lost, { code: 14 });
      await client.appendToStream(`trap-${randomUUID()}`, event()).catch(() => {});
      const other = client.subscribeToAll();
      other.resume();
      await once(other, 'caughtUp');
      t.same(said, ['error']);
      await other.unsubscribe();
    });
  });
};

t.test('the stand-in', async (t) => {
  traps(t, async (t) => {
    const server = await standIn();
    t.teardown(() => server.close());
    const restart = async () => {
      await server.kill();
      await server.start();
    };
    return { connectionString: server.connectionString, restart };
  });
});

const real = process.env.EVENTSTORE_TEST_URL;
if (real !== undefined) t.test('a real EventStoreDB', async (t) => traps(t, async () => ({ connectionString: real })));
