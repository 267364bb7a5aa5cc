import { readdirSync, readFileSync } from 'node:fs';
import type { GeneratedFile } from '../files.ts';
import { type Reason, reasons } from '../reasons.ts';
import { apiDocument, type Document } from './document.ts';
import { apiPage } from './page.ts';

/** Where the sources of the pages lie, each called as its page. */
export const SOURCES = 'scripts/generated/api/pages/';

/** The pages of the API reference: one for each source. What all of them are made of is put together once. */
export const apiPages = (root: URL): readonly GeneratedFile[] => {
  let parts: Promise<readonly [Document, readonly Reason[]]> | undefined;
  const made = () => {
    parts ??= apiDocument().then((document) => [document, reasons(root)]);
    return parts;
  };
  return readdirSync(new URL(SOURCES, root))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => ({
      path: `docs/api/${name}`,
      content: async () => apiPage(name, readFileSync(new URL(`${SOURCES}${name}`, root), 'utf8'), ...(await made())),
    }));
};
