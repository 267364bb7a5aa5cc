import { join } from 'node:path';
import { DECKS } from '../src/domain/estimation/decks.ts';
import { type Bench, type Context, type Findings, ratio } from './bench.ts';
import { ownProcess } from './ownProcess.ts';
import { interleaved, latencies } from './rounds.ts';
import { openConnection, requestText } from './service/connection.ts';
import { fixedRate, type Source } from './service/load.ts';
import { runService, settled } from './service/process.ts';
import { repeated } from './service/repeated.ts';
import { tokenOf } from './service/secrets.ts';
import { each, loggedIn, openSession, seed } from './service/seed.ts';

/** Log-ins under way at once. */
const LOGINS = 64;
/** Other requests a second: what a quiet service has to do anyway. */
const RATE = 50;
/** Connections for them: as many as it takes, so that a slow answer delays none of the others. */
const CONNECTIONS = 64;
const CLIENTS = 200;
/** What passwords are hashed with in production. */
const COST = 12;
const PASSWORD = 'Bench-horse-7';

/** Reads and votes of people who are logged in, in turn. */
const others = async (databaseUrl: string): Promise<Source> => {
  const clients: Awaited<ReturnType<typeof loggedIn>>[] = [];
  const sessions: Awaited<ReturnType<typeof openSession>>[] = [];
  await seed(databaseUrl, async (append) => {
    await each(
      Array.from({ length: CLIENTS }, (_, number) => number),
      async (number) => void clients.push(await loggedIn(append, 'free', number)),
    );
    for (const [number, client] of clients.entries()) sessions.push(await openSession(append, [client], number));
  });
  const tokens = clients.map(tokenOf);
  const votes = DECKS.fibonacci;
  let made = 0;
  return () => {
    const turn = Math.floor(made / 4 / CLIENTS);
    const kind = made % 4;
    const who = Math.floor(made++ / 4) % CLIENTS;
    const token = tokens[who] ?? '';
    const { sessionId, storyId } = sessions[who] ?? { sessionId: '', storyId: '' };
    if (kind === 0) return requestText('GET', '/api/v1/users/me', { token });
    if (kind === 1) return requestText('GET', '/api/v1/appointments?limit=10', { token });
    if (kind === 2) return requestText('GET', `/api/v1/sessions/${sessionId}/status`, { token });
    const path = `/api/v1/sessions/${sessionId}/stories/${storyId}/vote`;
    return requestText('PUT', path, { token, body: { value: votes[turn % votes.length] } });
  };
};

/** Each person is somewhere else, so that attempts are not all counted in one row. */
const post = (path: string, place: number, body: unknown): string =>
  requestText('POST', `/api/v1/auth/${path}`, { body, from: `198.51.100.${place}` });

/** Registers an account for each place, over HTTP as anybody does; `logIn(place)` is then accepted. */
const people = async (url: string) => {
  const addresses = Array.from({ length: LOGINS }, (_, place) => `person-${place}@example.org`);
  const connections = await Promise.all(addresses.map(() => openConnection(url)));
  const asked = async (place: number, request: string): Promise<void> => {
    const answer = await connections[place]?.send(request);
    if (answer === undefined || answer.status >= 300) throw new Error(`${answer?.status} ${answer?.body()}`);
  };
  for (const [place, email] of addresses.entries())
    await asked(
      place,
      post('register', place, { email, password: PASSWORD, displayName: 'Somebody', acceptTerms: true }),
    );
  return {
    logIn: (place: number) => asked(place, post('login', place, { email: addresses[place], password: PASSWORD })),
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
};

const measure = async ({ rounds, sized, database, folder, says }: Context): Promise<Findings> => {
  const { connectionString, drop } = await database();
  const source = await others(connectionString);
  const service = await runService(connectionString, join(folder, 'login'));
  const seconds = sized(20);
  try {
    const { logIn, close } = await people(service.url);
    await settled(connectionString);
    says(`${LOGINS} people who log in, ${RATE} other requests a second by ${CLIENTS}`);
    const light = async () => {
      const load = { source, connections: CONNECTIONS, seconds, rate: RATE };
      return latencies((await fixedRate(service.url, load)).latencies);
    };
    const warmUp = { source, connections: CONNECTIONS, seconds: sized(5), rate: RATE };
    await fixedRate(service.url, warmUp);

    const idle = async () => light();
    const loggingIn = async () => {
      const logins = repeated(LOGINS, logIn);
      await logins.during(sized(2));
      const [perSecond, { p50, p99 }] = await Promise.all([logins.during(seconds), light()]);
      await logins.stop();
      says(`${perSecond.toFixed(1)} log-ins a second, p99 of the others ${p99.toFixed(0)} ms`);
      return { perSecond, p50, p99 };
    };
    const alone = async () => {
      const logins = repeated(LOGINS, logIn);
      await logins.during(sized(2));
      const perSecond = await logins.during(seconds);
      await logins.stop();
      return { perSecond };
    };
    const hashes = async () => {
      const task = { cost: COST, atOnce: LOGINS, seconds };
      return (await ownProcess(join(import.meta.dirname, 'apart/hashes.ts'), task)) as { perSecond: number };
    };
    const found = await interleaved<'idle' | 'logins' | 'alone' | 'hashes', string>(rounds, {
      idle,
      logins: loggingIn,
      alone,
      hashes,
    });
    close();
    const figure = (who: keyof typeof found, name: string): number => found[who][name] ?? Number.NaN;
    const ratios = {
      others_p99_under_logins: ratio(figure('logins', 'p99'), figure('idle', 'p99')),
      others_p50_under_logins: ratio(figure('logins', 'p50'), figure('idle', 'p50')),
      logins_vs_hashes: ratio(figure('alone', 'perSecond'), figure('hashes', 'perSecond')),
    };
    return {
      rows: [
        { who: 'others', metric: 'idle, p50', value: figure('idle', 'p50'), unit: 'ms' },
        { who: 'others', metric: 'idle, p99', value: figure('idle', 'p99'), unit: 'ms' },
        { who: 'others', metric: `under ${LOGINS} log-ins, p50`, value: figure('logins', 'p50'), unit: 'ms' },
        { who: 'others', metric: `under ${LOGINS} log-ins, p99`, value: figure('logins', 'p99'), unit: 'ms' },
        { who: 'log-ins', metric: 'beside the others', value: figure('logins', 'perSecond'), unit: '/s' },
        { who: 'log-ins', metric: 'alone', value: figure('alone', 'perSecond'), unit: '/s' },
        { who: 'bcrypt', metric: `cost ${COST}, ${LOGINS} at once`, value: figure('hashes', 'perSecond'), unit: '/s' },
      ],
      ratios,
      goals: [{ name: 'others_p99_under_logins', value: ratios.others_p99_under_logins, atMost: 2 }],
    };
  } finally {
    await service.stop();
    await drop();
  }
};

/** 64 people who log in at once, and what the others notice of it. */
export const login: Bench = { name: 'login', title: '64 log-ins at once, beside other requests', run: measure };
