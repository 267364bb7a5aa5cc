/**
 * Writes the generated documents. With --check it writes nothing and fails when one of them is stale.
 */
import { readFileSync } from 'node:fs';
import { deciders } from '../src/domain/catalogue.ts';
import { topicKinds } from '../src/http/live/kinds.ts';
import { apiPages } from './generated/api/pages.ts';
import { asyncApi } from './generated/asyncApi.ts';
import { eventCatalogue } from './generated/eventCatalogue.ts';
import { type GeneratedFile, generate } from './generated/files.ts';
import { reasons } from './generated/reasons.ts';

const root = new URL('../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };

/** Every generated document of the repository. */
export const generated: readonly GeneratedFile[] = [
  { path: 'docs/events.md', content: () => eventCatalogue(deciders) },
  {
    path: 'docs/asyncapi.json',
    content: () => `${JSON.stringify(asyncApi(deciders, topicKinds, version), null, 2)}\n`,
  },
  {
    path: 'src/http/openapi/reasons.json',
    content: () => `${JSON.stringify(reasons(root), null, 2)}\n`,
  },
  ...apiPages(root),
];

if (import.meta.main) {
  const { failed, said } = await generate(root, generated, process.argv.includes('--check'));
  if (failed) {
    console.error(said);
    process.exitCode = 1;
  } else console.log(said);
}
