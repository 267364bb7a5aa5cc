import t from 'tap';
import {
  type AccountEvent,
  abandonRegistration,
  account,
  lockAccount,
  registerAccount,
  registerAdministrator,
  startEmailVerification,
  verifyEmail,
} from '../../../src/domain/identity/account/index.ts';
import { id, newId, now, spec, system } from '../../support/spec.ts';
import { deactivated, erased } from './account/past.ts';

const given = spec(account);
const accountId = id('ada');
const facts = { passwordHash: '$2b$12$hash', emailHash: 'address-hash' };
const input = {
  email: 'Ada@Example.org',
  password: 'Correct-horse-7',
  displayName: ' Ada ',
  acceptTerms: true as const,
};
const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000);

const registered = (ofId = accountId): AccountEvent => ({
  type: 'AccountRegistered',
  data: {
    accountId: ofId,
    email: 'ada@example.org',
    displayName: 'Ada',
    timezone: 'UTC',
    language: 'en',
    createdFrom: 'api',
    ...facts,
    plan: 'free',
    method: 'password',
    termsAcceptedAt: now.toISOString(),
  },
});
const requested = (requestId: string): AccountEvent => ({
  type: 'EmailVerificationRequested',
  data: { accountId, requestId, expiresAt: hours(24).toISOString() },
});
const verified: AccountEvent = { type: 'EmailVerified', data: { accountId, at: now.toISOString() } };
const abandoned: AccountEvent = { type: 'RegistrationAbandoned', data: { accountId } };

t.test('registering', async (t) => {
  t.test('opens an account on plan free, without the password', async (t) => {
    const { outcome } = given().when(registerAccount, input, undefined, facts);
    t.strictSame(outcome, [registered(newId('account'))]);
    t.notOk(JSON.stringify(outcome).includes(input.password));
  });
  t.test('keeps what else was told', async (t) => {
    const more = { phoneNumber: '+4930123456', timezone: 'europe/berlin', language: 'de', createdFrom: 'web' as const };
    const { outcome } = given().when(registerAccount, { ...input, ...more }, undefined, facts);
    t.match(outcome, [{ data: { ...more, timezone: 'Europe/Berlin' } }]);
  });
  t.test('adds the telephone number, unverified', async (t) => {
    const known = { ...facts, numberHash: 'hash of the number' };
    const { outcome } = given().when(registerAccount, { ...input, phoneNumber: '+4930123456' }, undefined, known);
    t.match(outcome, [
      { type: 'AccountRegistered' },
      {
        type: 'PhoneNumberAdded',
        data: { phoneNumberId: newId('phone'), number: '+4930123456', numberHash: 'hash of the number' },
      },
    ]);
    t.notOk(JSON.stringify(outcome[0 as never]).includes('hash of the number'));
  });
  t.test('is refused when the account is there or was given up', async () => {
    for (const past of [registered(), abandoned])
      given(past).when(registerAccount, input, undefined, facts).rejected('email-taken', 'email');
  });
  t.test('is refused for what is missing or malformed', async () => {
    const bad = {
      email: 'ada',
      password: 'password1',
      displayName: ' ',
      acceptTerms: false,
      timezone: 'x',
      phoneNumber: '1',
    };
    for (const [field, value] of Object.entries(bad))
      given()
        .when(registerAccount, { ...input, [field]: value } as never, undefined, facts)
        .rejected('input-invalid', field);
  });
});

t.test('the first administrator', async (t) => {
  const first = { accountId, email: 'admin@example.org', password: 'Generated-7' };
  t.test('is registered and verified at once, and only once', async (t) => {
    const { outcome } = given().when(registerAdministrator, first, system, facts);
    t.match(outcome, [{ type: 'AccountRegistered', data: { email: 'admin@example.org' } }, { type: 'EmailVerified' }]);
    given(registered()).when(registerAdministrator, first, system, facts).nothing();
  });
  t.test('is not registered in the place of one that was given up, deactivated or erased', async () => {
    given(abandoned).when(registerAdministrator, first, system, facts).rejected('email-taken');
    for (const end of [deactivated, erased])
      given(registered(), end).when(registerAdministrator, first, system, facts).rejected('email-taken');
  });
});

t.test('giving up a registration', async (t) => {
  t.test('rules it out, once', async () => {
    given().when(abandonRegistration, { accountId }, system).then(abandoned);
    given(abandoned).when(abandonRegistration, { accountId }, system).nothing();
  });
  t.test('comes too late for an account that is or was there', async () => {
    given(registered()).when(abandonRegistration, { accountId }, system).rejected('email-taken');
    for (const end of [deactivated, erased])
      given(registered(), end).when(abandonRegistration, { accountId }, system).rejected('email-taken');
  });
});

t.test('verifying an address', async (t) => {
  const token = { token: 'authentic' };
  const named = (requestId: string) => ({ accountId, requestId });
  t.test('begins with a request that lives for a day', async () =>
    given(registered())
      .when(startEmailVerification, { accountId }, system)
      .then(requested(newId('verification'))),
  );
  t.test('is not begun for verified accounts or for none', async () => {
    for (const past of [[], [abandoned], [registered(), verified]])
      given(...past)
        .when(startEmailVerification, { accountId }, system)
        .nothing();
  });
  t.test('takes the token of the latest request, once', async () => {
    const past = [registered(), requested('one'), requested('two')];
    given(...past)
      .when(verifyEmail, token, undefined, named('two'))
      .then(verified);
    given(...past)
      .when(verifyEmail, token, undefined, named('one'))
      .rejected('token-invalid', 'token');
    given(...past, verified)
      .when(verifyEmail, token, undefined, named('two'))
      .rejected('token-invalid', 'token');
    given().when(verifyEmail, token, undefined, named('two')).rejected('token-invalid', 'token');
  });
  t.test('is refused from the end of the day on', async (t) => {
    const at = (time: Date) =>
      given(registered(), requested('one')).when(verifyEmail, token, { now: time }, named('one'));
    at(hours(24)).rejected('token-invalid', 'token');
    t.match(at(new Date(hours(24).getTime() - 1)).outcome, [{ type: 'EmailVerified' }]);
  });
});

t.test('locking', async (t) => {
  const lock = (minutes: number) => ({
    accountId,
    until: new Date(now.getTime() + minutes * 60_000).toISOString(),
    reason: 'failed_logins' as const,
  });
  const locked = { type: 'AccountLocked' as const, data: lock(15) };
  t.test('closes the account until an instant, and only ever longer', async () => {
    given(registered()).when(lockAccount, lock(15), system).then(locked);
    given(registered(), locked).when(lockAccount, lock(15), system).nothing();
    given(registered(), locked)
      .when(lockAccount, lock(20), system)
      .then({ type: 'AccountLocked', data: lock(20) });
  });
  t.test('is refused for an account that is not there', async () =>
    given().when(lockAccount, lock(15), system).rejected('account-unknown'),
  );
});
