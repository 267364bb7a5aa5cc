import { z } from 'zod';
import { commandsOf, decider, type EventOf, reject } from '../decider.ts';
import { instant, line, uuid } from '../fields.ts';

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  OAuthIdentityClaimed: z.object({ accountId: z.string(), claimedAt: z.string() }),
  OAuthIdentityReleased: z.object({ accountId: z.string() }).describe('The account no longer has the identity'),
};
export type OAuthIdentityEvent = EventOf<typeof events>;

export type OAuthIdentity = {
  /** The account that the person of the provider is; it may not have taken the identity yet. */
  readonly owner?: string;
  readonly claimedAt?: string;
};

/**
 * The reservation of one person of one provider, so that one person never comes to have two accounts. The stream's id is
 * a keyed hash of provider and subject.
 */
export const oauthIdentity = decider<OAuthIdentity, OAuthIdentityEvent>({
  category: 'oauthIdentity',
  events,
  initial: {},
  evolve: (_state, { type, data }) =>
    type === 'OAuthIdentityClaimed' ? { owner: data.accountId, claimedAt: data.claimedAt } : {},
});
const command = commandsOf(oauthIdentity);

/**
 * Reserves the identity. Its holder may do so again, and the reservation counts from then on; another account may only in
 * the place of an owner who does not have it, by the very reservation that was looked at (`insteadOf`).
 */
export const claimOAuthIdentity = command(
  'ClaimOAuthIdentity',
  z.object({ accountId: uuid, insteadOf: z.object({ accountId: uuid, claimedAt: instant }).optional() }),
  ({ accountId, insteadOf }, { owner, claimedAt }, { now }) => {
    const lapsed = insteadOf?.accountId === owner && insteadOf?.claimedAt === claimedAt;
    if (owner !== undefined && owner !== accountId && !lapsed)
      return reject('CONFLICT', 'identity-taken', 'This sign-in belongs to another account');
    return [{ type: 'OAuthIdentityClaimed', data: { accountId, claimedAt: now.toISOString() } }];
  },
);

/** What ReleaseOAuthIdentity must know: the reservation that the account no longer needs, by its instant. */
export type IdentityReleaseFacts = { readonly lapsed: string | undefined };

/** Gives the identity back, unless the account has reserved it anew since it gave it up. */
export const releaseOAuthIdentity = command(
  'ReleaseOAuthIdentity',
  z.object({ accountId: uuid, subjectHash: line(1, 64) }),
  ({ accountId }, { owner, claimedAt }, { facts }: { facts: IdentityReleaseFacts }) =>
    owner === accountId && claimedAt !== undefined && claimedAt === facts.lapsed
      ? [{ type: 'OAuthIdentityReleased', data: { accountId } }]
      : [],
);
