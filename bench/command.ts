import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { DECKS } from '../src/domain/estimation/decks.ts';
import { projections } from '../src/projections/index.ts';
import { type Bench, type Context, type Findings, ratio } from './bench.ts';
import { interleaved, latencies } from './rounds.ts';
import { requestText } from './service/connection.ts';
import { closedLoop, fixedRate, type Load, type Source } from './service/load.ts';
import { run, runService, settled } from './service/process.ts';
import { JWT_SECRET, type Login, tokenOf } from './service/secrets.ts';
import { each, loggedIn, openSession, providerWith, seed } from './service/seed.ts';

const CONNECTIONS = 64;
/** Commands a second at which the lag of the read models is measured. */
const RATE = 1_000;
/** How often the benchmark looks at the checkpoints: what the lag is uncertain by. */
const LOOK_MS = 4;

const CLIENTS = 2_000;
const PROVIDERS = 150;
const SESSIONS = 200;
const PARTICIPANTS = 10;
/** Free slots are prepared for so many bookings a second. */
const MOST_BOOKINGS = 3_000;

/** The commands under load and the event whose read models must show them. */
const KINDS = { BookAppointment: 'AppointmentBooked', CastVote: 'VoteChanged' } as const;
type Kind = keyof typeof KINDS;
const kinds = Object.keys(KINDS) as Kind[];

/**
 * The log that the services of the run find, and lines of commands for it that are all accepted, once: bookings of free
 * slots, nearest first, by clients who are free then; votes that differ from the vote before.
 */
const prepared = async (databaseUrl: string, days: number): Promise<Record<Kind, () => Source>> => {
  const logins: Login[] = [];
  const providers: Awaited<ReturnType<typeof providerWith>>[] = [];
  const sessions: { readonly sessionId: string; readonly storyId: string; readonly voters: readonly Login[] }[] = [];
  const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);
  await seed(databaseUrl, async (append) => {
    await each(numbers(CLIENTS), async (number) => {
      logins.push(await loggedIn(append, 'free', number));
    });
    await each(numbers(PROVIDERS), async (number) => {
      providers.push(await providerWith(append, days, number));
    });
    await each(numbers(SESSIONS), async (number) => {
      const voters = logins.slice(number * PARTICIPANTS, (number + 1) * PARTICIPANTS);
      sessions.push({ ...(await openSession(append, voters, number)), voters });
    });
  });
  const tokens = logins.map(tokenOf);
  const slots = providers[0]?.slots.length ?? 0;
  const bookings = (): Source => {
    let made = 0;
    return () => {
      const slot = providers[made % PROVIDERS]?.slots[Math.floor(made / PROVIDERS) % slots];
      const token = tokens[made++ % CLIENTS] ?? '';
      return requestText('POST', '/api/v1/appointments', {
        token,
        body: { slotId: slot?.slotId, notes: 'First visit' },
      });
    };
  };
  const votes = (): Source => {
    let made = 0;
    return () => {
      const session = made % SESSIONS;
      const turn = Math.floor(made++ / SESSIONS);
      const token = tokens[session * PARTICIPANTS + (turn % PARTICIPANTS)] ?? '';
      const value = DECKS.fibonacci[Math.floor(turn / PARTICIPANTS) % DECKS.fibonacci.length];
      const path = `/api/v1/sessions/${sessions[session]?.sessionId}/stories/${sessions[session]?.storyId}/vote`;
      return requestText('PUT', path, { token, body: { value } });
    };
  };
  return { BookAppointment: bookings, CastVote: votes };
};

/** How long after its answer each command is to be seen in every read model that its event concerns, in ms. */
const lagAt = async (url: string, databaseUrl: string, kind: Kind, source: Source, seconds: number) => {
  const names = projections.filter(({ fold }) => KINDS[kind] in fold).map(({ name }) => name);
  if (names.length === 0) throw new Error(`No read model shows ${KINDS[kind]}`);
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => {});
  await client.connect();
  const lags: number[] = [];
  let unseen: { readonly position: number; readonly at: number }[] = [];
  let seen = 0;
  let over = false;
  const watching = (async () => {
    for (; !over || unseen.length > 0; await pause(LOOK_MS)) {
      const { rows } = await client.query<{ position: string }>({
        name: 'look',
        text: `select min(position) as position from convene.checkpoints where kind = 'projection' and slot = 'live' and name = any($1)`,
        values: [names],
      });
      seen = Number(rows[0]?.position);
      const now = performance.now();
      for (const { position, at } of unseen) if (position <= seen) lags.push(now - at);
      unseen = unseen.filter(({ position }) => position > seen);
    }
  })();
  try {
    const answered = ({ position }: { readonly position: number }) => {
      if (position <= seen) lags.push(0);
      else unseen.push({ position, at: performance.now() });
    };
    const load = await fixedRate(url, { source, connections: CONNECTIONS, seconds, rate: RATE, answered });
    return { load, lags };
  } finally {
    over = true;
    await watching.finally(() => client.end());
  }
};

type Figures = Record<string, number>;

/** Under names that tell the figures of one kind from those of another. */
const named = (kind: Kind, what: string, { perSecond, latencies: taken }: Load): Figures => {
  const { p50, p99 } = latencies(taken);
  return { [`${kind} ${what} per second`]: perSecond, [`${kind} ${what} p50`]: p50, [`${kind} ${what} p99`]: p99 };
};

const measure = async ({ rounds, sized, database, folder, says }: Context): Promise<Findings> => {
  const { connectionString, drop } = await database();
  const seconds = sized(8);
  const warmUp = sized(4);
  const days = Math.min(360, Math.ceil((rounds * (warmUp + seconds) * MOST_BOOKINGS) / (PROVIDERS * 48)) + 1);
  const lines = await prepared(connectionString, days);
  says(`${PROVIDERS} providers with ${days} days of free slots, ${CLIENTS} clients, ${SESSIONS} sessions`);
  const once = { BookAppointment: lines.BookAppointment(), CastVote: lines.CastVote() };
  const load = { connections: CONNECTIONS, seconds, warmUp };

  const bare = async (): Promise<Figures> => {
    const server = await run('bench/apart/bare.ts', { JWT_SECRET }, '/health/ready');
    const figures: Figures = {};
    try {
      for (const kind of kinds)
        Object.assign(figures, named(kind, 'full', await closedLoop(server.url, { ...load, source: lines[kind]() })));
      return figures;
    } finally {
      await server.stop();
    }
  };
  const convene = async (): Promise<Figures> => {
    const service = await runService(connectionString, join(folder, 'command'));
    const figures: Figures = {};
    try {
      for (const kind of kinds) {
        const source = once[kind];
        Object.assign(figures, named(kind, 'full', await closedLoop(service.url, { ...load, source })));
        await settled(connectionString);
        const { load: paced, lags } = await lagAt(service.url, connectionString, kind, source, seconds);
        const { p50, p99 } = latencies(lags);
        Object.assign(figures, named(kind, 'paced', paced), { [`${kind} lag p50`]: p50, [`${kind} lag p99`]: p99 });
        says(`${kind}: ${figures[`${kind} full per second`]?.toFixed(0)} a second, lag p99 ${p99.toFixed(0)} ms`);
        await settled(connectionString);
      }
      return figures;
    } finally {
      await service.stop();
    }
  };
  const median = await interleaved<'bare' | 'convene', string>(rounds, { bare, convene });
  await drop();

  const figure = (who: 'bare' | 'convene', kind: Kind, name: string): number =>
    median[who][`${kind} ${name}`] ?? Number.NaN;
  const ratioOf = (kind: Kind): number =>
    ratio(figure('convene', kind, 'full per second'), figure('bare', kind, 'full per second'));
  const rows = kinds.flatMap((kind) => [
    ...(['bare', 'convene'] as const).flatMap((who) => [
      {
        who,
        metric: `${kind}, ${CONNECTIONS} connections`,
        value: figure(who, kind, 'full per second'),
        unit: 'commands/s',
      },
      { who, metric: `${kind}, latency p50`, value: figure(who, kind, 'full p50'), unit: 'ms' },
      { who, metric: `${kind}, latency p99`, value: figure(who, kind, 'full p99'), unit: 'ms' },
    ]),
    {
      who: 'convene',
      metric: `${kind}, sent ${RATE} a second`,
      value: figure('convene', kind, 'paced per second'),
      unit: 'commands/s',
    },
    { who: 'convene', metric: `${kind}, latency p50 then`, value: figure('convene', kind, 'paced p50'), unit: 'ms' },
    { who: 'convene', metric: `${kind}, latency p99 then`, value: figure('convene', kind, 'paced p99'), unit: 'ms' },
    {
      who: 'convene',
      metric: `${kind}, answer to read models p50`,
      value: figure('convene', kind, 'lag p50'),
      unit: 'ms',
    },
    {
      who: 'convene',
      metric: `${kind}, answer to read models p99`,
      value: figure('convene', kind, 'lag p99'),
      unit: 'ms',
    },
  ]);
  const ratios = {
    book_vs_bare: ratioOf('BookAppointment'),
    vote_vs_bare: ratioOf('CastVote'),
    command_vs_bare: Math.min(ratioOf('BookAppointment'), ratioOf('CastVote')),
  };
  const lag = Math.max(...kinds.map((kind) => figure('convene', kind, 'lag p99')));
  return {
    rows,
    ratios,
    goals: [
      { name: 'command_vs_bare', value: ratios.command_vs_bare, atLeast: 0.5 },
      { name: 'lag p99', value: lag, unit: 'ms', atMost: 50 },
    ],
  };
};

/** BookAppointment and CastVote over HTTP, beside a server that does no more than check token and input. */
export const command: Bench = {
  name: 'command',
  title: 'Commands over HTTP, and how soon the read models show them',
  run: measure,
};
