import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { StoreUnavailable } from '../../src/eventstore/port.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { type Stretch, streamReads } from '../../src/eventstore/postgres/streamReads.ts';
import { testDatabase } from '../support/postgres.ts';
import { ids, newEvents, newStream } from './contract/subject.ts';

t.test('many who read streams at once', async (t) => {
  t.test('each get what they asked for', async (t) => {
    const { connectionString } = await testDatabase(t, { migrate: true });
    const store = postgresEventStore({ connectionString });
    t.teardown(() => store.close());
    const streams = await Promise.all(
      [0, 1, 2, 5, 30].map(async (length) => {
        const [stream, events] = [newStream(), newEvents(length)];
        if (length > 0) await store.append(stream, 'noStream', events);
        return { stream, events };
      }),
    );
    const asked = Array.from({ length: 200 }, (_, n) => ({
      ...(streams[n % streams.length] as (typeof streams)[number]),
      from: n % 4,
      limit: 1 + (n % 7),
    }));
    const answers = await Promise.all(
      asked.map(({ stream, from, limit }) => store.readStream(stream, { from, limit })),
    );
    asked.forEach(({ stream, events, from, limit }, n) => {
      const [answer = [], expected] = [answers[n], events.slice(from, from + limit)];
      t.same(ids(answer), ids(expected));
      t.same(
        answer.map(({ stream, revision }) => ({ stream, revision })),
        expected.map((_, index) => ({ stream, revision: from + index })),
      );
    });
  });

  t.test('share a statement only while others are under way, and hear of its failure', async (t) => {
    const sent: Stretch[][] = [];
    const gates: PromiseWithResolvers<void>[] = [];
    const read = streamReads<string>(async (stretches) => {
      const gate = Promise.withResolvers<void>();
      sent.push([...stretches]);
      gates.push(gate);
      await gate.promise;
      return stretches.map(({ stream }) => [stream]);
    });
    const of = (number: number) => read({ stream: `s${number}`, from: 0, limit: 1 });
    const first = [0, 1, 2, 3].map(of);
    const later = [4, 5, 6].map(of);
    t.same(
      sent.map(({ length }) => length),
      [1, 1, 1, 1],
      'at once, each its own',
    );
    gates[1]?.resolve();
    t.same(await first[1], ['s1']);
    await turn();
    t.same(
      sent.map(({ length }) => length),
      [1, 1, 1, 1, 3],
    );
    const failing = Promise.allSettled(later);
    gates[4]?.reject(new StoreUnavailable('cut'));
    for (const outcome of await failing) t.match(outcome, { status: 'rejected', reason: StoreUnavailable });
    await turn();
    const again = of(7);
    gates[5]?.resolve();
    t.same(await again, ['s7'], 'and the next is read as ever');
    for (const gate of gates) gate.resolve();
    t.same(await Promise.all(first), [['s0'], ['s1'], ['s2'], ['s3']]);
  });
});
