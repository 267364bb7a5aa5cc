import fc from 'fast-check';
import { linkIdentity, unlinkOAuthIdentity } from '../../../../../src/domain/identity/account/index.ts';
import { ADDRESSES, accountId, ada, hashOf, on, type World } from './world.ts';

const provider = fc.constantFrom('google', 'github');

/** What was set before anybody had proved to be the person counts no more. */
const dropAccess = (world: World): void => {
  Object.assign(world, { password: undefined, passwordAt: undefined, reset: undefined });
  Object.assign(world, {
    mail: undefined,
    change: undefined,
    factor: undefined,
    offer: undefined,
    identities: new Map(),
    devices: new Map(),
  });
  world.credentials += 1;
};

/** The people of providers that the account is: one of each, and never its last way in taken away. */
export const identities = {
  link: on(
    fc.record({
      by: fc.constantFrom('holder', 'address'),
      provider,
      subject: fc.constantFrom('one', 'two'),
      // The address that the provider has verified, if any.
      verified: fc.constantFrom(undefined, ADDRESSES[0], ADDRESSES[0], ADDRESSES[1]),
    }),
    ({ by, provider, subject, verified }, world) => {
      const identity = { accountId, provider, subject, subjectHash: hashOf(subject) };
      return {
        command: linkIdentity,
        input: { ...identity, by, ...(verified === undefined ? {} : { emailHash: hashOf(verified) }) },
        twice: 'nothing',
        expect: () => {
          if (world.life !== 'active') return 'account-unknown';
          const proves = verified !== undefined && verified === world.address;
          if (by === 'address' && !proves) return 'email-taken';
          const known = world.identities.get(provider);
          if (known === subject) return [];
          const takesOver = by === 'address' && !world.proved;
          // Whoever has a telephone number verified has proved to be somebody.
          if (takesOver && world.phones.some((phone) => phone.verified !== undefined)) return 'email-unproved';
          if (takesOver) dropAccess(world);
          else if (known !== undefined) return 'provider-linked';
          const verifies = proves && !world.proved;
          if (verifies) Object.assign(world, { proved: true, mail: undefined });
          world.identities.set(provider, subject);
          return [
            ...(takesOver ? ['UnprovedAccessDropped'] : []),
            ...(verifies ? ['EmailVerified'] : []),
            { type: 'OAuthIdentityLinked', data: identity },
          ];
        },
      };
    },
    1.5,
  ),
  unlink: on(provider, (provider, world) => ({
    command: unlinkOAuthIdentity,
    input: { provider },
    actor: ada,
    expect: () => {
      const subject = world.identities.get(provider);
      if (world.life !== 'active' || subject === undefined) return 'identity-unknown';
      if (world.password === undefined && world.identities.size === 1) return 'last-way-in';
      world.identities.delete(provider);
      world.credentials += 1;
      return [{ type: 'OAuthIdentityUnlinked', data: { accountId, provider, subjectHash: hashOf(subject) } }];
    },
  })),
};
