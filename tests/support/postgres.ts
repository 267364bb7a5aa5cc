import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Pool } from 'pg';
import { CLUSTER_USER, clusterIn, freePort, initialise, run } from '../../src/postgres/cluster.ts';

/** A database of a test's own. */
export type TestDatabase = {
  /** Names the database; carries no search path. */
  readonly connectionString: string;
  /** At most 10 connections, search path as the service has it. Ended with the test. */
  readonly pool: Pool;
};

/** Connection string of the server that `npm test` started for all test files. */
const SHARED = 'CONVENE_TEST_PG';
/** Databases on it that others may be copies of: one where the service has been started before, one where people live too. */
export const TEMPLATES = { started: 'convene_started', peopled: 'convene_peopled' } as const;
/** Set when they are there. */
const PREPARED = 'CONVENE_TEST_PREPARED';
/** Whether a database can be a copy of one of {@link TEMPLATES}. */
export const prepared = (): boolean => process.env[PREPARED] !== undefined;

/**
 * A fresh database on a real PostgreSQL, dropped when `t` is over. With `migrate` it has the tables of the service; with
 * `copyOf` it is a copy of that template, if it is there. All test files of one `npm test` share one server; a file run
 * alone starts one that goes away with it.
 */
export async function testDatabase(
  t: { after: (callback: () => Promise<void>) => unknown },
  { migrate = false, copyOf }: { readonly migrate?: boolean; readonly copyOf?: keyof typeof TEMPLATES } = {},
): Promise<TestDatabase> {
  const server = await serverUrl();
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`;
  const copied = copyOf !== undefined && prepared() ? TEMPLATES[copyOf] : 'template0';
  const original = migrate ? await migratedTemplate(server) : copied;
  await administer(server, `create database ${name} template ${original} strategy file_copy`);
  const connectionString = withDatabase(server, name);
  const pool = new Pool({
    connectionString,
    max: 10,
    options: '-c search_path=read,convene,public',
    // The root of a test file ends when nothing keeps the process: connections without a query must not.
    allowExitOnIdle: true,
  });
  // A session cut off by the test itself (a killed backend) must not end the process.
  pool.on('error', () => undefined);
  t.after(async () => {
    if (!pool.ended) await pool.end();
    // Without force the server waits until the last connection is gone: whoever is cut off takes it for an error of the next test.
    await administer(server, `drop database ${name}`).catch(() =>
      administer(server, `drop database if exists ${name} with (force)`),
    );
  });
  return { connectionString, pool };
}

let own: Promise<string> | undefined;

/** The administrator's connection string: of the shared server, or of one of this process's own. */
function serverUrl(): Promise<string> {
  const shared = process.env[SHARED];
  if (shared !== undefined) return Promise.resolve(shared);
  own ??= startTestServer();
  return own;
}

const MEMORY = '/dev/shm';
const ROOM_BYTES = 4_000_000_000;

/** Hundreds of files come and go with every database: memory takes them in a fraction of the time, where there is enough. */
async function fastFolder(): Promise<string> {
  const room = await statfs(MEMORY).catch(() => undefined);
  return room !== undefined && room.bavail * room.bsize > ROOM_BYTES ? MEMORY : tmpdir();
}

/**
 * Starts a server in a temporary folder, without any wait for the disk. It needs no stopping: a watcher holds the other end
 * of a pipe to this process, and when this process ends, however it ends, stops the server and removes the folder.
 */
export async function startTestServer(): Promise<string> {
  const folder = await mkdtemp(join(await fastFolder(), 'convene-test-'));
  const cluster = await clusterIn(join(folder, 'postgres'));
  const password = randomBytes(12).toString('hex');
  await initialise(cluster, password, false);
  // Thousands of connections, and to prove a password takes either side milliseconds.
  await writeFile(join(cluster.data, 'pg_hba.conf'), 'host all all 127.0.0.1/32 trust\n');
  const port = await freePort();
  const server = await run(cluster, port, {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    max_connections: '300',
    jit: 'off',
    autovacuum: 'off',
    timezone: 'UTC',
  });
  const script =
    'cat >/dev/null; kill -QUIT "$0"; for i in 1 2 3 4 5 6 7 8 9; do kill -0 "$0" 2>/dev/null || break; sleep 0.1; done; rm -rf -- "$1"';
  const watcher = spawn('sh', ['-c', script, String(server.pid), folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  server.unref();
  watcher.unref();
  if ('unref' in watcher.stdin && typeof watcher.stdin.unref === 'function') watcher.stdin.unref();
  return `postgres://${CLUSTER_USER}:${password}@127.0.0.1:${port}/postgres`;
}

/** Migrated once per server, then copied: a copy takes a fraction of the migrations' time. */
const TEMPLATE = 'convene_template';

async function migratedTemplate(server: string): Promise<string> {
  const admin = new Client({ connectionString: server });
  await admin.connect();
  try {
    await admin.query(`select pg_advisory_lock(hashtext('${TEMPLATE}'))`);
    const { rowCount } = await admin.query('select from pg_database where datname = $1 and datistemplate', [TEMPLATE]);
    if (rowCount !== 0) return TEMPLATE;
    await admin.query(`drop database if exists ${TEMPLATE} with (force)`);
    await template(server, TEMPLATE, async (connectionString) => {
      const migrations = await import('../../src/migrations/index.ts');
      const pool = new Pool({ connectionString, options: '-c search_path=read,convene,public' });
      await migrations.migrate(pool).finally(() => pool.end());
    });
    return TEMPLATE;
  } finally {
    await admin.end();
  }
}

/** Creates a database that others may be copied from: itself a copy of another, and what `fill` puts into it. */
export async function template(
  server: string,
  name: string,
  fill: (connectionString: string) => Promise<void>,
  original = 'template0',
): Promise<void> {
  await administer(server, `create database ${name} template ${original}`);
  await fill(withDatabase(server, name));
  await administer(server, `alter database ${name} is_template true allow_connections false`);
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: server });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

const withDatabase = (server: string, name: string): string => {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
};
