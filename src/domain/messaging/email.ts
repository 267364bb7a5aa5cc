import { z } from 'zod';
import { type Context, commandsOf, decider, type EventOf, pii, reject, secret } from '../decider.ts';
import { email as address, instant, uuid } from '../fields.ts';

const Ids = { emailId: z.string(), accountId: z.string().describe('Whose mail it is') };

/** Why a mail never left: the address is blocked, no service takes mail, or there is nothing to say (any more) that is wanted. */
const SUPPRESSIONS = ['bounce_list', 'not_configured', 'outdated'] as const;
/** `hard`: the address takes no mail. `soft`: it did not take this one. `complaint`: its owner calls it unwanted. */
const BOUNCES = ['hard', 'soft', 'complaint'] as const;

/**
 * Stored facts of one mail. Type names and fields are the storage format: add to them, never rename or remove. A mail is
 * written anew from the log whenever it is sent, so that neither its words nor a token or code in it are stored.
 */
export const events = {
  EmailQueued: z.object({
    ...Ids,
    to: pii('accountId', z.string()).describe(
      'The address at that moment; the mail goes to the one that counts when it is sent',
    ),
    template: z.string(),
    variables: z
      .record(z.string(), pii('accountId', z.string()))
      .describe('Ids and instants by which the template finds in the log what it says'),
    dedupeKey: z.string().describe('Mails with the same key are one; the id follows from it'),
    appointmentId: z.string().optional().describe('The appointment that it is about'),
    sendAt: z.string().optional().describe('Not before; at once when absent'),
  }),
  EmailSent: z
    .object({
      ...Ids,
      to: pii('accountId', z.string()),
      attempt: z.int(),
      providerMessageId: z
        .string()
        .optional()
        .describe('What the mail service calls it; absent when it had taken the mail before and did not say so again'),
      at: z.string(),
    })
    .describe('The mail service has taken it'),
  EmailAttemptFailed: z.object({
    ...Ids,
    attempt: z.int(),
    error: z.string().describe('A code, such as `smtp-421`'),
    nextAttemptAt: z.string().optional().describe('Absent when it was the last attempt'),
  }),
  EmailAbandoned: z.object({ ...Ids, attempts: z.int(), lastError: z.string() }),
  EmailSuppressed: z.object({ ...Ids, reason: z.enum(SUPPRESSIONS) }),
  EmailDelivered: z.object({ ...Ids, at: z.string() }).describe('The mail server of the address has taken it'),
  EmailOpened: z.object({ ...Ids, at: z.string() }),
  EmailBounced: z.object({
    ...Ids,
    to: pii('accountId', z.string()),
    addressHash: secret(z.string()).describe('Keyed hash of the address'),
    kind: z.enum(BOUNCES),
    at: z.string(),
  }),
};
export type EmailEvent = EventOf<typeof events>;

/** What the mail service tells of a mail later, each kind once. */
type Notice = 'delivered' | 'opened' | (typeof BOUNCES)[number];

/** A mail as rules see it. */
export type Email = {
  readonly accountId?: string;
  readonly template?: string;
  readonly status: 'none' | 'queued' | 'sent' | 'abandoned' | 'suppressed';
  /** Attempts made. */
  readonly attempts: number;
  readonly notices: readonly Notice[];
};

export const email = decider<Email, EmailEvent>({
  category: 'email',
  events,
  initial: { status: 'none', attempts: 0, notices: [] },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'EmailQueued':
        return { ...state, accountId: data.accountId, template: data.template, status: 'queued' };
      case 'EmailSent':
        return { ...state, status: 'sent', attempts: data.attempt };
      case 'EmailAttemptFailed':
        return { ...state, attempts: data.attempt };
      case 'EmailAbandoned':
        return { ...state, status: 'abandoned' };
      case 'EmailSuppressed':
        return { ...state, status: 'suppressed' };
      case 'EmailDelivered':
        return { ...state, notices: [...state.notices, 'delivered'] };
      case 'EmailOpened':
        return { ...state, notices: [...state.notices, 'opened'] };
      case 'EmailBounced':
        return { ...state, notices: [...state.notices, data.kind] };
    }
  },
});
const command = commandsOf(email);

/** Seconds from a failed attempt to the next: six attempts in a little more than seven hours. */
const PAUSES: readonly number[] = [60, 300, 900, 3_600, 21_600];
/** Whoever waits for a code asks for another one after a minute. */
const CODE_PAUSES: readonly number[] = [10, 30];
const pausesOf = (template: string | undefined): readonly number[] => (template === 'otp-code' ? CODE_PAUSES : PAUSES);

/** Attempts at one mail at most. */
const MOST_ATTEMPTS = PAUSES.length + 1;

const emailId = uuid.describe('Follows from the key of the mail');

/** The address of the account now; undefined when there is no such account (any more). */
export type QueueingFacts = { readonly to: string | undefined };

/** Notes that a mail is to be sent. One that was queued before under the same key is the same mail. */
export const queueEmail = command(
  'QueueEmail',
  z.object({
    emailId,
    accountId: uuid,
    to: address.optional().describe('Where it is not the address of the account'),
    template: z.string().max(60),
    variables: z.record(z.string(), z.string().max(300)),
    dedupeKey: z.string().max(400),
    appointmentId: z.string().optional(),
    sendAt: instant.optional(),
  }),
  ({ to: given, ...input }, { status }, { facts }: Pick<Context<QueueingFacts>, 'facts'>) => {
    if (status !== 'none') return [];
    const to = given ?? facts.to;
    if (to === undefined) return reject('NOT_FOUND', 'account-unknown', 'No such account', 'accountId');
    const { appointmentId, sendAt, ...data } = input;
    const more = {
      ...(appointmentId === undefined ? {} : { appointmentId }),
      ...(sendAt === undefined ? {} : { sendAt }),
    };
    return [{ type: 'EmailQueued', data: { ...data, to, ...more } }];
  },
);

const failure = (
  { emailId, attempt, error, final }: { emailId: string; attempt: number; error: string; final: boolean },
  { accountId = '', template }: Email,
  now: Date,
): readonly EmailEvent[] => {
  const ids = { emailId, accountId };
  const pause = final ? undefined : pausesOf(template)[attempt - 1];
  if (pause !== undefined) {
    const nextAttemptAt = new Date(now.getTime() + pause * 1000).toISOString();
    return [{ type: 'EmailAttemptFailed', data: { ...ids, attempt, error, nextAttemptAt } }];
  }
  return [
    { type: 'EmailAttemptFailed', data: { ...ids, attempt, error } },
    { type: 'EmailAbandoned', data: { ...ids, attempts: attempt, lastError: error } },
  ];
};

/**
 * Notes what came of an attempt. Attempts are noted in order and once each: what is told of another than the next one, or
 * of a mail that is settled, changes nothing.
 */
export const recordEmailAttempt = command(
  'RecordEmailAttempt',
  z.object({
    emailId,
    attempt: z.int().min(1).max(MOST_ATTEMPTS),
    result: z.discriminatedUnion('outcome', [
      z.object({
        outcome: z.literal('accepted'),
        to: z.string().max(254),
        providerMessageId: z.string().max(300).optional(),
      }),
      z.object({
        outcome: z.literal('failed'),
        error: z.string().max(100),
        final: z.boolean().describe('Another attempt would end the same'),
      }),
      z.object({ outcome: z.literal('suppressed'), reason: z.enum(SUPPRESSIONS) }),
    ]),
  }),
  ({ emailId, attempt, result }, state, { now }) => {
    if (state.status !== 'queued' || attempt !== state.attempts + 1) return [];
    const ids = { emailId, accountId: state.accountId ?? '' };
    switch (result.outcome) {
      case 'accepted': {
        const { to, providerMessageId } = result;
        const named = providerMessageId === undefined ? {} : { providerMessageId };
        return [{ type: 'EmailSent', data: { ...ids, to, attempt, ...named, at: now.toISOString() } }];
      }
      case 'failed':
        return failure({ emailId, attempt, ...result }, state, now);
      case 'suppressed':
        return [{ type: 'EmailSuppressed', data: { ...ids, reason: result.reason } }];
    }
  },
);

/** Where the mail went, and the keyed hash of that address. */
export type DeliveryFacts = { readonly to: string; readonly addressHash: string };

/**
 * Notes what the mail service tells of a mail. Notices come late, in any order and more than once: the first of each kind
 * is a fact, even of a mail whose answer was lost.
 */
export const recordEmailDelivery = command(
  'RecordEmailDelivery',
  z.object({ emailId, notice: z.enum(['delivered', 'opened', ...BOUNCES]), at: instant }),
  ({ emailId, notice, at }, { status, accountId = '', notices }, { facts }: Pick<Context<DeliveryFacts>, 'facts'>) => {
    if (status === 'none') return reject('NOT_FOUND', 'email-unknown', 'No such mail');
    if (notices.includes(notice)) return [];
    const ids = { emailId, accountId };
    if (notice === 'delivered') return [{ type: 'EmailDelivered', data: { ...ids, at } }];
    if (notice === 'opened') return [{ type: 'EmailOpened', data: { ...ids, at } }];
    return [{ type: 'EmailBounced', data: { ...ids, ...facts, kind: notice, at } }];
  },
);
