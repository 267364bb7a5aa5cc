import { posix } from 'node:path';

/** What a module asks for: another module of the checkout, or a package. */
export type Import = {
  readonly from: string;
  readonly to: string;
  readonly local: boolean;
  /** Gone when the module runs. */
  readonly typeOnly: boolean;
};

/** Paths from the root of the checkout and what stands in the files. */
export type Sources = ReadonlyMap<string, string>;

const STATEMENT =
  /(?:^|[\n;])\s*(?:import|export)\s(?:[^'";]*?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]/g;

const TYPE_ONLY = /^[\n;]?\s*(?:import|export)\s+(?:type\s|\{\s*type\s[^,}]*(?:,\s*type\s[^,}]*)*,?\s*\})/;

/** Every import, re-export and dynamic import by a literal name, types included. */
export function importsOf(sources: Sources): Import[] {
  return [...sources].flatMap(([from, text]) =>
    [...withoutComments(text).matchAll(STATEMENT)].map((match) => {
      const to = match[1] ?? match[2] ?? '';
      const local = to.startsWith('.');
      return { from, to: local ? posix.join(posix.dirname(from), to) : to, local, typeOnly: TYPE_ONLY.test(match[0]) };
    }),
  );
}

/** Leaves line breaks where they were; knows strings, so that an address in one is no comment. */
const withoutComments = (text: string): string =>
  text.replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (match) =>
    match.startsWith('/') ? match.replace(/[^\n]/g, '') : match,
  );

/** A folder of `src`, or a file that lies directly in it. */
const partOf = (path: string): string => path.split('/')[1] ?? '';

const PARTS_BELOW_HTTP = [
  'audit',
  'cacheOf.ts',
  'commands',
  'config.ts',
  'domain',
  'eventstore',
  'files',
  'gathered.ts',
  'integrations',
  'log.ts',
  'masterKeys.ts',
  'metrics.ts',
  'migrations',
  'policies',
  'postgres',
  'projections',
  'secrets.ts',
  'startupProblem.ts',
  'uuid.ts',
];

/** What each part may import besides itself. A part that is not listed may import nothing. */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  'uuid.ts': [],
  'masterKeys.ts': [],
  'startupProblem.ts': [],
  integrations: ['domain'],
  eventstore: ['cacheOf.ts', 'domain', 'gathered.ts', 'masterKeys.ts', 'uuid.ts'],
  'gathered.ts': [],
  'cacheOf.ts': [],
  commands: ['domain', 'eventstore', 'uuid.ts'],
  audit: ['domain', 'eventstore', 'commands'],
  projections: ['domain', 'eventstore', 'audit', 'postgres'],
  files: ['domain', 'eventstore', 'projections'],
  policies: ['cacheOf.ts', 'domain', 'eventstore', 'commands', 'integrations', 'uuid.ts'],
  'metrics.ts': ['eventstore'],
  'log.ts': ['config.ts', 'environment.ts'],
  'environment.ts': ['domain', 'startupProblem.ts'],
  'config.ts': ['environment.ts'],
  'secrets.ts': ['config.ts', 'startupProblem.ts'],
  'dataFolder.ts': ['startupProblem.ts'],
  postgres: ['startupProblem.ts'],
  'embeddedPostgres.ts': ['dataFolder.ts', 'postgres', 'startupProblem.ts'],
  migrations: ['startupProblem.ts'],
  http: PARTS_BELOW_HTTP,
  cli: [...PARTS_BELOW_HTTP, 'embeddedPostgres.ts'],
  'bootstrap.ts': ['commands', 'config.ts', 'domain', 'secrets.ts', 'uuid.ts'],
  'service.ts': [...PARTS_BELOW_HTTP, 'bootstrap.ts', 'http', 'dataFolder.ts', 'embeddedPostgres.ts'],
  'main.ts': ['config.ts', 'dataFolder.ts', 'embeddedPostgres.ts', 'secrets.ts', 'service.ts', 'startupProblem.ts'],
};

/** Packages that only the named parts may use. */
const OWNERS: ReadonlyMap<RegExp, readonly string[]> = new Map([
  [/^(?:fastify|@fastify\/.*|fastify-.*)$/, ['http']],
  [/^@eventstore\//, ['eventstore']],
  [/^pg-boss$/, ['policies', 'service.ts']],
]);

/** What the arrows forbid, one line each. */
export function forbiddenImports(sources: Sources): string[] {
  return importsOf(sources).flatMap(({ from, to, local }) => {
    const part = partOf(from);
    const told = `${from} imports ${to}`;
    if (local) return part === partOf(to) || arrows[part]?.includes(partOf(to)) ? [] : [told];
    if (part === 'domain' && to !== 'zod') return [told];
    const owner = [...OWNERS].find(([name]) => name.test(to))?.[1];
    return owner === undefined || owner.includes(part) ? [] : [told];
  });
}

/** Circles of imports that are there when the modules run, each told by its members in order. Types may refer to each other. */
export function circles(sources: Sources): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, local, typeOnly } of importsOf(sources)) {
    if (local && !typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const found = new Set<string>();
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]) => {
    const at = path.indexOf(file);
    if (at >= 0) {
      const circle = path.slice(at);
      const first = circle.indexOf([...circle].sort()[0] ?? '');
      found.add([...circle.slice(first), ...circle.slice(0, first)].join(' → '));
      return;
    }
    if (done.has(file)) return;
    for (const each of next.get(file) ?? []) walk(each, [...path, file]);
    done.add(file);
  };
  for (const file of sources.keys()) walk(file, []);
  return [...found];
}

const IMPURE =
  /\b(?:Date\.now|new Date\(\)|Temporal\.Now|Math\.random|performance\.now|process\.|fetch\(|setTimeout|setInterval|crypto\.|console\.)/;

/** Reaches for a clock, chance or the world inside the domain, which gets all of them handed in. */
export const impurities = (sources: Sources): string[] =>
  linesOf(sources).flatMap(({ path, number, line }) =>
    partOf(path) === 'domain' && IMPURE.test(line) ? [`${path}:${number} ${line.trim()}`] : [],
  );

/** Where the environment may be read: the edges. PostgreSQL's own start passes PATH on. */
const READS_ENVIRONMENT = ['src/main.ts', 'src/cli/index.ts', 'src/postgres/cluster.ts'];

/** Reads of the environment elsewhere than at the edges. */
export const environmentReads = (sources: Sources): string[] =>
  linesOf(sources).flatMap(({ path, number, line }) =>
    /\bprocess\.env\b/.test(line) && !READS_ENVIRONMENT.includes(path) ? [`${path}:${number}`] : [],
  );

const linesOf = (sources: Sources) =>
  [...sources].flatMap(([path, text]) =>
    withoutComments(text)
      .split('\n')
      .map((line, index) => ({ path, number: index + 1, line })),
  );
