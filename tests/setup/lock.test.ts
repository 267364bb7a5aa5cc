import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { z } from 'zod';

const root = join(import.meta.dirname, '../..');
const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({ optionalDependencies: z.record(z.string(), z.string()).optional(), resolved: z.string().optional() }),
  ),
});

/** Each lock file, and how many optional packages it is known to have at least. */
const locks = { 'package-lock.json': 51, 'bench/package-lock.json': 2 };

for (const [path, least] of Object.entries(locks))
  t.test(`the lock file ${path}`, async (t) => {
    const { packages } = Lock.parse(JSON.parse(readFileSync(join(root, path), 'utf8')));
    t.test('lists the packages of every platform, without which a clean install is refused', async (t) => {
      const wanted = Object.values(packages).flatMap((each) => Object.keys(each.optionalDependencies ?? {}));
      t.ok(wanted.length >= least, `${wanted.length} optional packages`);
      const listed = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));
      t.same(
        wanted.filter((name) => !listed.has(name)),
        [],
      );
    });
    t.test('names no registry', async (t) => {
      const hosts = Object.values(packages).flatMap(({ resolved }) =>
        resolved === undefined ? [] : [new URL(resolved).host],
      );
      t.same(
        hosts.filter((host) => host !== 'registry.npmjs.org'),
        [],
      );
    });
  });
