import { z } from 'zod';
import type { Channels } from '../integrations/channels.ts';
import type { CalendarDeps } from './calendar/access.ts';
import { removeCalendarEvents } from './calendar/removal.ts';
import { resyncCalendar } from './calendar/resync.ts';
import { syncCalendar } from './calendar/sync.ts';
import { sendCode } from './mails/code.ts';
import { tellPlace } from './mails/placeChange.ts';
import { type SendingDeps, sendMail } from './mails/sending.ts';

/** What jobs work with. */
export type JobDeps = SendingDeps & Pick<Channels, 'sms' | 'forget'> & CalendarDeps;

/** How a failing job is repeated: after `delaySeconds`, then twice as long each time, `limit` times in all. */
export type Backoff = { readonly limit: number; readonly delaySeconds: number; readonly maxDelaySeconds: number };

/** How a failing job is repeated: after each of these pauses, counted from the failure. */
export type Pauses = { readonly pausesSeconds: readonly number[] };

export type Retry = Backoff | Pauses;

/** About four hours in all: more and more slowly for the first, then hourly. */
export const RETRY: Backoff = { limit: 14, delaySeconds: 2, maxDelaySeconds: 3_600 };

/** Three attempts within a minute: whoever waits for a code asks for another one after that. */
const CODE_RETRY: Pauses = { pausesSeconds: [10, 30] };

/** Work outside the log. It may be done twice: what it calls outside must know a repeat by a key that follows from `data`. */
export type JobDefinition = {
  readonly run: (data: unknown, deps: JobDeps) => Promise<void>;
  readonly retry?: Retry;
};

/** Every job by its name. */
export const jobs: Readonly<Record<string, JobDefinition>> = {
  'send-mail': { run: sendMail },
  'tell-place': { run: tellPlace },
  'sync-calendar': { run: syncCalendar },
  'resync-calendar': { run: resyncCalendar },
  'remove-calendar-events': { run: removeCalendarEvents },
  'send-code': { run: sendCode, retry: CODE_RETRY },
  'forget-messages': {
    run: (data, { forget }) => forget(z.object({ accountId: z.string() }).parse(data).accountId),
  },
};
