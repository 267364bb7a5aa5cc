/**
 * Writes the generated documents. With --check it writes nothing and fails when one of them is stale.
 */
import { readFileSync } from 'node:fs';
import { deciders } from '../src/domain/catalogue.ts';
import { topicKinds } from '../src/http/live/kinds.ts';
import { apiPages } from './generated/api/pages.ts';
import { asyncApi } from './generated/asyncApi.ts';
import { eventCatalogue } from './generated/eventCatalogue.ts';
import { type GeneratedFile, staleFiles, writeFiles } from './generated/files.ts';
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
  const check = process.argv.includes('--check');
  const stale = await (check ? staleFiles : writeFiles)(root, generated);
  if (check && stale.length > 0) {
    console.error(`Stale: ${stale.join(', ')}. Run npm run generate and commit the result.`);
    process.exitCode = 1;
  } else console.log(stale.length === 0 ? 'Generated files are fresh.' : `Wrote ${stale.join(', ')}.`);
}
