import fc from 'fast-check';
import { changeEmail, startEmailVerification, verifyEmail } from '../../../../../src/domain/identity/account/index.ts';
import { ADDRESSES, accountId, ada, DAY, HOUR, hashOf, on } from './world.ts';

/** Which of the requests so far, the newest being 0. */
const ago = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) });

/** The newest mail verifies the address, or makes another one the account's: once, and within a day. */
export const address = {
  'ask to verify the address': on(fc.constantFrom(undefined, ...ADDRESSES), (named, world, { now, newId }) => ({
    command: startEmailVerification,
    input: { accountId, ...(named === undefined ? {} : { emailHash: hashOf(named) }) },
    expect: () => {
      if (world.life !== 'active' || world.proved || (named !== undefined && named !== world.address)) return [];
      world.mail = { requestId: newId('verification'), ends: now.getTime() + DAY };
      world.mails.push(world.mail);
      const data = { accountId, requestId: world.mail.requestId, expiresAt: new Date(world.mail.ends).toISOString() };
      return [{ type: 'EmailVerificationRequested', data }];
    },
  })),
  'verify the address': on(ago, (ago, world, { now }) => {
    const mail = world.mails.at(-1 - ago);
    if (mail === undefined) return undefined;
    return {
      command: verifyEmail,
      input: { token: 'token' },
      facts: { accountId, requestId: mail.requestId },
      expect: () => {
        if (world.life !== 'active' || mail !== world.mail || now.getTime() >= mail.ends) return 'token-invalid';
        Object.assign(world, { proved: true, mail: undefined });
        return ['EmailVerified'];
      },
    };
  }),
  'ask to change the address': on(
    fc.record({ to: fc.constantFrom(...ADDRESSES), typed: fc.constantFrom('right', 'right', 'right', 'wrong') }),
    ({ to, typed }, world, { now, newId }) => {
      const right = typed === 'right' && world.password !== undefined;
      return {
        command: changeEmail,
        input: { newEmail: to, password: typed },
        actor: ada,
        facts: { right, newEmailHash: hashOf(to) },
        expect: () => {
          if (world.life !== 'active') return 'account-unknown';
          if (!right) return 'password-wrong';
          if (to === world.address) return 'email-taken';
          if (world.changesAsked.filter((at) => now.getTime() < at + HOUR).length >= 5) return 'asked-often';
          const ends = now.getTime() + DAY;
          world.change = { requestId: newId('email-change'), ends, from: world.address ?? '', to };
          world.changes.push(world.change);
          world.changesAsked.push(now.getTime());
          return [{ type: 'EmailChangeRequested', data: { newEmail: to, expiresAt: new Date(ends).toISOString() } }];
        },
      };
    },
    3,
  ),
  'change the address': on(ago, (ago, world, { now }) => {
    const change = world.changes.at(-1 - ago);
    if (change === undefined) return undefined;
    const { from, to, requestId } = change;
    const addresses = { oldEmail: from, oldEmailHash: hashOf(from), email: to, emailHash: hashOf(to) };
    return {
      command: verifyEmail,
      input: { token: 'token' },
      facts: { accountId, requestId, change: addresses },
      expect: () => {
        if (world.life !== 'active' || change !== world.change || now.getTime() >= change.ends) return 'token-invalid';
        // What was mailed to the old address proves nothing any more.
        Object.assign(world, { address: to, proved: true, change: undefined, mail: undefined, reset: undefined });
        return [{ type: 'EmailChanged', data: { accountId, ...addresses } }];
      },
    };
  }),
};
