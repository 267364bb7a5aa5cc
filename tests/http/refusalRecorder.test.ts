import type { FastifyRequest } from 'fastify';
import t from 'tap';
import { type NewEvent, OutcomeUnknown, StoreUnavailable } from '../../src/eventstore/port.ts';
import type { App, Deps } from '../../src/http/app.ts';
import { Problem } from '../../src/http/problem.ts';
import { GATHER_MS } from '../../src/http/refusals/tally.ts';
import { createMetrics } from '../../src/metrics.ts';
import { eventually } from '../support/service.ts';
import { server } from './support/server.ts';

type Appended = { readonly stream: string; readonly expected: unknown; readonly events: readonly NewEvent[] };

/** A log that fails as often as it is told to before it takes anything, and notes every try. */
const failingLog = (failures: Error[]) => {
  const tries: Appended[] = [];
  const stored: Appended[] = [];
  const store = {
    append: async (stream: string, expected: unknown, events: readonly NewEvent[]) => {
      tries.push({ stream, expected, events });
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      stored.push({ stream, expected, events });
      return { ok: true, revision: events.length - 1, position: 0n, repeated: false };
    },
    head: async () => 0n,
  } as unknown as Deps['store'];
  const codec = {
    encode: async (events: readonly { id: string; type: string; data: unknown }[], metadata: unknown) =>
      events.map(({ id, type, data }) => ({
        id,
        type,
        data: JSON.stringify(data),
        metadata: JSON.stringify(metadata),
      })),
  } as unknown as Deps['codec'];
  return { tries, stored, store, codec };
};

const routes = (app: App): void => {
  for (const [path, code] of [
    ['/locked', 'ACCOUNT_LOCKED'],
    ['/limited', 'RATE_LIMIT_EXCEEDED'],
    ['/missing', 'NOT_FOUND'],
    ['/stale', 'PRECONDITION_FAILED'],
    ['/denied/:id', 'FORBIDDEN'],
  ] as const)
    app.get(path, { config: { access: 'anyone' } }, async () => {
      throw new Problem(code, 'No', { reason: 'because' });
    });
};

const countOf = async (metrics: Deps['metrics'], outcome: string): Promise<number> => {
  const { values } = await metrics.refusals.get();
  return values.filter(({ labels }) => labels.outcome === outcome).reduce((sum, { value }) => sum + value, 0);
};

t.test('the recorder of refused requests', async (t) => {
  t.test('takes note of locks, limits and denials, and of nothing else', async (t) => {
    const log = failingLog([]);
    // A clock that stands still, so that none of its minutes ends between two denials.
    let now = Date.parse('2027-03-01T09:30:00Z');
    const { app } = await server(t, {
      deps: { store: log.store, codec: log.codec },
      routes,
      now: () => new Date(now),
    });
    for (const path of ['/locked', '/limited', '/missing', '/stale', '/denied/thing-7', '/denied/a%40b.example'])
      await app.inject(`/api/v1${path}`);
    now += GATHER_MS;
    const seen = () => log.stored.flatMap(({ events }) => events.map(({ data }) => JSON.parse(data)));
    await eventually(
      async () => seen().length,
      (count) => count === 3,
    );
    t.match(
      seen().sort((a, b) => a.path.localeCompare(b.path)),
      [
        { path: '/api/v1/denied/:id', reason: 'because', count: 2 },
        { path: '/api/v1/limited', code: 'RATE_LIMIT_EXCEEDED', count: 1, method: 'GET' },
        { path: '/api/v1/locked', code: 'ACCOUNT_LOCKED', count: 1 },
      ],
    );
    t.notMatch(JSON.stringify(seen()), 'b.example', 'nothing that a person may have typed');
  });

  t.test('neither delays nor fails an answer, and tries the very same append again', async (t) => {
    const log = failingLog([new StoreUnavailable('away'), new OutcomeUnknown('perhaps'), new StoreUnavailable('away')]);
    const { app } = await server(t, { deps: { store: log.store, codec: log.codec }, routes });
    t.equal((await app.inject('/api/v1/locked')).statusCode, 423);
    await eventually(
      async () => log.tries.length,
      (count) => count >= 1,
    );
    t.equal((await app.inject('/api/v1/limited')).statusCode, 429);
    await eventually(
      async () => log.stored.flatMap(({ events }) => events).length,
      (count) => count === 2,
    );
    const [first, ...others] = log.tries;
    for (const again of others.slice(0, 3)) t.strictSame(again, first);
    const ids = log.stored.flatMap(({ events }) => events.map(({ id }) => id));
    t.equal(new Set(ids).size, 2);
  });

  t.test('holds a bounded number while the log is away, and counts what it gives up', async (t) => {
    const log = failingLog(Array.from({ length: 1_000 }, () => new StoreUnavailable('away')));
    const metrics = createMetrics();
    let request: FastifyRequest | undefined;
    let minute = 0;
    const { app } = await server(t, {
      deps: { store: log.store, codec: log.codec, metrics },
      now: () => new Date(Date.now() + minute * 60_000),
      routes: (app) =>
        app.get('/capture', { config: { access: 'anyone' } }, async (captured) => {
          request = captured;
          return {};
        }),
    });
    await app.inject('/api/v1/capture');
    const denied = request as FastifyRequest;
    // Every minute of the clock lets so many more in.
    for (; minute < 10; minute += 1) {
      for (let n = 0; n < 600; n += 1) {
        const routeOptions = { value: { url: `/path-${n}`, config: {} } };
        app.refusals.note(Object.create(denied, { routeOptions }), new Problem('UNAUTHORIZED', 'No'));
      }
    }
    const dropped = await eventually(
      () => countOf(metrics, 'dropped'),
      (count) => count > 0,
    );
    t.equal(dropped, 1_000);
  });
});
