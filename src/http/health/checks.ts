import { statfs } from 'node:fs/promises';
import { cpus, freemem, loadavg, totalmem } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ProjectionStatus } from '../../projections/status.ts';
import type { Deps } from '../app.ts';

const CHECK_MS = 2_000;
const SHARED_MS = 1_000;
/** Seconds that a projection may be behind in a node that is ready. */
export const READY_LAG_SECONDS = 10;
const DEGRADED_LAG_SECONDS = 60;

export type Status = 'ok' | 'degraded' | 'down';
const worst = (...all: readonly Status[]): Status =>
  all.includes('down') ? 'down' : all.includes('degraded') ? 'degraded' : 'ok';

type Checked<Value> =
  | { readonly ok: true; readonly value: Value; readonly ms: number }
  | { readonly ok: false; readonly ms: number };

const timed = async <Value>(work: () => Promise<Value>): Promise<Checked<Value>> => {
  const start = performance.now();
  const ms = () => Math.round((performance.now() - start) * 10) / 10;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, fail) => {
    timer = setTimeout(() => fail(new Error('No answer in time')), CHECK_MS);
  });
  try {
    return { ok: true, value: await Promise.race([work(), late]), ms: ms() };
  } catch {
    return { ok: false, ms: ms() };
  } finally {
    clearTimeout(timer);
  }
};

/** The same answer for everyone who asks within a second. */
const shared = <Value>(work: () => Promise<Value>): (() => Promise<Value>) => {
  let last: { readonly at: number; readonly value: Promise<Value> } | undefined;
  return () => {
    if (last === undefined || performance.now() - last.at > SHARED_MS) last = { at: performance.now(), value: work() };
    return last.value;
  };
};

const lossOf = (progress: Checked<readonly ProjectionStatus[]>): Status =>
  progress.ok && progress.value.every(({ parked, lagSeconds }) => parked === 0 && lagSeconds <= DEGRADED_LAG_SECONDS)
    ? 'ok'
    : 'degraded';

/** The state of what the service stands on. Checks run side by side, 2 s each, and are shared for 1 s. */
export const createChecks = ({
  pool,
  store,
  progress,
  circuits,
  config,
}: Pick<Deps, 'pool' | 'store' | 'progress' | 'circuits' | 'config'>) => {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let cpuBefore = { at: performance.now(), usage: process.cpuUsage() };

  const database = shared(async () => {
    const [postgres, log] = await Promise.all([
      timed(async () => {
        const { rows } = await pool.query<{ connections: number; slowest: number | null }>(
          `select count(*)::integer as connections,
             max(extract(epoch from now() - query_start) * 1000) filter (where state = 'active')::float8 as slowest
           from pg_stat_activity where datname = current_database()`,
        );
        return rows[0];
      }),
      timed(() => store.head()),
    ]);
    const status: Status = postgres.ok && log.ok ? 'ok' : 'down';
    return {
      status,
      responseMs: postgres.ms,
      pool: {
        size: pool.totalCount,
        used: pool.totalCount - pool.idleCount,
        idle: pool.idleCount,
        waiting: pool.waitingCount,
        max: pool.options.max,
      },
      statistics: {
        connections: postgres.ok ? (postgres.value?.connections ?? null) : null,
        slowestQueryMs: postgres.ok ? Math.round(postgres.value?.slowest ?? 0) : null,
      },
      eventStore: { status: (log.ok ? 'ok' : 'down') as Status, readMs: log.ms },
    };
  });

  const system = shared(async () => {
    const now = { at: performance.now(), usage: process.cpuUsage() };
    const busyMs = (now.usage.user + now.usage.system - cpuBefore.usage.user - cpuBefore.usage.system) / 1000;
    const cpuPercent = percent(busyMs / ((now.at - cpuBefore.at) * cpus().length));
    cpuBefore = now;
    const disk = await statfs(config.dataDir).catch(() => undefined);
    return {
      status: 'ok' as Status,
      cpuPercent,
      memoryPercent: percent(1 - freemem() / totalmem()),
      diskPercent: disk === undefined ? null : percent(1 - disk.bavail / disk.blocks),
      load: loadavg().map((value) => Math.round(value * 100) / 100),
      // Before its first sample the histogram has no mean.
      eventLoopLagMs: delay.count === 0 ? 0 : Math.round(delay.mean / 1e4) / 100,
      residentMb: Math.round(process.memoryUsage.rss() / 1_048_576),
    };
  });

  const lags = shared(() => timed(progress));

  return {
    database,
    system,
    comprehensive: async () => {
      const [db, host, behind] = await Promise.all([database(), system(), lags()]);
      const services = circuits.map(({ service, state }) => ({ name: service, circuit: state() }));
      const outside: Status = services.every(({ circuit }) => circuit === 'closed') ? 'ok' : 'degraded';
      return {
        status: worst(db.status, host.status, lossOf(behind), outside),
        database: db,
        system: host,
        services,
        projections: behind.ok
          ? behind.value.map(({ name, position, lagSeconds, lagEvents, state, parked }) => ({
              name,
              position: String(position),
              lagSeconds,
              lagEvents,
              state,
              parked,
            }))
          : [],
      };
    },
    /** Log and Postgres answer, and no projection is more than 10 s behind. */
    ready: async (): Promise<boolean> => {
      const [db, behind] = await Promise.all([database(), lags()]);
      return db.status === 'ok' && behind.ok && behind.value.every(({ lagSeconds }) => lagSeconds <= READY_LAG_SECONDS);
    },
    close: () => delay.disable(),
  };
};

const percent = (share: number): number => Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
