import { randomUUID } from 'node:crypto';
import t from 'tap';
import { chainHead, extendChain } from '../../src/audit/chain/records.ts';
import { auditCommands } from '../../src/cli/audit.ts';
import type { Context } from '../../src/cli/command.ts';
import { runCli } from '../../src/cli/run.ts';
import { parseConfig } from '../../src/config.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { testDatabase } from '../support/postgres.ts';

t.test('convene audit verify', async (t) => {
  const { pool, connectionString } = await testDatabase(t, { migrate: true });
  const store = postgresEventStore({ connectionString });
  t.after(() => store.close());
  const config = parseConfig({ DATABASE_URL: connectionString, CONVENE_DATA_DIR: t.testdir() });
  const convene = async (...argv: readonly string[]) => {
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    const context: Context = { config, connectionString: async () => connectionString, print, progress: () => {} };
    const code = await runCli(
      auditCommands,
      ['audit', 'verify', ...argv],
      { out: print, error: print },
      async () => context,
    );
    return { code, text: lines.join('\n') };
  };
  const chained = async () => {
    const head = await chainHead(pool);
    return extendChain(pool, head, (await store.readAll(head.position)).events);
  };
  const append = (stream: string) =>
    store.append(stream, 'noStream', [
      { id: randomUUID(), type: 'Noted', data: '{}', metadata: '{}' },
      { id: randomUUID(), type: 'Noted', data: '{}', metadata: '{}' },
    ]);

  await t.test('finds nothing wrong with an empty log', async (t) =>
    t.match(await convene(), { code: 0, text: /^Unbroken: 0 events checked/ }),
  );
  await append('note-a');
  await append('note-b');
  await chained();
  await t.test('tells how many events it checked', async (t) =>
    t.strictSame(await convene(), { code: 0, text: 'Unbroken: 4 events checked, up to position 4.' }),
  );
  await t.test('looks at a part', async (t) => {
    t.match(await convene('--from', '2', '--to', '4'), {
      code: 0,
      text: /^Unbroken: 2 events checked, up to position 3/,
    });
    t.match(await convene('--from', '2020-01-01'), { text: /^Unbroken: 4 / });
    t.match(await convene('--to', '2020-01-01T00:00:00Z'), { code: 0, text: /^Nothing/ });
    t.match(await convene('--from', '9998-01-01'), { code: 0, text: /^Nothing/ });
  });
  await t.test('refuses what is neither position nor instant', async (t) =>
    t.match(await convene('--from', 'yesterday'), { code: 1, text: /--from takes a position or an instant/ }),
  );
  await t.test('says that events are not chained yet', async (t) => {
    await append('note-c');
    t.match(await convene(), { code: 0, text: /^Unbroken: 4 .*\nLater events are not chained yet/ });
    await chained();
  });
  await t.test('names the first break', async (t) => {
    const { rows } = await pool.query(`update log.events set type = 'Denied' where position >= 3 returning id`);
    t.strictSame(await convene(), {
      code: 1,
      text: `Broken at position 3: event ${rows[0]?.id} was altered. 2 events before it are whole.`,
    });
  });
});
