import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { Context } from '../../src/cli/command.ts';
import { projectionCommands } from '../../src/cli/projections.ts';
import { runCli } from '../../src/cli/run.ts';
import { parseConfig } from '../../src/config.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { deadLetters } from '../../src/projections/control.ts';
import { projections } from '../../src/projections/index.ts';
import { prepareTables } from '../../src/projections/slots.ts';
import { testDatabase } from '../support/postgres.ts';

t.test('convene projections', async (t) => {
  const { pool, connectionString } = await testDatabase(t, { migrate: true });
  const store = postgresEventStore({ connectionString });
  t.after(() => store.close());
  const config = parseConfig({ DATABASE_URL: connectionString, CONVENE_DATA_DIR: t.testdir() });
  const convene = async (...argv: readonly string[]) => {
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    const context: Context = { config, connectionString: async () => connectionString, print, progress: () => {} };
    const code = await runCli(projectionCommands, argv, { out: print, error: print }, async () => context);
    return { code, text: lines.join('\n') };
  };
  const verified = await convene('projections', 'verify', 'roles');
  t.equal(verified.code, 1);
  t.match(verified.text, /roles does not exist yet/);
  await prepareTables(pool, store, projections);

  t.test('list shows every read model', async (t) => {
    const { code, text } = await convene('projections', 'list');
    t.equal(code, 0);
    for (const { name } of projections) t.match(text, new RegExp(`^${name} +\\d`, 'm'));
    t.notMatch(text, 'Dead letters');
  });

  t.test('verify agrees with a right table and fails on a wrong row', async (t) => {
    t.match(await convene('projections', 'verify'), { code: 0, text: /roles: all 0 rows agree/ });
    await pool.query(`insert into read.permissions select * from jsonb_populate_record(null::read.permissions,
      (select jsonb_object_agg(column_name, case data_type when 'integer' then '1'::jsonb when 'boolean' then 'true'
         when 'uuid' then to_jsonb(gen_random_uuid()) when 'jsonb' then '[]' when 'bigint' then '1' else '"x"' end)
       from information_schema.columns
       where table_schema = 'read' and table_name = 'permissions' and data_type not like 'timestamp%'))`);
    const { code, text } = await convene('projections', 'verify', 'permissions');
    t.equal(code, 1);
    t.match(text, /permissions: 1 rows disagree.*\n.*unexpected row/);
  });

  t.test('rebuild is noted for the service, once', async (t) => {
    t.match(await convene('projections', 'rebuild', 'roles', '--detach'), { code: 0, text: /will rebuild roles/ });
    t.match(await convene('projections', 'rebuild', 'roles', '--detach'), { code: 1, text: /being rebuilt already/ });
    t.match(await convene('projections', 'rebuild', 'nothing'), { code: 1, text: /no read model nothing/ });
  });

  t.test('retry and skip are noted on a dead letter', async (t) => {
    const id = randomUUID();
    await pool.query(
      `insert into convene.parked (id, kind, name, slot, stream, revision, event_id, position, type, error, attempts)
       values ($1, 'projection', 'accounts', 'live', 'account-1', 0, $1, 1, 'AccountRegistered', 'TypeError', 6)`,
      [id],
    );
    t.match(await convene('projections', 'list'), { code: 0, text: /Dead letters:\n.*AccountRegistered 0@account-1/ });
    t.match(await convene('projections', 'retry', id), { code: 0 });
    t.match(await convene('projections', 'skip', id), { code: 0 });
    const { rows } = await pool.query('select verdict from convene.parked');
    t.strictSame(rows, [{ verdict: 'skip' }]);
    t.equal((await deadLetters(pool)).total, 1);
    for (const unknown of [randomUUID(), 'that one'])
      t.match(await convene('projections', 'retry', unknown), { code: 1, text: /no dead letter/ });
  });
});
