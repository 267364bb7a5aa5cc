import { globSync } from 'node:fs';
import { join } from 'node:path';

const tests = join(import.meta.dirname, '..');

/**
 * The test files, in parts. A part runs in one process, one file after the other: a process for each file would spend more
 * on its start than most files on their tests. Patterns below tests/; tests/imports.test.ts holds that no file is left out.
 */
export const parts: Readonly<Record<string, readonly string[]>> = {
  access: ['http/access/*.test.ts', 'http/{access,rights,apiKeys,analytics,audit,auth}.test.ts'],
  authorisation: ['http/authorisation.test.ts'],
  booking: ['http/booking*.test.ts', 'http/{calendarFeed,exceptions,slots}.test.ts', 'http/booking/lists.test.ts'],
  calendar: ['http/booking/{calendar,desk,holds,waitingLists}.test.ts', 'http/messaging/*.test.ts'],
  commands: ['commands/**/*.test.ts', 'policies/**/*.test.ts'],
  domain: ['domain/**/*.test.ts'],
  estimation: ['http/estimation.test.ts', 'http/estimation/*.test.ts'],
  eventstore: ['eventstore/*.test.ts'],
  fuzz: ['http/fuzz.test.ts'],
  http: ['http/{commands,dateRange,errors,headers,health,openapi,rateLimits,reads,reasons,refusal*}.test.ts'],
  identity: ['http/identity.test.ts', 'http/identity/*.test.ts'],
  live: ['http/live/*.test.ts', 'docs/*.test.ts'],
  mails: ['http/{mails*,resend}.test.ts', 'integrations/*.test.ts'],
  projections: ['projections/**/*.test.ts', 'audit/*.test.ts', 'cli/*.test.ts', 'events/*.test.ts'],
  setup: ['setup/*.test.ts', 'generated/*.test.ts', 'support/*.test.ts', '*.test.ts'],
  torture: ['torture/*.test.ts'],
};

/** Paths of the test files of a part, in order. */
export const filesOf = (part: string): readonly string[] =>
  (parts[part] ?? []).flatMap((pattern) => globSync(pattern, { cwd: tests })).sort();

/** Runs the test files of a part in this process. */
export const runPart = async (part: string): Promise<void> => {
  for (const file of filesOf(part)) await import(join(tests, file));
};
