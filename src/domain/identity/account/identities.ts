import { z } from 'zod';
import { reject } from '../../decider.ts';
import { email, line, uuid } from '../../fields.ts';
import { type AccountEvent, SIGN_IN_PROVIDERS } from './events.ts';
import { accountUnknown } from './refusals.ts';
import { type Account, command, isVerified } from './state.ts';

const provider = z.enum(SIGN_IN_PROVIDERS);

/** Whether the provider's person is the holder of the account. */
export const holdsIdentity = ({ identities }: Account, subjectHash: string): boolean =>
  Object.values(identities).includes(subjectHash);

/** Who somebody is at a provider, as accounts know it. */
const identity = {
  accountId: uuid,
  provider,
  subject: line(1, 255),
  subjectHash: line(1, 64),
  email: email.optional(),
};

/** Opens the account of somebody who signs in elsewhere: without a password, on plan free. */
export const registerByIdentity = command(
  'RegisterByIdentity',
  z.object({
    ...identity,
    email,
    emailHash: line(1, 64),
    emailVerified: z.boolean().describe('Whether the provider has verified the address'),
    displayName: line(1, 100),
    createdFrom: z.enum(['web', 'api']),
  }),
  ({ emailHash, emailVerified, displayName, createdFrom, ...linked }, { status }, { now }) => {
    if (status !== 'none') return reject('CONFLICT', 'email-taken', 'There is an account with this e-mail address');
    const { accountId } = linked;
    return [
      {
        type: 'AccountRegistered',
        data: {
          accountId,
          email: linked.email,
          emailHash,
          displayName,
          timezone: 'UTC',
          language: 'en',
          plan: 'free',
          createdFrom,
          method: 'oauth',
        },
      },
      ...(emailVerified ? [{ type: 'EmailVerified' as const, data: { accountId, at: now.toISOString() } }] : []),
      { type: 'OAuthIdentityLinked', data: linked },
    ];
  },
);

/**
 * Makes the provider's person the account's. `by` tells why: its holder has asked for it, or the provider has verified
 * that the address of the account is the person's (`emailHash`). Whoever opened an account under an address that was
 * never proved to be his loses it to the person whose it is; nothing that he could come back with counts any more. An
 * account that a telephone number alone has proved is nobody else's.
 */
export const linkIdentity = command(
  'LinkIdentity',
  z.object({
    ...identity,
    by: z.enum(['holder', 'address']),
    emailHash: line(1, 64).optional().describe('Of the address, if the provider has verified it'),
  }),
  ({ by, emailHash, ...linked }, state, { now }) => {
    const { accountId, provider, subjectHash } = linked;
    if (state.status !== 'active') return accountUnknown();
    const proved = emailHash !== undefined && emailHash === state.emailHash;
    if (by === 'address' && !proved)
      return reject('CONFLICT', 'email-taken', 'There is an account with this e-mail address', 'email');
    const known = state.identities[provider];
    if (known === subjectHash) return [];
    const at = now.toISOString();
    const verified: readonly AccountEvent[] =
      proved && !state.emailVerified ? [{ type: 'EmailVerified', data: { accountId, at } }] : [];
    const link: AccountEvent = { type: 'OAuthIdentityLinked', data: linked };
    if (by === 'address' && !state.emailVerified) {
      if (isVerified(state))
        return reject('CONFLICT', 'email-unproved', 'Log in to the account with this address and verify it first');
      return [{ type: 'UnprovedAccessDropped', data: { accountId, at } }, ...verified, link];
    }
    if (known !== undefined)
      return reject('CONFLICT', 'provider-linked', 'Another identity of this provider is linked to the account');
    return [...verified, link];
  },
);

/** Takes an identity from the account. Another way to log in must remain: a password, or another provider. */
export const unlinkOAuthIdentity = command(
  'UnlinkOAuthIdentity',
  z.object({ provider }),
  ({ provider }, { status, identities, passwordAt }, { actor }) => {
    const subjectHash = identities[provider];
    if (status !== 'active' || subjectHash === undefined)
      return reject('NOT_FOUND', 'identity-unknown', 'No identity of this provider is linked to the account');
    if (passwordAt === undefined && Object.keys(identities).length === 1)
      return reject('CONFLICT', 'last-way-in', 'Without it nobody could log in to the account; set a password first');
    return [{ type: 'OAuthIdentityUnlinked', data: { accountId: actor.id, provider, subjectHash } }];
  },
);
