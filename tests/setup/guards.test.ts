import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import t from 'tap';

const root = join(import.meta.dirname, '../..');

/** Runs a tool on the folder that its last argument names. */
async function run(tool: string, args: readonly string[]): Promise<{ code: number; said: string }> {
  // The test runner puts its loaders into every child; they are not for the tools.
  const own = ['-u', 'NODE_OPTIONS', join(root, 'node_modules/.bin', tool)];
  const child = spawn('env', [...own, ...args], { cwd: args.at(-1) });
  child.stdin.end();
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, said: out + error };
}

/** A folder outside of the checkout, whose ignore rules would hide it, with the configuration of the checks. */
function planted(t: { after: (callback: () => void) => unknown }, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'convene-planted-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'src'));
  for (const name of ['biome.json', 'knip.json', '.gitignore']) copyFileSync(join(root, name), join(folder, name));
  for (const [path, content] of Object.entries(files)) writeFileSync(join(folder, path), content);
  return folder;
}

t.test('each check of npm test', async (t) => {
  t.test('finds planted violations of lint and format', async (t) => {
    const check = (content: string) =>
      run('biome', ['check', '--error-on-warnings', planted(t, { 'src/main.ts': content })]);
    t.match(await check('export const one = (two: any) => two;\n'), { code: 1, said: /noExplicitAny/ });
    t.match(await check("import type { Stats } from 'fs';\n\nexport type One = Stats;\n"), {
      code: 1,
      said: /useNodejsImportProtocol/,
    });
    t.match(await check('export const one = "two"'), { code: 1, said: /format/ });
    t.match(await check("export const one = 'two';\n"), { code: 0 });
  });

  t.test('finds a planted type error', async (t) => {
    const folder = planted(t, {
      'tsconfig.json': JSON.stringify({
        extends: join(root, 'tsconfig.json'),
        compilerOptions: { types: [] },
        include: ['src'],
      }),
      'src/main.ts': 'export const first: string = ([] as string[])[0];\n',
    });
    const { code, said } = await run('tsc', ['--noEmit', '-p', folder]);
    t.not(code, 0);
    t.match(said, /TS2322/);
  });

  t.test('finds a planted unused file, export and dependency', async (t) => {
    const folder = planted(t, {
      'package.json': JSON.stringify({ name: 'planted', type: 'module', dependencies: { zod: '4' } }),
      'src/main.ts': "import { used } from './used.ts';\nconsole.log(used);\n",
      'src/used.ts': 'export const used = 1;\nexport const unusedExport = 2;\n',
      'src/unused.ts': 'export const nobody = 3;\n',
    });
    const { code, said } = await run('knip', ['--no-progress', '--directory', folder]);
    t.equal(code, 1);
    for (const name of ['src/unused.ts', 'unusedExport', 'zod']) t.match(said, new RegExp(name));
  });
});
