import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t from 'tap';
import { z } from 'zod';
import { generated } from '../../scripts/generate.ts';
import { asyncApi } from '../../scripts/generated/asyncApi.ts';
import { eventCatalogue } from '../../scripts/generated/eventCatalogue.ts';
import { staleFiles, writeFiles } from '../../scripts/generated/files.ts';
import { catalogue, deciders } from '../../src/domain/catalogue.ts';
import { decider, pii, secret } from '../../src/domain/decider.ts';
import { topicKinds } from '../../src/http/live/kinds.ts';

const root = new URL('../../', import.meta.url);

t.test('the generated documents of the repository are fresh', async (t) => {
  t.ok(generated.length >= 2);
  t.strictSame(await staleFiles(root, generated), []);
});

t.test('a stale or missing document', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'convene-generated-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const at = pathToFileURL(`${folder}/`);
  t.strictSame(
    await staleFiles(at, generated),
    generated.map(({ path }) => path),
    'is found missing',
  );
  await writeFiles(at, generated);
  t.strictSame(await staleFiles(at, generated), [], 'is written');
  await writeFile(new URL('docs/events.md', at), `${await readFile(new URL('docs/events.md', at), 'utf8')}planted`);
  t.strictSame(await staleFiles(at, generated), ['docs/events.md'], 'is found stale');
});

t.test('the command says that all is fresh', async (t) => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('scripts/generate.ts', root)), '--check']);
  const [code] = await once(child, 'exit');
  t.equal(code, 0);
});

const events = {
  ThingMade: z.object({
    ownerId: z.uuid().describe('Whose it is'),
    name: pii('ownerId', z.string()),
    code: secret(z.string()).optional(),
    parts: z.array(z.object({ size: z.int().describe('In bytes') })),
  }),
};
const thing = decider<null, { type: 'ThingMade'; data: z.output<typeof events.ThingMade> }>({
  category: 'thing',
  events,
  older: { ThingMade: [{ schema: z.object({}), upcast: () => ({}) }] },
  initial: null,
  evolve: (state) => state,
});

t.test('the catalogue', async (t) => {
  const text = eventCatalogue([thing]);
  t.match(text, /### ThingMade\n\nVersion 2\./, 'counts versions');
  t.match(text, '| `ownerId` | uuid |  | Whose it is |', 'tells meanings');
  t.match(text, '| `name` | string | personal: ownerId |  |', 'marks personal fields');
  t.match(text, '| `code` | string, optional | secret |  |', 'marks secrets');
  t.match(text, '| `parts[].size` | integer |  | In bytes |', 'goes into lists');
  const all = eventCatalogue(deciders);
  for (const type of Object.keys(catalogue)) t.ok(all.includes(`### ${type}\n`), type);
});

t.test('the AsyncAPI document', async (t) => {
  const document = JSON.parse(JSON.stringify(asyncApi(deciders, topicKinds, '1.2.3'))) as {
    asyncapi: string;
    channels: Record<string, { address: string; messages: Record<string, unknown> }>;
    components: { messages: Record<string, { payload: unknown }> };
  };
  t.equal(document.asyncapi, '3.0.0');
  t.equal(document.channels['stream.schedule']?.address, 'schedule-{id}');
  t.ok(document.components.messages['session.vote-cast'], 'describes live messages');
  const resolve = (ref: string): unknown =>
    ref
      .slice(2)
      .split('/')
      .reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], document);
  let refs = 0;
  JSON.stringify(document, (name, value) => {
    if (name === '$ref') {
      refs += 1;
      t.ok(resolve(value), value);
    }
    return value;
  });
  t.ok(refs > 60, `has ${refs} references, all of them resolved`);
  t.match(
    Object.keys(document.components.messages).every((name) => /^[A-Za-z0-9._-]+$/.test(name)),
    true,
  );
});
