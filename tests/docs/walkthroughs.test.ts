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

const STEP_MS = 30_000;

/**
 * What an authenticator shows for `$SECRET`: a code works once, so each use takes that of the next time step allowed. The
 * first is that of the step before, which counts until its own is over: it is made when by the clock of the service a step
 * has just begun.
 */
const authenticator = (setAhead: (ms: number) => Promise<void>): Given[string] => {
  let used = 0;
  let ahead = 0;
  return async (known) => {
    if (used === 0) {
      ahead = STEP_MS - (Date.now() % STEP_MS);
      await setAhead(ahead);
    }
    const epoch = Math.floor((Date.now() + ahead + (used++ - 1) * STEP_MS) / 1000);
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
      const { api, setAhead } = await testService(t, {}, { people: false });
      const record = (markdown: string): void => writeFileSync(join(root, document), markdown);
      const given: Given = {
        API: api,
        ADMIN_EMAIL: ADMIN.email,
        ADMIN_PASSWORD: ADMIN.password,
        TOMORROW: dayIn(1),
        NEXT_WEEK: dayIn(7),
        TOTP: authenticator(setAhead),
      };
      const steps = await walk(readFileSync(join(root, document), 'utf8'), {
        given,
        record: process.env.RECORD === '1' ? record : undefined,
      });
      t.ok(steps >= 5, `${steps} steps`);
    });
});
