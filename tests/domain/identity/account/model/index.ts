import assert from 'node:assert/strict';
import * as commands from '../../../../../src/domain/identity/account/index.ts';
import {
  type Account,
  account,
  awaitsReset,
  holdsEmail,
  holdsIdentity,
  holdsNumber,
  isVerified,
  lockedUntil,
  pendingSetup,
  preferencesOf,
  trustsDevice,
} from '../../../../../src/domain/identity/account/index.ts';
import { type Moment, model } from '../../../../support/model.ts';
import { address } from './address.ts';
import { DEVICES, devices, factor, offer } from './factor.ts';
import { identities } from './identities.ts';
import { life } from './life.ts';
import { NUMBERS, numbers, phones } from './phones.ts';
import { preferred, profile } from './profile.ts';
import { secrets } from './secrets.ts';
import { subscription } from './subscription.ts';
import { ADDRESSES, DAY, HOUR, hashOf, isThere, MINUTE, newWorld, type World } from './world.ts';

const seen = (state: Account, { now }: Moment) => ({
  life: state.status,
  events: state.version + 1,
  address: state.emailHash,
  verified: [state.emailVerified, isVerified(state)],
  holds: ADDRESSES.map((one) => holdsEmail(state, hashOf(one), now)),
  password: state.passwordAt,
  awaitsReset: state.reset !== undefined && awaitsReset(state, state.reset.requestId, now),
  credentials: state.credentials,
  lockedUntil: lockedUntil(state, now),
  factor: state.mfa,
  offer: pendingSetup(state, now)?.method,
  trusted: DEVICES.filter((deviceId) => trustsDevice(state, deviceId, now)),
  identities: Object.entries(state.identities).sort(),
  phones: state.phones.map(({ id, verified }) => [id, verified]),
  numbers: NUMBERS.filter((number) => holdsNumber(state, hashOf(number))),
  primary: state.primaryPhoneId,
  preferences: preferencesOf(state),
  plan: state.plan,
  subscription: state.subscription,
});

const expected = (world: World, { now }: Moment): ReturnType<typeof seen> => {
  const { life, factor, offer, change, reset, devices, identities, phones } = world;
  const proved = phones.filter(({ verified }) => verified !== undefined);
  // A minute more, for a confirmation that is under way.
  const mayTake = change !== undefined && now.getTime() < change.ends + MINUTE ? change.to : undefined;
  const holds = (one: string) => isThere(world) && (one === world.address || one === mayTake);
  return {
    life,
    events: world.events,
    address: world.address === undefined ? undefined : hashOf(world.address),
    verified: [world.proved, world.proved || proved.length > 0],
    holds: ADDRESSES.map(holds),
    password: world.passwordAt,
    awaitsReset: reset !== undefined && now.getTime() < reset.ends,
    credentials: world.credentials,
    lockedUntil: now.getTime() < world.lockedUntil ? new Date(world.lockedUntil).toISOString() : undefined,
    factor:
      factor === undefined
        ? undefined
        : {
            method: factor.method,
            backupCodes: factor.codes,
            ...(factor.phone === undefined ? {} : { phoneNumberId: factor.phone }),
          },
    offer: offer !== undefined && now.getTime() < offer.ends ? offer.method : undefined,
    trusted: DEVICES.filter((deviceId) => now.getTime() < (devices.get(deviceId) ?? 0)),
    identities: [...identities].map(([provider, subject]): [string, string] => [provider, hashOf(subject)]).sort(),
    phones: phones.map(({ id, verified }) => [id, verified !== undefined]),
    numbers: NUMBERS.filter((one) => proved.some(({ number }) => number === one)),
    primary: world.primary,
    preferences: preferred(world),
    plan: world.plan,
    subscription: world.subscription,
  };
};

/** One account from its registration to its end, with everything that its holder and others may do to it. */
export const accountModel = model({
  decider: account,
  commands,
  world: newWorld,
  first: 'open',
  waits: [0, 1000, MINUTE, 20 * MINUTE, 2 * DAY],
  moments: ({ mail, change, reset, offer, lockedUntil, devices, subscription, changesAsked, phonesAdded }) =>
    [
      mail?.ends,
      change?.ends,
      reset?.ends,
      offer?.ends,
      lockedUntil,
      [...devices.values()].at(-1),
      subscription.expiresAt === undefined ? undefined : Date.parse(subscription.expiresAt),
      ...[...changesAsked, ...phonesAdded].slice(-2).map((at) => at + HOUR),
    ].flatMap((at) => (at === undefined ? [] : [at - 1, at])),
  length: 200,
  lives: 250,
  silent: [
    'CompleteErasure',
    'ReleaseClosedAccount',
    'RevokeAllLoginSessions',
    'EndLoginSessions',
    'VerifyPhoneNumber',
  ],
  parts: [
    life,
    address,
    { ...address, ...secrets },
    { ...offer, ...factor },
    { ...offer, ...devices },
    numbers,
    { ...numbers, ...phones, ...offer },
    { ...numbers, ...phones, ...identities },
    profile,
    subscription,
  ],
  moves: {
    ...life,
    ...address,
    ...secrets,
    ...offer,
    ...factor,
    ...devices,
    ...numbers,
    ...phones,
    ...identities,
    ...profile,
    ...subscription,
  },
  seen,
  expected,
  always: (state, world, history) => {
    const times = (type: string) => history.filter((event) => event.type === type).length;
    assert.ok(times('AccountRegistered') + times('RegistrationAbandoned') <= 1, 'it comes about once or never');
    assert.ok(
      times('AccountErased') === 0 || history.at(-1)?.type === 'AccountErased',
      'nothing happens after its end',
    );
    const { mfa, primaryPhoneId } = state;
    const isProved = (id: string | undefined) => state.phones.some((phone) => phone.id === id && phone.verified);
    assert.ok(mfa?.method !== 'sms' || isProved(mfa.phoneNumberId), 'codes go to a number that is the holder’s');
    const hasPrimary = primaryPhoneId !== undefined;
    assert.equal(
      hasPrimary,
      state.phones.some(({ verified }) => verified),
      'one number is the primary one',
    );
    assert.ok(!hasPrimary || isProved(primaryPhoneId), 'which is verified');
    const open =
      state.status === 'active' && (state.passwordAt !== undefined || Object.keys(state.identities).length > 0);
    assert.ok(open || state.status !== 'active', 'there is a way to log in');
    for (const [, subject] of world.identities) assert.ok(holdsIdentity(state, hashOf(subject)), 'it is who it is');
  },
  refusals: [
    'email-taken',
    'account-unknown',
    'token-invalid',
    'permission-missing',
    'password-wrong',
    'password-same',
    'contended',
    'already-deactivated',
    'administrator-still-counted',
    'not-deactivated',
    'confirmation-wrong',
    'account-active',
    'asked-often',
    'until-past',
    'until-too-far',
    'own-account',
    'not-locked',
    'mfa-on',
    'mfa-off',
    'mfa-not-pending',
    'secret-differs',
    'code-wrong',
    'device-unknown',
    'number-listed',
    'number-limit',
    'number-unknown',
    'number-unverified',
    'number-in-use',
    'number-taken',
    'email-unproved',
    'provider-linked',
    'identity-unknown',
    'last-way-in',
    'stale-version',
    'expiry-past',
    'expiry-missing',
    'no-paid-plan',
    'already-cancelled',
  ],
});
