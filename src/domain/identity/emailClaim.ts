import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';
import { email, uuid } from '../fields.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  EmailClaimed: z.object({ accountId: z.string(), claimedAt: z.string() }),
  EmailVerificationAsked: z
    .object({ accountId: z.string().optional(), askedAt: z.string() })
    .describe('Somebody asked for another verification mail to this address, known or not'),
};
export type EmailClaimEvent = EventOf<typeof events>;

export type EmailClaim = {
  /** The account that the address belongs to; it may not have come about yet. */
  readonly owner?: string;
  readonly claimedAt?: string;
  /** When a verification mail was last asked for. */
  readonly askedAt?: string;
};

/** The reservation of one e-mail address. The stream's id is a keyed hash of the address, so the log does not name it. */
export const emailClaim = decider<EmailClaim, EmailClaimEvent>({
  category: 'emailClaim',
  events,
  initial: {},
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'EmailClaimed':
        return { ...state, owner: data.accountId, claimedAt: data.claimedAt };
      case 'EmailVerificationAsked':
        return { ...state, askedAt: data.askedAt };
    }
  },
});
const command = commandsOf(emailClaim);

/**
 * Reserves the address for an account. Its holder may do so again; another may only in the place of an owner whose
 * registration has been abandoned before (`insteadOf`).
 */
export const claimEmail = command(
  'ClaimEmail',
  z.object({ accountId: uuid, insteadOf: uuid.optional() }),
  ({ accountId, insteadOf }, { owner }, { now }) => {
    if (owner === accountId) return [];
    if (owner !== undefined && owner !== insteadOf)
      return reject('CONFLICT', 'email-taken', 'There is an account with this e-mail address', 'email');
    return [{ type: 'EmailClaimed', data: { accountId, claimedAt: now.toISOString() } }];
  },
);

/** Milliseconds between two verification mails to one address that were asked for. */
export const VERIFICATION_SPACING = 5 * 60_000;

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
