import fc from 'fast-check';
import {
  abandonRegistration,
  completeErasure,
  deactivateAccount,
  endLoginSessions,
  eraseAccount,
  reactivateAccount,
  registerAccount,
  registerAdministrator,
  registerByIdentity,
  releaseClosedAccount,
  revokeAllLoginSessions,
} from '../../../../../src/domain/identity/account/index.ts';
import type { Moment, Turn } from '../../../../support/model.ts';
import {
  ADDRESSES,
  accountId,
  ada,
  eve,
  forget,
  hashOf,
  isThere,
  on,
  root,
  support,
  unproved,
  type World,
} from './world.ts';

const [email] = ADDRESSES;
const PASSWORD = 'Correct-horse-7';
const opened = (world: World, password: string | undefined, displayName: string): void => {
  const passwordAt = password === undefined ? undefined : world.events;
  Object.assign(world, { life: 'active', address: email, password, passwordAt, displayName });
};

const register = (phone: string | undefined, world: World, { now, newId }: Moment): Turn => ({
  command: registerAccount,
  input: { email, password: PASSWORD, displayName: 'Ada', acceptTerms: true, ...(phone ? { phoneNumber: phone } : {}) },
  facts: { passwordHash: hashOf(PASSWORD), emailHash: hashOf(email), ...(phone ? { numberHash: hashOf(phone) } : {}) },
  expect: () => {
    if (world.life !== 'none') return 'email-taken';
    opened(world, PASSWORD, 'Ada');
    const registered = { type: 'AccountRegistered', data: { email, plan: 'free', passwordHash: hashOf(PASSWORD) } };
    if (phone === undefined) return [registered];
    world.phones.push({ id: newId('phone'), number: phone });
    world.phonesAdded.push(now.getTime());
    return [registered, { type: 'PhoneNumberAdded', data: { number: phone, numberHash: hashOf(phone) } }];
  },
});

const registerElsewhere = (emailVerified: boolean, world: World): Turn => {
  const identity = { accountId, provider: 'google', subject: 'one', subjectHash: hashOf('one'), email };
  return {
    command: registerByIdentity,
    input: { ...identity, emailHash: hashOf(email), emailVerified, displayName: 'Ada', createdFrom: 'web' },
    expect: () => {
      if (world.life !== 'none') return 'email-taken';
      opened(world, undefined, 'Ada');
      world.proved = emailVerified;
      world.identities.set('google', 'one');
      return [
        { type: 'AccountRegistered', data: { email, plan: 'free', method: 'oauth', passwordHash: undefined } },
        ...(emailVerified ? ['EmailVerified'] : []),
        { type: 'OAuthIdentityLinked', data: identity },
      ];
    },
  };
};

const appoint = (world: World): Turn => ({
  command: registerAdministrator,
  input: { accountId, email, password: PASSWORD },
  facts: { passwordHash: hashOf(PASSWORD), emailHash: hashOf(email) },
  twice: 'nothing',
  expect: () => {
    if (world.life === 'active') return [];
    if (world.life !== 'none') return 'email-taken';
    opened(world, PASSWORD, 'Administrator');
    world.proved = true;
    return ['AccountRegistered', 'EmailVerified'];
  },
});

const closing = fc.record({
  by: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(ada, root) },
    { weight: 1, arbitrary: fc.constantFrom(support, eve, unproved) },
  ),
  typed: fc.constantFrom('right', 'right', 'right', 'wrong', undefined),
  counted: fc.integer({ min: 0, max: 5 }).map((drawn) => drawn === 0),
});
type Closing = typeof closing extends fc.Arbitrary<infer Drawn> ? Drawn : never;

const inputOf = ({ by, typed }: Closing) => ({
  ...(by === ada ? {} : { accountId }),
  ...(typed === undefined ? {} : { password: typed }),
});
/** The holder proves that it is he by his password, if he has one. */
const provesItself = ({ by, typed }: Closing, world: World): boolean =>
  by === ada && typed === 'right' && world.password !== undefined;
const mayNot = (drawn: Closing, world: World): string | undefined => {
  if (drawn.by !== ada && drawn.by !== root) return 'permission-missing';
  if (!isThere(world)) return 'account-unknown';
  return drawn.by === ada && !provesItself(drawn, world) ? 'password-wrong' : undefined;
};

/** How an account comes about, is closed, and ends. */
export const life = {
  open: on(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom({ phone: undefined }, { phone: undefined }, { phone: '+49301000010' }) },
      { weight: 3, arbitrary: fc.boolean().map((verified) => ({ verified })) },
      { weight: 1, arbitrary: fc.constant({}) },
    ),
    (drawn, world, moment) => {
      if ('phone' in drawn) return register(drawn.phone, world, moment);
      return 'verified' in drawn ? registerElsewhere(drawn.verified, world) : appoint(world);
    },
  ),
  abandon: on(
    fc.constant({ accountId }),
    (input, world) => ({
      command: abandonRegistration,
      input,
      twice: 'nothing',
      expect: () => {
        if (world.life === 'abandoned') return [];
        if (world.life !== 'none') return 'email-taken';
        world.life = 'abandoned';
        return ['RegistrationAbandoned'];
      },
    }),
    0.25,
  ),
  deactivate: on(
    closing,
    (drawn, world) => ({
      command: deactivateAccount,
      input: inputOf(drawn),
      actor: drawn.by,
      facts: { right: provesItself(drawn, world), counted: drawn.counted },
      expect: () => {
        const refused = mayNot(drawn, world);
        if (refused !== undefined) return refused;
        if (world.life === 'deactivated') return 'already-deactivated';
        if (drawn.counted) return 'administrator-still-counted';
        world.life = 'deactivated';
        world.credentials += 1;
        return [{ type: 'AccountDeactivated', data: { accountId, by: drawn.by === ada ? 'owner' : 'admin' } }];
      },
    }),
    0.5,
  ),
  reactivate: on(
    fc.constant({ accountId }),
    (input, world) => ({
      command: reactivateAccount,
      input,
      actor: root,
      expect: () => {
        if (world.life === 'active') return 'not-deactivated';
        if (world.life !== 'deactivated') return 'account-unknown';
        world.life = 'active';
        return ['AccountReactivated'];
      },
    }),
    2,
  ),
  erase: on(
    fc.tuple(closing, fc.constantFrom(true, true, true, false)),
    ([drawn, confirmed], world) => ({
      command: eraseAccount,
      input: { ...inputOf(drawn), confirm: 'as typed' },
      actor: drawn.by,
      facts: { right: provesItself(drawn, world), counted: drawn.counted, confirmed, identifierHashes: [] },
      expect: () => {
        const refused = mayNot(drawn, world);
        if (refused !== undefined) return refused;
        if (!confirmed) return 'confirmation-wrong';
        const closes = world.life === 'active';
        if (closes && drawn.by === root) return 'account-active';
        if (drawn.counted) return 'administrator-still-counted';
        const emailHash = hashOf(world.address ?? '');
        forget(world);
        world.life = 'erased';
        world.credentials += closes ? 2 : 1;
        return [...(closes ? ['AccountDeactivated'] : []), { type: 'AccountErased', data: { accountId, emailHash } }];
      },
    }),
    0.25,
  ),
  'finish the erasure': on(
    fc.constant({ accountId }),
    (input, { life }) => ({
      command: completeErasure,
      input,
      expect: () => (life === 'erased' ? [] : 'account-unknown'),
    }),
    0.5,
  ),
  'give up what is elsewhere': on(
    fc.constant({ accountId }),
    (input) => ({ command: releaseClosedAccount, input, expect: () => [] }),
    0.25,
  ),
  'end the sessions': on(
    fc.boolean(),
    (own, { life }) => ({
      command: own ? revokeAllLoginSessions : endLoginSessions,
      input: own ? {} : { accountId, by: 'breach' },
      actor: ada,
      expect: () => (own && life !== 'active' ? 'account-unknown' : []),
    }),
    0.25,
  ),
};
