import t from 'tap';
import { ERASED } from '../../../src/domain/decider.ts';
import { type AccountEvent, events } from '../../../src/domain/identity/account/index.ts';
import { type AccountRow, accounts } from '../../../src/projections/identity/accounts.ts';
import { loginHistory } from '../../../src/projections/identity/loginHistory.ts';
import { at, deactivated, erased, locked, minutes, registered, verified } from '../../domain/identity/account/past.ts';

type Fold = (row: unknown, event: object, key: string) => unknown;
const fold = <Row>(of: { readonly fold: object }, ...history: readonly { type: string; data: object }[]) =>
  history.reduce<unknown>((row, { type, data }, revision) => {
    const one = (of.fold as Record<string, Fold>)[type];
    if (one === undefined) throw new Error(`${type} is not folded`);
    const event = { type, data, revision, recordedAt: minutes(revision).toISOString() };
    return one(row, event, registered.data.accountId);
  }, undefined) as Row;
const rowOf = (...history: readonly AccountEvent[]) => fold<AccountRow>(accounts, registered, ...history);

const { accountId } = registered.data;
const phone = (phoneNumberId: string): AccountEvent => ({
  type: 'PhoneNumberAdded',
  data: { accountId, phoneNumberId, number: `+49${phoneNumberId}`, numberHash: 'hash', at },
});

t.test('every event of an account is folded, so that the version is the revision of its stream', async (t) => {
  t.ok(Object.keys(events).length > 30);
  for (const type of Object.keys(events)) t.ok(type in accounts.fold, type);
  t.match(rowOf(verified, locked(minutes(5))), { version: 2, updated_at: minutes(2).toISOString() });
});

t.test('the number that is shown is the primary one, or the first', async (t) => {
  const proved: AccountEvent = { type: 'PhoneNumberVerified', data: { accountId, phoneNumberId: '2', at } };
  const primary: AccountEvent = { type: 'PrimaryPhoneNumberSet', data: { accountId, phoneNumberId: '2' } };
  const removed: AccountEvent = {
    type: 'PhoneNumberRemoved',
    data: { accountId, phoneNumberId: '2', numberHash: 'hash' },
  };
  const two = [phone('1'), phone('2')];
  t.match(rowOf(), { phone_number: null, phone_verified: false });
  t.match(rowOf(...two), { phone_number: '+491', phone_verified: false });
  t.match(rowOf(...two, proved, primary), { phone_number: '+492', phone_verified: true });
  t.match(rowOf(...two, proved, primary, removed), {
    phone_number: '+491',
    phone_verified: false,
    primary_phone_id: null,
  });
});

t.test('an erased account has nothing personal left', async (t) => {
  const profile: AccountEvent = {
    type: 'ProfileUpdated',
    data: { accountId, changed: { displayName: 'Ada L.', photoURL: 'https://example.org/ada.png' } },
  };
  const row = rowOf(profile, phone('1'), deactivated, erased);
  t.match(row, { status: 'erased', email: ERASED, display_name: 'deleted user', photo_url: null, phone_number: null });
  const left = JSON.stringify(row);
  for (const clear of ['ada', 'Ada', '+49']) t.notOk(left.includes(clear), clear);
});

t.test('the history of log-ins keeps a hundred, newest first', async (t) => {
  const attempt = (index: number) => ({
    type: 'LoginSucceeded',
    data: { accountId, ip: String(index), userAgent: 'x' },
  });
  const { attempts } = fold<{ attempts: { ip: string }[] }>(
    loginHistory,
    ...Array.from({ length: 105 }, (_, index) => attempt(index)),
  );
  t.equal(attempts.length, 100);
  t.equal(attempts[0]?.ip, '104');
  t.equal(attempts.at(-1)?.ip, '5');
  t.equal(fold(loginHistory, attempt(0), erased), undefined, 'and nothing of an erased account');
  const unknown = loginHistory.key.of({ type: 'LoginFailed', data: {} } as never);
  t.strictSame(unknown, [], 'an attempt with an unknown identifier belongs to nobody');
});
