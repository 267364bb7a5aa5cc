import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EventStore } from './eventstore/port.ts';

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * What the service counts and measures. Labels are names out of the code (routes as patterns, commands, event types,
 * outcomes), never ids or anything that a person entered.
 */
export const createMetrics = () => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    /** Time to answer, by method, route pattern and status. Its count is the number of requests. */
    requests: new Histogram({
      name: 'convene_http_request_duration_seconds',
      help: 'Time to answer a request',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers,
    }),
    inFlight: new Gauge({ name: 'convene_http_requests_in_flight', help: 'Requests being answered', registers }),
    /** Connections open to the HTTP server. */
    sockets: new Gauge({ name: 'convene_http_sockets', help: 'Open connections of the HTTP server', registers }),
    /** Clients of the live updates. */
    liveClients: new Gauge({
      name: 'convene_live_clients',
      help: 'Open live update connections',
      labelNames: ['transport'],
      registers,
    }),
    /** Commands by name and outcome: `done`, `replayed`, or the reason of a refusal. */
    commands: new Counter({
      name: 'convene_commands_total',
      help: 'Commands by name and outcome',
      labelNames: ['command', 'outcome'],
      registers,
    }),
    /** Attempts at jobs by what came of them: `done`, `failed`, `given-up`. */
    jobs: new Counter({
      name: 'convene_jobs_total',
      help: 'Attempts at jobs by name and outcome',
      labelNames: ['job', 'outcome'],
      registers,
    }),
    events: new Counter({
      name: 'convene_events_appended_total',
      help: 'Events appended by type',
      labelNames: ['type'],
      registers,
    }),
    /** Store calls by kind: `append`, `read`. */
    store: new Histogram({
      name: 'convene_event_store_duration_seconds',
      help: 'Time of an event-store call',
      labelNames: ['call'],
      buckets: SECONDS,
      registers,
    }),
    projectionLag: new Gauge({
      name: 'convene_projection_lag_seconds',
      help: 'Age of the oldest event that a projection has not handled',
      labelNames: ['projection'],
      registers,
    }),
    parked: new Gauge({
      name: 'convene_projection_parked_events',
      help: 'Events set aside because their fold failed',
      labelNames: ['projection'],
      registers,
    }),
    pool: new Gauge({
      name: 'convene_postgres_connections',
      help: 'Connections of the Postgres pool',
      labelNames: ['state'],
      registers,
    }),
    rateLimited: new Counter({
      name: 'convene_rate_limited_total',
      help: 'Requests refused by a rate limit, by bucket',
      labelNames: ['bucket'],
      registers,
    }),
    /** Events about refused requests by category of stream and outcome: `stored`, or `dropped` because too many waited. */
    refusals: new Counter({
      name: 'convene_refusals_recorded_total',
      help: 'Events about refused requests, stored or dropped',
      labelNames: ['category', 'outcome'],
      registers,
    }),
  } as const;
};

export type Metrics = ReturnType<typeof createMetrics>;

/** The same store, its calls timed and its appended events counted. */
export const measured = (store: EventStore, metrics: Metrics): EventStore => ({
  ...store,
  append: async (stream, expected, events) => {
    const stop = metrics.store.startTimer({ call: 'append' });
    try {
      const appended = await store.append(stream, expected, events);
      if (appended.ok && !appended.repeated) for (const { type } of events) metrics.events.inc({ type });
      return appended;
    } finally {
      stop();
    }
  },
  readStream: async (stream, options) => {
    const stop = metrics.store.startTimer({ call: 'read' });
    try {
      return await store.readStream(stream, options);
    } finally {
      stop();
    }
  },
});
