import type { Reads } from '../commands/binding.ts';
import type { Mailer } from '../integrations/email.ts';
import { sendMail } from './mails.ts';

/** What jobs work with. */
export type JobDeps = { readonly reads: Reads; readonly mailer: Mailer; readonly publicUrl: string };

/** How a failing job is repeated: after `delaySeconds`, then twice as long each time, `limit` times in all. */
export type Retry = { readonly limit: number; readonly delaySeconds: number; readonly maxDelaySeconds: number };

/** About four hours in all: more and more slowly for the first, then hourly. */
export const RETRY: Retry = { limit: 14, delaySeconds: 2, maxDelaySeconds: 3_600 };

/** Work outside the log. It may be done twice: what it calls outside must know a repeat by a key that follows from `data`. */
export type JobDefinition = {
  readonly run: (data: unknown, deps: JobDeps) => Promise<void>;
  readonly retry?: Retry;
};

/** Every job by its name. */
export const jobs: Readonly<Record<string, JobDefinition>> = {
  'send-mail': { run: sendMail },
};
