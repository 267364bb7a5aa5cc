import t from 'tap';
import type { Context } from '../../src/cli/command.ts';
import { keyCommands } from '../../src/cli/keys.ts';
import { runCli } from '../../src/cli/run.ts';
import { parseConfig } from '../../src/config.ts';
import { keyRing } from '../../src/eventstore/keyRing.ts';
import { masterKeys } from '../../src/masterKeys.ts';
import { testDatabase } from '../support/postgres.ts';

const [ONE, TWO, THREE] = ['1', '2', '3'].map((digit) => digit.repeat(32)) as [string, string, string];

t.test('convene keys rewrap', async (t) => {
  const { pool, connectionString } = await testDatabase(t, { migrate: true });
  const convene = async (variables: Record<string, string>) => {
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    const config = parseConfig({ DATABASE_URL: connectionString, CONVENE_DATA_DIR: t.testdir(), ...variables });
    const context: Context = { config, connectionString: async () => connectionString, print, progress: () => {} };
    const code = await runCli(keyCommands, ['keys', 'rewrap'], { out: print, error: print }, async () => context);
    return { code, text: lines.join('\n') };
  };
  const opened = async (master: string, subjects: readonly string[]) =>
    keyRing(pool, masterKeys(master)).toOpen(subjects);

  const subjects = ['ada', 'bob', 'eve'];
  const ring = keyRing(pool, masterKeys(ONE));
  const before = await ring.toSeal(subjects);
  await ring.erase('eve');
  await keyRing(pool, masterKeys(TWO)).toSeal(['new']);
  const after = new Map([...before, ['eve', null]]);

  t.test('leaves what it cannot open, and says so', async (t) => {
    t.same(await convene({ CONVENE_MASTER_KEY: TWO }), {
      code: 1,
      text: 'Wrapped anew: 0. Wrapped by CONVENE_MASTER_KEY before: 1.\nOpened by neither master key, and left as they are: 2.',
    });
    t.same(await opened(ONE, subjects), after);
  });
  t.test('makes the former master key unnecessary', async (t) => {
    const variables = { CONVENE_MASTER_KEY: TWO, CONVENE_MASTER_KEY_PREVIOUS: ONE };
    t.same(await convene(variables), {
      code: 0,
      text: 'Wrapped anew: 2. Wrapped by CONVENE_MASTER_KEY before: 1.',
    });
    t.same(await opened(TWO, subjects), after, 'the keys are the same, and the erased one is erased');
    await t.rejects(opened(ONE, ['ada']), /master key that is not configured/);
    t.match(await convene(variables), { code: 0, text: /^Wrapped anew: 0\. Wrapped by CONVENE_MASTER_KEY before: 3/ });
  });
  t.test('lets the next rotation follow', async (t) => {
    t.match(await convene({ CONVENE_MASTER_KEY: THREE, CONVENE_MASTER_KEY_PREVIOUS: TWO }), {
      text: /^Wrapped anew: 3/,
    });
    t.same(await opened(THREE, subjects), after);
  });
  t.test('goes through more keys than it reads at once', async (t) => {
    await pool.query('delete from convene.subject_keys');
    const many = Array.from({ length: 1_001 }, (_, number) => `person-${number}`);
    const keys = await keyRing(pool, masterKeys(ONE)).toSeal(many);
    t.match(await convene({ CONVENE_MASTER_KEY: TWO, CONVENE_MASTER_KEY_PREVIOUS: ONE }), {
      text: /^Wrapped anew: 1001\./,
    });
    t.same(await opened(TWO, many), keys);
  });
});
