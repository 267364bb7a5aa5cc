import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseConfig } from '../../src/config.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const yaml = (path: string): unknown => parse(read(path), { merge: true, strict: true });

const Compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      stop_grace_period: z.string().optional(),
      environment: z.record(z.string(), z.string()).optional(),
      volumes: z.array(z.string()).optional(),
      depends_on: z.record(z.string(), z.unknown()).optional(),
      deploy: z.object({ replicas: z.int() }).optional(),
    }),
  ),
  volumes: z.record(z.string(), z.unknown()),
});
const { services, volumes } = Compose.parse(yaml('compose.yaml'));

/** As compose reads it: one assignment a line. */
const example = Object.fromEntries(
  read('deploy/example.env')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
);
/** `${NAME}`, `${NAME-default}`, `${NAME:-default}` and `${NAME:?message}`, as compose fills them in. */
const filled = (text: string) =>
  text.replace(/\$\{(\w+)(?::?([-?])([^}]*))?\}/g, (_, name: string, kind?: string, other?: string) => {
    const value = example[name] ?? (kind === '-' ? other : undefined);
    if (value === undefined) throw new Error(`${name} is not in deploy/example.env`);
    return value;
  });

t.test('the production shape', async (t) => {
  t.test('has every part', async (t) => {
    const wanted = ['api', 'projector', 'nginx', 'postgres', 'eventstore', 'prometheus', 'grafana', 'jaeger', 'mail'];
    t.same(
      wanted.filter((name) => !(name in services)),
      [],
    );
    t.equal(services.api?.deploy?.replicas, 2);
    t.equal(services.eventstore?.environment?.EVENTSTORE_TELEMETRY_OPTOUT, 'true');
  });
  t.test('gives every service time to stop', async (t) => {
    for (const [name, service] of Object.entries(services)) {
      if (name !== 'certificates') t.equal(service.stop_grace_period, '30s', name);
    }
  });
  t.test('pins every image', async (t) => {
    for (const [name, { image }] of Object.entries(services)) {
      if (image !== 'convene') t.match(image, /:v?\d/, name);
    }
  });
  t.test('configures the service so that it starts', async (t) => {
    for (const name of ['api', 'projector']) {
      const environment = services[name]?.environment ?? {};
      const set = Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, filled(value)]));
      const config = parseConfig(set);
      t.equal(config.production, true, name);
      t.ok(config.databaseUrl);
      t.ok(config.eventStoreUrl);
    }
    const roles = ['api', 'projector'].flatMap((name) => services[name]?.environment?.CONVENE_ROLES?.split(',') ?? []);
    t.same(roles.sort(), ['api', 'policies', 'projector'], 'every role runs somewhere');
  });
  t.test('hands every variable on that an operator may set', async (t) => {
    const documented = [...read('docs/operations.md').matchAll(/^\| `([A-Z][A-Z_]+)` .*$/gm)];
    t.ok(documented.length > 40, `${documented.length} variables`);
    const here = ['HOST', 'PORT', 'CONVENE_DATA_DIR'];
    const standIns = ['GOOGLE_ISSUER', 'GOOGLE_API_URL', 'MICROSOFT_ISSUER', 'RESEND_API_URL'];
    const wanted = documented.flatMap(([row, name = '']) =>
      row.includes('(not yet)') || [...here, ...standIns].includes(name) ? [] : [name],
    );
    for (const service of ['api', 'projector'])
      t.same(
        wanted.filter((name) => !(name in (services[service]?.environment ?? {}))),
        [],
        service,
      );
  });
  t.test('mounts files that are there and volumes that are declared', async (t) => {
    const sources = Object.values(services).flatMap((service) =>
      (service.volumes ?? []).map((each) => each.split(':')[0] ?? ''),
    );
    t.ok(sources.length > 8);
    for (const source of sources) {
      if (source.startsWith('./')) t.doesNotThrow(() => statSync(join(root, source)), source);
      else t.ok(source in volumes, source);
    }
  });
  t.test('waits only for services that there are', async (t) => {
    for (const { depends_on: needed } of Object.values(services)) {
      for (const name of Object.keys(needed ?? {})) t.ok(name in services, name);
    }
  });
});

t.test('the other files of a deployment', async (t) => {
  t.test('are well-formed', async (t) => {
    const paths = readdirSync(join(root, 'deploy'), { recursive: true, encoding: 'utf8' }).filter((path) =>
      /\.(yml|json)$/.test(path),
    );
    t.ok(paths.length >= 4);
    for (const path of paths) {
      t.doesNotThrow(
        () => (path.endsWith('.json') ? JSON.parse(read(join('deploy', path))) : yaml(join('deploy', path))),
        path,
      );
    }
    t.doesNotThrow(() => yaml('.github/workflows/test.yml'));
  });
  t.test('ask only for metrics that the service has', async (t) => {
    const known = [...read('src/metrics.ts').matchAll(/'(convene_\w+)'/g)].map((match) => match[1] ?? '');
    const asked = [...read('deploy/grafana/dashboards/overview.json').matchAll(/convene_[a-z_]+/g)].map(
      (match) => match[0],
    );
    t.ok(asked.length >= 8);
    for (const name of asked) t.ok(known.includes(name.replace(/_(bucket|count|sum)$/, '')), name);
  });
  t.test('balance the braces of the proxy', async (t) => {
    const text = read('deploy/nginx.conf').replace(/#.*/g, '');
    t.equal(text.split('{').length, text.split('}').length);
    for (const line of text.split('\n').map((each) => each.trim())) t.match(line, /^$|[;{}]$/);
  });
  t.test('run the image as an ordinary user with a check of its health', async (t) => {
    const dockerfile = read('Dockerfile');
    t.match(dockerfile, /^USER node$/m);
    t.match(dockerfile, /^HEALTHCHECK /m);
    for (const [, source] of dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)) {
      for (const path of (source ?? '').split(' ')) t.doesNotThrow(() => statSync(join(root, path)), path);
    }
  });
});
