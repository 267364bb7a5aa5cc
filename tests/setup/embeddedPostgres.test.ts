import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client } from 'pg';
import t from 'tap';
import { startEmbeddedPostgres } from '../../src/embeddedPostgres.ts';
import { clearLeftovers, processesOn, send } from '../../src/postgres/leftovers.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'convene-embedded-'));
const cluster = join(dataDir, 'postgres', 'data');
t.after(async () => {
  await clearLeftovers(cluster);
  rmSync(dataDir, { recursive: true, force: true });
});

/** A process that holds the data folder as the service does. */
async function holder(): Promise<{ child: ChildProcess; address: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/embedded.ts'), dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return { child, address: String(line).trim() };
}

const kill = async (child: ChildProcess) => {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
};

async function query(address: string, statement: string) {
  const client = new Client({ connectionString: address });
  await client.connect();
  return client.query(statement).finally(() => client.end());
}

const serverPid = () => Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);

t.test('the embedded PostgreSQL', async (t) => {
  t.test('is made at the first start, durable and closed to others', async (t) => {
    const postgres = await startEmbeddedPostgres(dataDir);
    const { rows } = await query(
      postgres.connectionString,
      "select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit, current_setting('listen_addresses') as address, current_setting('max_connections') as connections",
    );
    t.same(rows, [{ fsync: 'on', commit: 'on', address: '127.0.0.1', connections: '100' }]);
    t.equal(statSync(join(dataDir, 'postgres', 'connection.json')).mode & 0o777, 0o600);
    t.equal(statSync(cluster).mode & 0o777, 0o700);
    const wrong = new URL(postgres.connectionString);
    wrong.password = 'guess';
    await t.rejects(query(wrong.href, 'select 1'), { code: '28P01' }, 'a wrong password is refused');
    await query(postgres.connectionString, 'create table kept (id int)');
    await postgres.stop();
    t.notOk(existsSync(join(cluster, 'postmaster.pid')), 'it stops with the service');
  });

  t.test('keeps address and data from one start to the next', async (t) => {
    const first = await startEmbeddedPostgres(dataDir);
    await query(first.connectionString, 'insert into kept values (1)');
    await first.stop();
    const second = await startEmbeddedPostgres(dataDir);
    t.equal(second.connectionString, first.connectionString);
    t.equal((await query(second.connectionString, 'select from kept')).rowCount, 1);
    await second.stop();
  });

  t.test('loses nothing when the service alone is killed and the server is left running', async (t) => {
    const { child, address } = await holder();
    await query(address, 'insert into kept values (2)');
    const orphan = serverPid();
    await kill(child);
    t.same((await processesOn(cluster, orphan)).includes(orphan), true, 'the server is still there');
    const next = await startEmbeddedPostgres(dataDir);
    t.not(serverPid(), orphan);
    t.equal((await query(next.connectionString, 'select from kept')).rowCount, 2);
    await next.stop();
  });

  t.test('loses nothing when everything is killed', async (t) => {
    const { child, address } = await holder();
    await query(address, 'insert into kept values (3)');
    const server = serverPid();
    await kill(child);
    for (const pid of await processesOn(cluster, server)) send(pid, 'SIGKILL');
    t.ok(existsSync(join(cluster, 'postmaster.pid')), 'the lock file is stale');
    const next = await startEmbeddedPostgres(dataDir);
    t.equal((await query(next.connectionString, 'select from kept')).rowCount, 3);
    await next.stop();
  });

  t.test('is not misled by a lock file that names another program', async (t) => {
    writeFileSync(join(cluster, 'postmaster.pid'), `${process.pid}\n${cluster}\n0\n5432\n\n127.0.0.1\n\nready\n`);
    const next = await startEmbeddedPostgres(dataDir);
    t.equal((await query(next.connectionString, 'select from kept')).rowCount, 3);
    await next.stop();
  });

  t.test('moves to another port when its own was taken meanwhile', async (t) => {
    const before = await startEmbeddedPostgres(dataDir);
    await before.stop();
    const port = Number(new URL(before.connectionString).port);
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    const after = await startEmbeddedPostgres(dataDir);
    t.not(new URL(after.connectionString).port, String(port));
    t.equal((await query(after.connectionString, 'select from kept')).rowCount, 3);
    await after.stop();
    other.close();
  });

  t.test('is started again when it dies under the service', async (t) => {
    const postgres = await startEmbeddedPostgres(dataDir);
    const connected = new Client({ connectionString: postgres.connectionString });
    connected.on('error', () => undefined);
    await connected.connect();
    const lost = new Promise<void>((resolve) => connected.once('end', resolve));
    process.kill(serverPid(), 'SIGKILL');
    await lost;
    const again = async (): Promise<number | null> => {
      try {
        return (await query(postgres.connectionString, 'select from kept')).rowCount;
      } catch {
        return again();
      }
    };
    t.equal(await again(), 3);
    await postgres.stop();
  });

  t.test('is for one live service at a time', async (t) => {
    const { child } = await holder();
    await t.rejects(startEmbeddedPostgres(dataDir), {
      name: 'StartupProblem',
      message: new RegExp(
        `^The data folder ${dataDir} is in use by another running Convene \\(process ${child.pid}\\)\\.`,
      ),
    });
    const second = spawn(process.execPath, [join(import.meta.dirname, 'fixtures/embedded.ts'), dataDir]);
    const [said, [code]] = await Promise.all([text(second.stderr), once(second, 'exit')]);
    t.equal(code, 1);
    t.equal(said.trim().split('\n').length, 1, 'one line');
    const exit = once(child, 'exit');
    child.stdin?.end();
    t.same(await exit, [0, null]);
  });

  t.test('is free again after a refused start', async () => {
    const next = await startEmbeddedPostgres(dataDir);
    await next.stop();
  });

  t.test('tells when the password of a cluster is gone', async (t) => {
    const path = join(dataDir, 'postgres', 'connection.json');
    const kept = readFileSync(path);
    rmSync(path);
    await t.rejects(startEmbeddedPostgres(dataDir), { name: 'StartupProblem', message: path });
    writeFileSync(path, kept, { mode: 0o600 });
  });
});
