import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  calendarFeed,
  closeCalendarFeed,
  type FeedFacts,
  openCalendarFeed,
} from '../../domain/booking/calendarFeed.ts';
import { dashed } from '../../uuid.ts';
import { bind, type Outcome, type Run } from '../binding.ts';
import { isOpen } from '../identity/standing.ts';
import { isSecret } from '../keyedHash.ts';
import { type KeyedHash, newest, type Reads } from '../reads.ts';

/** 192 random bits behind the 128 of the account, which tell whose feed it is without a table of secrets. */
const RANDOM_BYTES = 24;
const ACCOUNT_BYTES = 16;

/** What the secret of a feed looks like; anything else is none. */
export const FEED_SECRET = /^[A-Za-z0-9_-]{54}$/;

const hashOf = (hash: KeyedHash, value: string): string => hash('calendar-feed', value);

const newSecret = (accountId: string): string =>
  Buffer.concat([Buffer.from(accountId.replaceAll('-', ''), 'hex'), randomBytes(RANDOM_BYTES)]).toString('base64url');

const accountIn = (value: string): string | undefined => {
  const bytes = Buffer.from(value, 'base64url');
  // Two spellings of the same bytes are not the same secret.
  if (bytes.toString('base64url') !== value) return undefined;
  return dashed(bytes.toString('hex', 0, ACCOUNT_BYTES));
};

/** Whose feed a secret opens, as the log says now; undefined when it opens none, or the account is closed. */
export const feedOwner = async (reads: Pick<Reads, 'history' | 'hash'>, value: string): Promise<string | undefined> => {
  const accountId = FEED_SECRET.test(value) ? accountIn(value) : undefined;
  if (accountId === undefined) return undefined;
  const { open } = await newest(reads, calendarFeed, accountId);
  if (open === undefined || !isSecret(hashOf(reads.hash, value), open.secretHash)) return undefined;
  return (await isOpen(reads, accountId)) ? accountId : undefined;
};

const opening = async ({
  input,
  actor,
  reads,
  judge,
}: Run<z.output<typeof openCalendarFeed.input>, FeedFacts>): Promise<Outcome> => {
  const value = newSecret(actor.id);
  const outcome = await judge(input, { secretHash: hashOf(reads.hash, value) });
  return outcome.ok && !outcome.replayed ? { ...outcome, data: { ...(outcome.data as object), url: value } } : outcome;
};

/** The feed of the own appointments. */
export const feedBindings = [
  bind(openCalendarFeed, {
    path: 'POST /calendar/feed',
    access: 'loggedIn',
    status: 201,
    summary: 'Make an address to subscribe to your appointments at; the one before leads nowhere any more',
    example: {},
    stream: (_input, { actor }) => actor.id,
    version: () => undefined,
    process: opening,
    answer: {
      schema: z.object({
        url: z.url().optional().describe('Shown this once: whoever knows it sees your appointments'),
        since: z.string(),
      }),
      of: ({ events: [event] }) => {
        if (event?.type !== 'CalendarFeedOpened') throw new TypeError('No feed was opened');
        return { since: event.data.at };
      },
    },
  }),
  bind(closeCalendarFeed, {
    path: 'DELETE /calendar/feed',
    access: 'loggedIn',
    summary: 'Take the address of your appointments back',
    example: {},
    stream: (_input, { actor }) => actor.id,
    version: () => undefined,
  }),
];
