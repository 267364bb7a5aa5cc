import { globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import t from 'tap';
import {
  arrows,
  circles,
  environmentReads,
  forbiddenImports,
  importsOf,
  impurities,
  type Sources,
} from './support/arrows.ts';
import { filesOf, parts } from './support/parts.ts';

const root = join(import.meta.dirname, '..');
const sources: Sources = new Map(
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => `src/${path.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => [path, readFileSync(join(root, path), 'utf8')] as const),
);
const planted = (path: string, text: string): Sources => new Map([[path, text]]);

t.test('the modules of the service', async (t) => {
  t.test('were really looked at', async (t) => {
    const imports = importsOf(sources);
    t.ok(sources.size > 50, `${sources.size} modules`);
    t.ok(imports.length > 2 * sources.size, `${imports.length} imports`);
    for (const part of ['domain', 'eventstore', 'commands', 'projections', 'policies', 'http', 'cli']) {
      t.ok(
        imports.some(({ from }) => from.startsWith(`src/${part}/`)),
        part,
      );
    }
    const missing = imports.filter(({ to, local }) => local && to.endsWith('.ts') && !sources.has(to));
    t.same(missing, [], 'every local import leads to a module that was read');
  });
  t.test('are all under an arrow', async (t) => {
    const parts = new Set([...sources.keys()].map((path) => path.split('/')[1] ?? ''));
    t.same(
      [...parts].filter((part) => !(part in arrows)),
      [],
    );
  });
  t.test('import only along the arrows', async (t) => t.same(forbiddenImports(sources), []));
  t.test('import in no circle', async (t) => t.same(circles(sources), []));
  t.test('keep clock, chance and the world out of the domain', async (t) => t.same(impurities(sources), []));
  t.test('read the environment at the edges only', async (t) => t.same(environmentReads(sources), []));
});

t.test('the guard', async (t) => {
  for (const [title, path, text] of [
    ['a package in the domain', 'src/domain/x.ts', "import { randomUUID } from 'node:crypto';"],
    [
      'the event store in the domain',
      'src/domain/a/x.ts',
      "import type { EventStore } from '../../eventstore/port.ts';",
    ],
    ['an import over several lines', 'src/domain/a/x.ts', "import {\n  one,\n  two,\n} from '../../http/app.ts';"],
    ['a re-export', 'src/commands/x.ts', "export { app } from '../http/app.ts';"],
    ['a re-export of all', 'src/commands/x.ts', "export * from '../http/app.ts';"],
    ['an import for effect', 'src/commands/x.ts', "import '../http/app.ts';"],
    ['a dynamic import', 'src/projections/x.ts', "const x = await import('../policies/policy.ts');"],
    ['a projection in a command', 'src/commands/x.ts', "import { rows } from '../projections/rows.ts';"],
    ['a web framework outside of http', 'src/commands/x.ts', "import fastify from 'fastify';"],
    ['the wiring from below', 'src/http/x.ts', "import { startService } from '../service.ts';"],
    ['a part without an arrow', 'src/shared/x.ts', "import { z } from '../domain/fields.ts';"],
  ] as const) {
    t.test(`finds ${title}`, async (t) => t.equal(forbiddenImports(planted(path, text)).length, 1));
  }
  t.test('lets what is allowed pass, comments and strings included', async (t) =>
    t.same(
      forbiddenImports(
        planted(
          'src/domain/a/x.ts',
          "import { z } from 'zod';\nimport { y } from './y.ts';\n// import 'node:fs'\n/*\nimport 'node:fs';\n*/\nconst at = 'https://example.org';",
        ),
      ),
      [],
    ),
  );
  t.test('finds a circle', async (t) =>
    t.same(
      circles(
        new Map([
          ['src/domain/b.ts', "import './c.ts';"],
          ['src/domain/c.ts', "import './a.ts';"],
          ['src/domain/a.ts', "import './b.ts';"],
        ]),
      ),
      ['src/domain/a.ts → src/domain/b.ts → src/domain/c.ts'],
    ),
  );
  t.test('takes no circle of types for one', async (t) => {
    for (const back of [
      "import type { A } from './a.ts';",
      "import { type A, type B } from './a.ts';",
      "export type { A } from './a.ts';",
    ]) {
      t.same(
        circles(
          new Map([
            ['src/domain/a.ts', "import './b.ts';"],
            ['src/domain/b.ts', back],
          ]),
        ),
        [],
        back,
      );
    }
    t.equal(
      circles(
        new Map([
          ['src/domain/a.ts', "import './b.ts';"],
          ['src/domain/b.ts', "import { a, type B } from './a.ts';"],
        ]),
      ).length,
      1,
    );
  });
  t.test('finds a clock in the domain', async (t) =>
    t.equal(impurities(planted('src/domain/x.ts', 'const now = () => Date.now();')).length, 1),
  );
  t.test('finds a read of the environment', async (t) =>
    t.equal(environmentReads(planted('src/http/x.ts', 'const port = process.env.PORT;')).length, 1),
  );
});

t.test('every test file is run, once', async (t) => {
  const files = globSync('**/*.test.ts', { cwd: import.meta.dirname }).sort();
  t.same(Object.keys(parts).flatMap(filesOf).sort(), files, 'each is in one part');
  const runners = globSync('parts/*.ts', { cwd: import.meta.dirname }).map((path) => basename(path, '.ts'));
  t.same(Object.keys(parts).sort(), runners.sort(), 'and every part is run');
});
