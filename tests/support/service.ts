import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'pg';
import type { Test } from 'tap';
import type { Start, Started } from './here.ts';
import { startHosted } from './hosted.ts';
import { prepared, testDatabase } from './postgres.ts';

/** An answer as a client sees it. */
export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a client's view of JSON; every test says what it expects of it.
  readonly body: any;
};

/** Somebody who calls the service. */
export type Client = {
  readonly accountId: string;
  readonly email: string;
  readonly token: string | undefined;
  readonly call: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  readonly get: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  readonly post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  readonly put: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  readonly patch: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
  readonly delete: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;
};

const PASSWORD = 'Correct-horse-7';
export const ADMIN = { email: 'admin@example.org', password: 'Admin-horse-7' };
/** So many accounts are ready in a database with people. */
const PEOPLE = 40;
const SOMEBODY = 'Somebody';
const addressOf = (person: number): string => `somebody.${person}@example.org`;

/** By address of a service, how far the log has come by the answers that anybody had from it. */
const heard = new Map<string, bigint>();

/** Milliseconds that an answer is asked for again because read models are behind: on a busy machine they may be for long. */
const BEHIND_MS = 30_000;

/** Asks again, as the service then wants it, while the answer is that read models are not up to date. */
const upToDate = async (ask: () => Promise<Answer>): Promise<Answer> => {
  const end = performance.now() + BEHIND_MS;
  for (;;) {
    const answer = await ask();
    const behind = answer.status === 503 && answer.body?.error?.code === 'READ_MODEL_BEHIND';
    if (!behind || performance.now() > end) return answer;
  }
};

/**
 * Somebody who calls the service at an address, with or without a login. Whoever asks sees what others did before: they
 * would tell him the position if they were people.
 */
export const client = (base: string, login?: { accountId: string; email: string; token: string }): Client => {
  const ask: Client['call'] = async (method, path, body, headers = {}) => {
    const position = method === 'GET' ? heard.get(base) : undefined;
    const response = await fetch(`${base}${path.startsWith('/') ? '' : '/'}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(login === undefined ? {} : { authorization: `Bearer ${login.token}` }),
        ...(position === undefined ? {} : { 'consistency-token': String(position) }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      redirect: 'manual',
    });
    const reached = BigInt(response.headers.get('consistency-token') ?? 0);
    if (reached > (heard.get(base) ?? 0n)) heard.set(base, reached);
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json');
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  };
  const call: Client['call'] = (method, ...of) =>
    method === 'GET' ? upToDate(() => ask(method, ...of)) : ask(method, ...of);
  return {
    accountId: login?.accountId ?? '',
    email: login?.email ?? '',
    token: login?.token,
    call,
    get: (path, headers) => call('GET', path, undefined, headers),
    post: (path, body, headers) => call('POST', path, body, headers),
    put: (path, body, headers) => call('PUT', path, body, headers),
    patch: (path, body, headers) => call('PATCH', path, body, headers),
    delete: (path, body, headers) => call('DELETE', path, body, headers),
  };
};

const must = (answer: Answer, status: number, what: string): Answer => {
  if (answer.status !== status) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
};

/** Between two looks at a condition: without a pause the looks would take the processor from what they wait for. */
const LOOK_EVERY_MS = 15;

/** Asks until the answer satisfies; for what follows by policy, a little later than the command. */
export const eventually = async <T>(ask: () => Promise<T>, enough: (value: T) => boolean): Promise<T> => {
  for (;;) {
    const value = await ask();
    if (enough(value)) return value;
    await pause(LOOK_EVERY_MS);
  }
};

/** What gives a row for each job that is due or under way. */
export const DUE_JOBS = `select from pgboss.job
  where name = 'jobs' and state in ('created', 'retry', 'active') and start_after <= now()`;

/** Waits until nothing more follows by itself: every consumer has come to the end of the log, and no job is due. */
const atRest = async (pool: Pool): Promise<void> => {
  const rests = async () =>
    (
      await pool.query(
        `select where not exists (select from convene.checkpoints where position < (select position from log.head))
         and not exists (${DUE_JOBS})`,
      )
    ).rowCount;
  await eventually(rests, (count) => count === 1);
};

/** People of the service at an address. */
const callersOf = (api: string) => {
  const anonymous = client(api);
  const login = async (email: string, password = PASSWORD): Promise<Client> => {
    // A log-in that was answered too early is one more, which nobody uses.
    const { body } = must(await upToDate(() => anonymous.post('/auth/login', { email, password })), 200, 'log in');
    return client(api, { accountId: body.data.user.userId, email, token: body.data.accessToken });
  };

  let administrator: Promise<Client> | undefined;
  const admin = (): Promise<Client> => {
    administrator ??= login(ADMIN.email, ADMIN.password);
    return administrator;
  };

  /** The mails to an address, newest first. */
  const mailsTo = async (email: string): Promise<readonly { id: string; template: string; text: string }[]> => {
    const { body } = await (await admin()).get(`/ops/outbox?channel=email&recipient=${encodeURIComponent(email)}`);
    return body.data?.items ?? [];
  };

  /** The token of the newest verification mail to an address, once there is one that is newer than the mail named. */
  const verificationToken = async (email: string, before = '0'): Promise<string> => {
    const ask = async () =>
      (await mailsTo(email)).find(
        ({ id, template }) => template === 'email-verification' && BigInt(id) > BigInt(before),
      );
    const mail = await eventually(ask, (found) => found !== undefined);
    const token = /token=([\w.~-]+)/.exec(mail?.text ?? '')?.[1];
    if (token === undefined) throw new Error('The mail holds no token');
    return token;
  };

  /** The newest message to an address or number by a template, once there is one, or as many as `count`. */
  const message = async (
    recipient: string,
    template: string,
    count = 1,
  ): Promise<{ subject: string; text: string }> => {
    const ask = async () => (await admin()).get(`/ops/outbox?recipient=${encodeURIComponent(recipient)}&limit=50`);
    const fitting = ({ body }: Answer) =>
      (body.data?.items ?? []).filter((item: { template: string }) => item.template === template);
    return fitting(await eventually(ask, (answer) => fitting(answer).length >= count))[0];
  };

  /** The token in the newest mail to an address by a template. */
  const tokenIn = async (recipient: string, template: string, count?: number): Promise<string> => {
    const { text } = await message(recipient, template, count);
    const token = /token=([\w.~-]+)/.exec(text)?.[1];
    if (token === undefined) throw new Error(`The mail ${template} holds no token`);
    return token;
  };

  /** The one-time code in the newest text message to a number. */
  const codeTo = async (number: string, count?: number): Promise<string> =>
    /^\d{6}/.exec((await message(number, 'otp-code', count)).text)?.[0] ?? '';

  /** A registered account that has not verified its address, logged in. */
  const newcomer = async (displayName = SOMEBODY, email = `${randomUUID()}@example.org`): Promise<Client> => {
    const account = { email, password: PASSWORD, displayName, acceptTerms: true };
    must(await anonymous.post('/auth/register', account), 201, 'register');
    return login(email);
  };

  /** A registered account with a verified address and the role free, logged in. */
  const user = async (displayName = SOMEBODY, email?: string): Promise<Client> => {
    // Mails to whoever had the address before may be forgotten a moment later only.
    const [last] = email === undefined ? [] : await mailsTo(email);
    const registered = await newcomer(displayName, email);
    const token = await verificationToken(registered.email, last?.id);
    must(await anonymous.post('/auth/verify-email', { token }), 200, 'verify');
    await eventually(
      () => registered.get('/users/me'),
      ({ body }) => body.data?.emailVerified && body.data?.roles?.includes('free'),
    );
    return registered;
  };

  return { anonymous, login, admin, newcomer, user, verificationToken, message, tokenIn, codeTo };
};

/** How a service of a test is started. */
export type Starting = {
  /** Milliseconds that its clock is ahead of the machine's at first. */
  readonly ahead?: number;
  /** In another process unless told otherwise. */
  readonly start?: Start;
  /** Whether accounts may be ready before the test begins, for `user` to hand out. */
  readonly people?: boolean;
};

/** What every service of a test is started with. One master key for all: their databases are copies of one. */
const common = (connectionString: string, dataDir: string): Record<string, string> => ({
  NODE_ENV: 'test',
  DATABASE_URL: connectionString,
  CONVENE_DATA_DIR: dataDir,
  CONVENE_MASTER_KEY: 'the master key of all services that are started for tests',
  PORT: '0',
  CONVENE_ADMIN_EMAIL: ADMIN.email,
  CONVENE_ADMIN_PASSWORD: ADMIN.password,
  PASSWORD_COST: '4',
  RATE_LIMIT_SCALE: '100000',
  LOG_LEVEL: 'critical',
});

const ownFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'convene-service-'));

/**
 * The whole service on a database of its own, listening on a free port, in a process that it shares with other services
 * of tests. Stopped with the test. `variables` are added to its environment.
 */
export const testService = async (
  t: Test,
  variables: Record<string, string> = {},
  { ahead = 0, start: startIn = startHosted, people = true }: Starting = {},
) => {
  const { connectionString, pool } = await testDatabase(t, { copyOf: people ? 'peopled' : 'started' });
  const dataDir = await ownFolder();
  t.teardown(() => rm(dataDir, { recursive: true, force: true }));
  const environment = { ...common(connectionString, dataDir), ...variables };
  const nodes: Started[] = [];
  /** Starts a process on the database, as far as one process can hold several; stopped once, with the test at the latest. */
  const node = async (more: Record<string, string> = {}): Promise<Pick<Started, 'url' | 'stop'>> => {
    const started = await startIn({ ...environment, ...more }, ahead);
    nodes.push(started);
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      stopped ??= started.stop();
      return stopped;
    };
    t.teardown(stop);
    return { url: started.url, stop };
  };
  const service = await node();
  let ready = people && prepared() ? PEOPLE : 0;
  const setAhead = async (ms: number): Promise<void> => {
    await Promise.all(nodes.map((each) => each.setAhead(ms)));
  };

  /** A further process on the same database, with the role api alone. */
  const secondNode = async () => {
    const second = await node({ CONVENE_ROLES: 'api' });
    const address = `${second.url}/api/v1`;
    return {
      ...second,
      anonymous: client(address),
      as: ({ accountId, email, token = '' }: Client): Client => client(address, { accountId, email, token }),
    };
  };

  const api = `${service.url}/api/v1`;
  const callers = callersOf(api);

  /** A registered account with a verified address and the role free, logged in. */
  const user = async (displayName = SOMEBODY, email?: string): Promise<Client> => {
    if (email !== undefined || ready === 0) return callers.user(displayName, email);
    ready -= 1;
    const somebody = await callers.login(addressOf(ready));
    if (displayName !== SOMEBODY) must(await somebody.patch('/users/me', { displayName }), 200, 'rename');
    return somebody;
  };

  return {
    url: service.url,
    api,
    pool,
    connectionString,
    dataDir,
    environment,
    ...callers,
    user,
    secondNode,
    setAhead,
    rest: () => atRest(pool),
    stop: service.stop,
  };
};

let shared: ReturnType<typeof testService> | undefined;

/**
 * One service for all tests of this process that can live with what others leave in it: that look at people and things of
 * their own alone, and neither move its clock nor stop it.
 */
export const sharedService = async (): ReturnType<typeof testService> => {
  const { default: root } = await import('tap');
  shared ??= testService(root);
  return shared;
};

/** Starts a service on a database that others are to be copies of, until `fill` is done and all has come to rest. */
const prepare = async (connectionString: string, fill: (api: string) => Promise<unknown>): Promise<void> => {
  const dataDir = await ownFolder();
  const service = await startHosted(common(connectionString, dataDir));
  await fill(`${service.url}/api/v1`);
  const pool = new Pool({ connectionString });
  await atRest(pool);
  await pool.end();
  await service.stop();
  await rm(dataDir, { recursive: true });
};

/** Fills the template where the service has been started before. */
export const prepareStarted = (connectionString: string): Promise<void> => prepare(connectionString, async () => {});

/** Fills the template where people live. */
export const preparePeople = (connectionString: string): Promise<void> =>
  prepare(connectionString, (api) => {
    const { user } = callersOf(api);
    return Promise.all(Array.from({ length: PEOPLE }, (_, person) => user(SOMEBODY, addressOf(person))));
  });
