import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { z } from 'zod';
import { asyncApi } from '../../scripts/generated/asyncApi.ts';
import { eventCatalogue } from '../../scripts/generated/eventCatalogue.ts';
import { generate } from '../../scripts/generated/files.ts';
import { catalogue, deciders } from '../../src/domain/catalogue.ts';
import { decider, pii, secret } from '../../src/domain/decider.ts';
import { topicKinds } from '../../src/http/live/kinds.ts';

/** Whether the repository's own documents are fresh is a check of `npm test`: it runs the command. */
t.test('the command', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'convene-generated-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const at = pathToFileURL(`${folder}/`);
  const files = [
    { path: 'one.md', content: () => 'one\n' },
    { path: 'docs/deep/two.md', content: async () => 'two\n' },
  ];
  const all = 'one.md, docs/deep/two.md';
  const stale = (paths: string) => ({
    failed: true,
    said: `Stale: ${paths}. Run npm run generate and commit the result.`,
  });
  const fresh = { failed: false, said: 'Generated files are fresh.' };
  t.strictSame(await generate(at, files, true), stale(all), 'finds what is missing');
  t.strictSame(await readdir(folder), [], 'and writes nothing as long as it only looks');
  t.strictSame(await generate(at, files, false), { failed: false, said: `Wrote ${all}.` }, 'writes it');
  t.equal(await readFile(new URL('docs/deep/two.md', at), 'utf8'), 'two\n');
  t.strictSame(await generate(at, files, true), fresh, 'which is fresh then');
  await appendFile(new URL('one.md', at), 'planted');
  t.strictSame(await generate(at, files, true), stale('one.md'), 'finds what is stale');
  t.strictSame(await generate(at, files, false), { failed: false, said: 'Wrote one.md.' }, 'and writes that alone');
  t.strictSame(await generate(at, files, false), fresh);
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
