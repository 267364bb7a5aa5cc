/**
 * Carries out every document with commands in it, from top to bottom, each against a service of its own. With RECORD=1 the
 * answers to commands that have none written behind them are put into the document, for its author to look over.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'otplib';
import t from 'tap';
import { type Given, walk } from '../../scripts/walkthrough/walk.ts';
import { ADMIN, testService } from '../support/service.ts';

const root = join(import.meta.dirname, '../..');
const FOLDERS = ['scripts/generated/api/pages', 'docs/tours'] as const;

const documents = FOLDERS.flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`),
);

/** What an authenticator shows for `$SECRET`: a code works once, so each use takes that of the next time step allowed. */
const authenticator = (): Given[string] => {
  let used = 0;
  return (known) => {
    const epoch = Math.floor(Date.now() / 1000) + (used++ - 1) * 30;
    return generate({ secret: known.get('SECRET') ?? '', epoch });
  };
};

/** A date so many days from now, `YYYY-MM-DD` in UTC. */
const dayIn = (days: number): string => Temporal.Now.plainDateISO('UTC').add({ days }).toString();

t.test('the documents with commands in them', async (t) => {
  for (const folder of FOLDERS)
    t.ok(
      documents.some((document) => document.startsWith(folder)),
      `are there: ${folder}`,
    );
  for (const document of documents)
    t.test(document, async (t) => {
      const { api } = await testService(t, {}, { people: false });
      const record = (markdown: string): void => writeFileSync(join(root, document), markdown);
      const given: Given = {
        API: api,
        ADMIN_EMAIL: ADMIN.email,
        ADMIN_PASSWORD: ADMIN.password,
        TOMORROW: dayIn(1),
        NEXT_WEEK: dayIn(7),
        TOTP: authenticator(),
      };
      const steps = await walk(readFileSync(join(root, document), 'utf8'), {
        given,
        record: process.env.RECORD === '1' ? record : undefined,
      });
      t.ok(steps >= 5, `${steps} steps`);
    });
});
