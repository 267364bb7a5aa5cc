import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseConfig } from '../../src/config.ts';
import { password } from '../../src/domain/fields.ts';
import { adminPasswordFile, secretsOf } from '../../src/secrets.ts';

t.test('secrets', async (t) => {
  t.test('that are missing are generated once, for the owner alone', async (t) => {
    const dataDir = join(t.testdir(), 'data');
    const config = parseConfig({ CONVENE_DATA_DIR: dataDir });
    const first = await secretsOf(config);
    t.same(await secretsOf(config), first);
    t.equal(new Set(Object.values(first)).size, 3);
    const files = readdirSync(join(dataDir, 'secrets'));
    t.same(files.sort(), ['admin-password', 'jwt-secret', 'master-key'], 'and no draft stays');
    for (const file of files) t.equal(statSync(join(dataDir, 'secrets', file)).mode & 0o777, 0o600, file);
    t.equal(readFileSync(adminPasswordFile(dataDir), 'utf8').trim(), first.adminPassword);
    t.equal(password.safeParse(first.adminPassword).success, true, 'the password meets its own rule');
    t.equal(
      parseConfig({ JWT_SECRET: first.jwtSecret, CONVENE_MASTER_KEY: first.masterKey }).jwtSecret,
      first.jwtSecret,
    );
  });

  t.test('are agreed on by processes that start at once', async (t) => {
    const config = parseConfig({ CONVENE_DATA_DIR: join(t.testdir(), 'data') });
    const all = await Promise.all(Array.from({ length: 8 }, () => secretsOf(config)));
    for (const each of all) t.same(each, all[0]);
  });

  t.test('that are configured are taken and written nowhere', async (t) => {
    const dataDir = t.testdir();
    const given = {
      JWT_SECRET: 'j'.repeat(32),
      CONVENE_MASTER_KEY: 'm'.repeat(32),
      CONVENE_ADMIN_PASSWORD: 'Correct-horse-1',
    };
    t.match(await secretsOf(parseConfig({ ...given, CONVENE_DATA_DIR: dataDir })), {
      adminPassword: 'Correct-horse-1',
    });
    t.same(readdirSync(dataDir), []);
  });

  t.test('name the folder they cannot be kept in', async (t) => {
    const dataDir = join(t.testdir({ file: '' }), 'file');
    await t.rejects(secretsOf(parseConfig({ CONVENE_DATA_DIR: dataDir })), {
      name: 'StartupProblem',
      message: dataDir,
    });
  });
});
