import t from 'tap';
import {
  type AccountEvent,
  account,
  addPhoneNumber,
  confirmMfaSetup,
  isVerified,
  loseNumber,
  noteVerifiedNumber,
  removePhoneNumber,
  setPrimaryPhoneNumber,
  updatePhoneNumber,
  verifyPhoneNumber,
} from '../../../../src/domain/identity/account/index.ts';
import { id, newId, spec, system, user } from '../../../support/spec.ts';
import { accountId, at, deactivated, minutes, registered } from './past.ts';

const given = spec(account);
const holder = user(accountId);
const phone = (name: string) => id(`phone ${name}`);

const added = (name: string, phoneNumberId = phone(name)): AccountEvent => ({
  type: 'PhoneNumberAdded',
  data: { accountId, phoneNumberId, number: '+4930555000', numberHash: `hash ${name}`, at },
});
const proved = (name: string, after = 0): AccountEvent => ({
  type: 'PhoneNumberVerified',
  data: { accountId, phoneNumberId: phone(name), at: minutes(after).toISOString() },
});
const primary = (name: string): AccountEvent => ({
  type: 'PrimaryPhoneNumberSet',
  data: { accountId, phoneNumberId: phone(name) },
});
const removed = (name: string): AccountEvent => ({
  type: 'PhoneNumberRemoved',
  data: { accountId, phoneNumberId: phone(name), numberHash: `hash ${name}` },
});
const of = (name: string) => ({ phoneNumberId: phone(name) });

t.test('adding a number', async (t) => {
  const input = { number: '+4930555000' };
  const facts = { numberHash: 'hash a' };
  t.test('keeps it unverified', async (t) => {
    const { outcome, state } = given(registered).when(addPhoneNumber, input, holder, facts);
    t.strictSame(outcome, [added('a', newId('phone'))]);
    t.notOk(isVerified(state));
    const labelled = given(registered).when(addPhoneNumber, { ...input, label: ' Office ' }, holder, facts);
    t.match(labelled.outcome, [{ data: { label: 'Office' } }]);
  });
  t.test('is refused for one that is there and for a sixth', async () => {
    given(registered, added('a')).when(addPhoneNumber, input, holder, facts).rejected('number-listed', 'number');
    const five = ['b', 'c', 'd', 'e', 'f'].map((name) => added(name));
    given(registered, ...five)
      .when(addPhoneNumber, input, holder, facts)
      .rejected('number-limit');
    given(registered, ...five, removed('b'))
      .when(addPhoneNumber, input, holder, facts)
      .then(added('a', newId('phone')));
  });
  t.test('is refused for an eleventh within the hour, however many were removed', async (t) => {
    const ten = Array.from({ length: 10 }, (_, index) => [added(String(index)), removed(String(index))]).flat();
    const eleventh = (time: Date) =>
      given(registered, ...ten).when(addPhoneNumber, input, { actor: holder, now: time }, facts);
    t.match(eleventh(minutes(59)).outcome, { code: 'RATE_LIMIT_EXCEEDED', reason: 'asked-often', retryAfter: 60 });
    t.match(eleventh(minutes(60)).outcome, [{ type: 'PhoneNumberAdded' }]);
    t.match(given(registered, ...ten.slice(2)).when(addPhoneNumber, input, holder, facts).outcome, [{}]);
  });
  t.test('is refused for accounts that are closed or none', async () => {
    for (const past of [[], [registered, deactivated]])
      given(...past)
        .when(addPhoneNumber, input, holder, facts)
        .rejected('account-unknown');
  });
});

t.test('noting that a number is the holder’s', async (t) => {
  const note = (name: string) => ({ accountId, ...of(name) });
  t.test('makes the first one primary and the account verified', async (t) => {
    const { outcome, state } = given(registered, added('a')).when(noteVerifiedNumber, note('a'), system);
    t.strictSame(outcome, [proved('a'), primary('a')]);
    t.ok(isVerified(state));
    given(registered, added('a'), added('b'), proved('a'), primary('a'))
      .when(noteVerifiedNumber, note('b'), system)
      .then(proved('b'));
  });
  t.test('twice changes nothing', async () =>
    given(registered, added('a'), proved('a'), primary('a')).when(noteVerifiedNumber, note('a'), system).nothing(),
  );
  t.test('is refused for numbers that are not there', async () => {
    given(registered).when(noteVerifiedNumber, note('a'), system).rejected('number-unknown');
    given(registered, added('a'), deactivated).when(noteVerifiedNumber, note('a'), system).rejected('number-unknown');
  });
});

t.test('a code is checked only for a number that is there', async () => {
  given(registered, added('a'))
    .when(verifyPhoneNumber, { ...of('a'), code: '123456' }, holder)
    .nothing();
  given(registered)
    .when(verifyPhoneNumber, { ...of('a'), code: '123456' }, holder)
    .rejected('number-unknown');
  given(registered)
    .when(verifyPhoneNumber, { ...of('a'), code: '12345' }, holder)
    .rejected('input-invalid', 'code');
});

t.test('the primary number', async (t) => {
  const two = [registered, added('a'), added('b'), added('c'), proved('a'), primary('a'), proved('b', 1)];
  t.test('is another verified one when its holder says so', async () => {
    given(...two)
      .when(setPrimaryPhoneNumber, of('b'), holder)
      .then(primary('b'));
    given(...two)
      .when(setPrimaryPhoneNumber, of('a'), holder)
      .nothing();
    given(...two)
      .when(setPrimaryPhoneNumber, of('c'), holder)
      .rejected('number-unverified');
    given(...two)
      .when(setPrimaryPhoneNumber, of('x'), holder)
      .rejected('number-unknown');
  });
  t.test('and labels are changed together', async () => {
    const labelled = (name: string): AccountEvent => ({
      type: 'PhoneNumberLabelled',
      data: { accountId, ...of(name), label: 'Home' },
    });
    const facts = { label: undefined };
    given(...two)
      .when(updatePhoneNumber, { ...of('b'), primary: true, label: 'Home' }, holder, facts)
      .then(primary('b'), labelled('b'));
    given(...two)
      .when(updatePhoneNumber, { ...of('c'), label: 'Home' }, holder, facts)
      .then(labelled('c'));
    given(...two)
      .when(updatePhoneNumber, { ...of('c'), label: 'Home' }, holder, { label: 'Home' })
      .nothing();
    given(...two)
      .when(updatePhoneNumber, of('c'), holder, facts)
      .nothing();
    given(...two)
      .when(updatePhoneNumber, { ...of('c'), primary: true, label: 'Home' }, holder, facts)
      .rejected('number-unverified');
    given(...two)
      .when(updatePhoneNumber, { ...of('x'), label: 'Home' }, holder, facts)
      .rejected('number-unknown');
    given(...two)
      .when(updatePhoneNumber, { ...of('a'), primary: false } as never, holder, facts)
      .rejected('input-invalid', 'primary');
  });
  t.test('is followed by the one verified first when it is removed', async () => {
    const late = [
      registered,
      added('a'),
      added('b'),
      added('c'),
      proved('a'),
      primary('a'),
      proved('c', 1),
      proved('b', 2),
    ];
    given(...late)
      .when(removePhoneNumber, of('a'), holder)
      .then(removed('a'), primary('c'));
    given(...late)
      .when(removePhoneNumber, of('b'), holder)
      .then(removed('b'));
    given(registered, added('a'), added('b'), proved('a'), primary('a'))
      .when(removePhoneNumber, of('a'), holder)
      .then(removed('a'));
  });
});

t.test('removing a number', async (t) => {
  t.test('is refused while codes of the second factor go to it, and voids the offer to send them there', async () => {
    const setup: AccountEvent = {
      type: 'MfaSetupStarted',
      data: {
        accountId,
        method: 'sms',
        secretKey: 'mfa:1',
        ...of('a'),
        backupCodeHashes: [],
        expiresAt: minutes(10).toISOString(),
      },
    };
    const enabled: AccountEvent = { type: 'MfaEnabled', data: { accountId, method: 'sms', at } };
    const past = [registered, added('a'), proved('a'), primary('a'), setup];
    given(...past, enabled)
      .when(removePhoneNumber, of('a'), holder)
      .rejected('number-in-use');
    given(...past)
      .when(removePhoneNumber, of('a'), holder)
      .then(removed('a'));
    given(...past, removed('a'))
      .when(confirmMfaSetup, { code: '123456' }, holder, { right: true, sameSecret: true })
      .rejected('mfa-not-pending');
  });
  t.test('is refused for one that is not there', async () =>
    given(registered, added('a'), removed('a')).when(removePhoneNumber, of('a'), holder).rejected('number-unknown'),
  );
});

t.test('a number that somebody else has proved', async (t) => {
  const lost = { accountId, numberHash: 'hash a' };
  t.test('is taken away unless it was verified', async () => {
    given(registered, added('a')).when(loseNumber, lost, system).then(removed('a'));
    given(registered, added('b')).when(loseNumber, lost, system).nothing();
    given(registered, added('a'), proved('a')).when(loseNumber, lost, system).rejected('number-taken');
  });
});
