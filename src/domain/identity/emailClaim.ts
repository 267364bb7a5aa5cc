import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';
import { HOUR_MS, MINUTE_MS } from '../durations.ts';
import { email, instant, line, uuid } from '../fields.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  EmailClaimed: z.object({ accountId: z.string(), claimedAt: z.string() }),
  EmailVerificationAsked: z
    .object({ accountId: z.string().optional(), askedAt: z.string() })
    .describe('Somebody asked for another verification mail to this address, known or not'),
  PasswordResetAsked: z
    .object({ accountId: z.string().optional(), askedAt: z.string() })
    .describe('Somebody asked to choose another password for this address, known or not'),
  EmailReleased: z.object({ accountId: z.string() }).describe('The account has another address, or is no more'),
};
export type EmailClaimEvent = EventOf<typeof events>;

export type EmailClaim = {
  /** The account that the address belongs to; it may not have come about yet. */
  readonly owner?: string;
  readonly claimedAt?: string;
  /** When a verification mail was last asked for. */
  readonly askedAt?: string;
  /** When another password was asked for, oldest first: as many as count. */
  readonly resetsAsked: readonly string[];
};

/** Requests for another password that one address may make in an hour. */
const RESETS_PER_HOUR = 3;

/** The reservation of one e-mail address. The stream's id is a keyed hash of the address, so the log does not name it. */
export const emailClaim = decider<EmailClaim, EmailClaimEvent>({
  category: 'emailClaim',
  events,
  initial: { resetsAsked: [] },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'EmailClaimed':
        return { ...state, owner: data.accountId, claimedAt: data.claimedAt };
      case 'EmailVerificationAsked':
        return { ...state, askedAt: data.askedAt };
      case 'PasswordResetAsked':
        return { ...state, resetsAsked: [...state.resetsAsked, data.askedAt].slice(-RESETS_PER_HOUR) };
      case 'EmailReleased': {
        const { owner: _owner, claimedAt: _claimedAt, ...rest } = state;
        return rest;
      }
    }
  },
});
const command = commandsOf(emailClaim);

/**
 * Reserves the address for an account. Its holder may do so again, and with `anew` the reservation counts from then on;
 * another may only in the place of an owner who holds the address no longer or never will (`insteadOf`), and of no later
 * reservation than the one that was looked at (`since`).
 */
export const claimEmail = command(
  'ClaimEmail',
  z.object({
    accountId: uuid,
    anew: z.boolean().default(false),
    insteadOf: uuid.optional(),
    since: instant.optional(),
  }),
  ({ accountId, anew, insteadOf, since }, { owner, claimedAt }, { now }) => {
    if (owner === accountId && !anew) return [];
    const lapsed = owner === insteadOf && (since === undefined || since === claimedAt);
    if (owner !== undefined && owner !== accountId && !lapsed)
      return reject('CONFLICT', 'email-taken', 'There is an account with this e-mail address', 'email');
    return [{ type: 'EmailClaimed', data: { accountId, claimedAt: now.toISOString() } }];
  },
);

/** What ReleaseEmail must know: the reservation that the account no longer needs, by its instant. */
export type EmailReleaseFacts = { readonly lapsed: string | undefined };

/** Gives the address back, unless the account has reserved it anew since it gave it up. */
export const releaseEmail = command(
  'ReleaseEmail',
  z.object({ accountId: uuid, emailHash: line(1, 64) }),
  ({ accountId }, { owner, claimedAt }, { facts }: { facts: EmailReleaseFacts }) =>
    owner === accountId && claimedAt !== undefined && claimedAt === facts.lapsed
      ? [{ type: 'EmailReleased', data: { accountId } }]
      : [],
);

/** Milliseconds between two verification mails to one address that were asked for. */
export const VERIFICATION_SPACING = 5 * MINUTE_MS;

/** Asks for another verification mail. The answer does not tell whether the address has an account. */
export const requestEmailVerification = command(
  'RequestEmailVerification',
  z.object({ email }),
  (_input, { owner, askedAt }, { now }) => {
    const wait = askedAt === undefined ? 0 : Date.parse(askedAt) + VERIFICATION_SPACING - now.getTime();
    if (wait > 0)
      return {
        ...reject('RATE_LIMIT_EXCEEDED', 'asked-recently', 'Another mail can be asked for 5 minutes after the last'),
        retryAfter: Math.ceil(wait / 1000),
      };
    const data = { askedAt: now.toISOString() };
    return [{ type: 'EmailVerificationAsked', data: owner === undefined ? data : { accountId: owner, ...data } }];
  },
);

/** Asks to choose another password, three times an hour at most. The answer does not tell whether the address has an account. */
export const requestPasswordReset = command(
  'RequestPasswordReset',
  z.object({ email }),
  (_input, { owner, resetsAsked }, { now }) => {
    const recent = resetsAsked.filter((at) => Date.parse(at) > now.getTime() - HOUR_MS);
    if (recent.length >= RESETS_PER_HOUR) {
      const wait = Date.parse(recent[0] ?? '') + HOUR_MS - now.getTime();
      return {
        ...reject('RATE_LIMIT_EXCEEDED', 'asked-often', 'Another password can be asked for three times an hour'),
        retryAfter: Math.ceil(wait / 1000),
      };
    }
    const data = { askedAt: now.toISOString() };
    return [{ type: 'PasswordResetAsked', data: owner === undefined ? data : { accountId: owner, ...data } }];
  },
);
