import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import t from 'tap';
import { clearLeftovers, processesOn, send } from '../../src/postgres/leftovers.ts';
import { testDatabase } from '../support/postgres.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'convene-main-'));
const dataDir = join(folder, 'data');
const cluster = join(dataDir, 'postgres', 'data');
t.after(async () => {
  await clearLeftovers(cluster);
  rmSync(folder, { recursive: true, force: true });
});

type Run = {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly out: () => string;
  readonly error: () => string;
  /** Fulfilled with the address once it is told. */
  readonly url: Promise<string>;
  readonly exit: Promise<number | null>;
};

/** The service as `npm start` runs it. The first start of a cheap password is as good as that of a dear one. */
function start(env: Record<string, string>): Run {
  const child = spawn(process.execPath, [main], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? '',
      ...(process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
      CONVENE_DATA_DIR: dataDir,
      PORT: '0',
      PASSWORD_COST: '4',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, error] = ['', ''];
  const exit = once(child, 'close').then(([code]) => code as number | null);
  const url = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      out += chunk;
      const told = /Convene +(http\S+|no HTTP)/.exec(out)?.[1];
      if (told !== undefined) resolve(told);
    });
    void exit.then(() => reject(new Error(`it ended: ${out}${error}`)));
  });
  url.catch(() => undefined);
  child.stderr.on('data', (chunk) => {
    error += chunk;
  });
  return { child, out: () => out, error: () => error, url, exit };
}

const passwordFile = join(dataDir, 'secrets', 'admin-password');

/** Logs in as the administrator; again, as it then says, while a service that has just started is still behind. */
const logIn = async (url: string): Promise<Response> => {
  const answer = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'admin@example.org', password: readFileSync(passwordFile, 'utf8').trim() }),
  });
  return answer.status === 503 ? logIn(url) : answer;
};

/** Sends the head of a log-in and waits until the service has it, which then waits for the body. */
async function beginLogIn(url: string, length: number) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  socket.on('error', () => undefined);
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  socket.write(
    `POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`,
  );
  await once(socket, 'data');
  return { socket, answer: () => answer, closed };
}

t.test('the service', { timeout: 200_000 }, async (t) => {
  t.test('starts without configuration and says where it is', async (t) => {
    const service = start({});
    const url = await service.url;
    t.match(service.out(), `API reference      ${url}/docs`);
    t.match(service.out(), dataDir);
    t.match(service.out(), `admin@example.org, with the password in ${passwordFile}`);
    t.notMatch(service.out() + service.error(), readFileSync(passwordFile, 'utf8').trim(), 'the password is not shown');
    t.equal((await logIn(url)).status, 200, 'the first administrator can sign in');

    t.test('while others are told that its folder and its port are taken', async (t) => {
      const second = start({});
      t.equal(await second.exit, 1);
      t.match(second.error(), /^The data folder .* is in use by another running Convene \(process \d+\)\..*\n$/);
      const { connectionString } = await testDatabase(t, { migrate: true });
      const third = start({ DATABASE_URL: connectionString, PORT: new URL(url).port });
      t.equal(await third.exit, 1);
      t.match(third.error(), /^Port \d+ of 127\.0\.0\.1 cannot be used.*\n$/);
    });

    t.test('and loses nothing when everything is killed', async (t) => {
      service.child.kill('SIGKILL');
      for (const pid of await processesOn(cluster, 0)) send(pid, 'SIGKILL');
      await service.exit;
      const again = start({});
      const url = await again.url;
      t.equal((await logIn(url)).status, 200);

      t.test('ending cleanly when it is told to', async (t) => {
        const body = JSON.stringify({ email: 'nobody@example.org', password: 'x' });
        const underWay = await beginLogIn(url, body.length);
        const stuck = await beginLogIn(url, body.length);
        t.match(underWay.answer(), /^HTTP\/1\.1 100 /);
        again.child.kill('SIGTERM');
        underWay.socket.write(body);
        await underWay.closed;
        t.match(
          underWay.answer(),
          /^HTTP\/1\.1 100 .*\r\n\r\nHTTP\/1\.1 401 /s,
          'a request under way is answered before',
        );
        // A stop that is not done in ten seconds ends with 1.
        t.equal(await again.exit, 0, 'and a client that does not go on holds no stop up');
        await stuck.closed;
        t.notMatch(stuck.answer(), /HTTP\/1\.1 [2-5]/);
        t.same(await processesOn(cluster, 0), [], 'the database has ended with it');
        t.equal(again.error(), '');
      });
    });
  });

  t.test('names no API reference where it serves none, and ends by Ctrl-C', async (t) => {
    const service = start({ CONVENE_ROLES: 'projector' });
    t.equal(await service.url, 'no HTTP');
    service.child.kill('SIGINT');
    t.equal(await service.exit, 0);
    t.notMatch(service.out(), 'API reference');
    t.same(await processesOn(cluster, 0), []);
  });

  t.test('says in one sentence why it cannot start', async (t) => {
    const { connectionString, pool } = await testDatabase(t, { migrate: true });
    await pool.query("insert into convene.migrations (name, timestamp) values ('999_from_the_future', now()::text)");
    for (const [env, sentence] of [
      [{ DATABASE_URL: connectionString }, /newer schema .*999_from_the_future/],
      [{ DATABASE_URL: 'postgres://nobody:hunter2@127.0.0.1:1/none' }, /database cannot be reached/],
      [{ CONVENE_DATA_DIR: join(main, 'data') }, /data folder .*cannot be used/i],
    ] as const) {
      const service = start(env);
      t.equal(await service.exit, 1, String(sentence));
      t.match(service.error(), sentence);
      t.equal(service.error().trim().split('\n').length, 1);
      t.notMatch(service.error(), /hunter2|\bat .*:\d+/);
    }
    const service = start({ PORT: 'x', JWT_SECRET: 'short' });
    t.equal(await service.exit, 1);
    t.match(service.error(), / {2}PORT .*\n {2}JWT_SECRET .*\n$/);
  });
});
