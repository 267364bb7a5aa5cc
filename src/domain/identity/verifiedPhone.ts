import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';
import { instant, line, uuid } from '../fields.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  PhoneNumberClaimed: z.object({ accountId: z.string(), claimedAt: z.string() }),
  PhoneNumberReleased: z.object({ accountId: z.string() }),
};
export type VerifiedPhoneEvent = EventOf<typeof events>;

/** The account whose verified number it is; the account may not have noted it yet. */
export type VerifiedPhone = { readonly owner?: string; readonly claimedAt?: string };

/** The reservation of one telephone number, named by a keyed hash: it is verified for one account at most. */
export const verifiedPhone = decider<VerifiedPhone, VerifiedPhoneEvent>({
  category: 'verifiedPhone',
  events,
  initial: {},
  evolve: (_state, { type, data }) =>
    type === 'PhoneNumberClaimed' ? { owner: data.accountId, claimedAt: data.claimedAt } : {},
});
const command = commandsOf(verifiedPhone);

/**
 * Reserves the number. Its holder may do so again, and the reservation counts from then on; another account may only in
 * the place of an owner who has not verified it, by the very reservation that was looked at (`insteadOf`).
 */
export const claimPhoneNumber = command(
  'ClaimPhoneNumber',
  z.object({ accountId: uuid, insteadOf: z.object({ accountId: uuid, claimedAt: instant }).optional() }),
  ({ accountId, insteadOf }, { owner, claimedAt }, { now }) => {
    const lapsed = insteadOf?.accountId === owner && insteadOf?.claimedAt === claimedAt;
    if (owner !== undefined && owner !== accountId && !lapsed)
      return reject('CONFLICT', 'number-taken', 'This number is verified for another account');
    return [{ type: 'PhoneNumberClaimed', data: { accountId, claimedAt: now.toISOString() } }];
  },
);

/** What ReleasePhoneNumber must know: the reservation that the account no longer needs, by its instant. */
export type PhoneReleaseFacts = { readonly lapsed: string | undefined };

/** Gives the number back, unless the account has reserved it anew since it gave it up. */
export const releasePhoneNumber = command(
  'ReleasePhoneNumber',
  z.object({ accountId: uuid, numberHash: line(1, 64) }),
  ({ accountId }, { owner, claimedAt }, { facts }: { facts: PhoneReleaseFacts }) =>
    owner === accountId && claimedAt !== undefined && claimedAt === facts.lapsed
      ? [{ type: 'PhoneNumberReleased', data: { accountId } }]
      : [],
);
