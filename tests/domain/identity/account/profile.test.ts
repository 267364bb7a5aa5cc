import t from 'tap';
import {
  type AccountEvent,
  account,
  preferencesOf,
  replacePreferences,
  replaceProfile,
  updatePreferences,
  updateProfile,
} from '../../../../src/domain/identity/account/index.ts';
import { id, spec, user } from '../../../support/spec.ts';
import { accountId, erased, registered, verified } from './past.ts';

const given = spec(account);
const holder = user(accountId);
const admin = user(id('admin'), '*:*');
const writer = user(id('writer'), 'write:users');
const stranger = user(id('stranger'));
const facts = { displayName: 'Ada', photoURL: null };

type Changed = Extract<AccountEvent, { type: 'ProfileUpdated' }>['data']['changed'];
const updated = (changed: Changed): AccountEvent => ({ type: 'ProfileUpdated', data: { accountId, changed } });
const defaults = preferencesOf({ language: 'en', timezone: 'UTC' });
const preferred = (some: object): AccountEvent => ({
  type: 'PreferencesUpdated',
  data: { accountId, preferences: { ...defaults, ...some } },
});

t.test('changing a profile in part', async (t) => {
  t.test('keeps what is not given', async () => {
    given(registered)
      .when(updateProfile, { displayName: ' Ada L. ' }, holder, facts)
      .then(updated({ displayName: 'Ada L.' }));
    given(registered)
      .when(updateProfile, { timezone: 'europe/berlin' }, holder, facts)
      .then(updated({ timezone: 'Europe/Berlin' }));
    given(registered)
      .when(updateProfile, { photoURL: null }, holder, { ...facts, photoURL: 'https://example.org/a.png' })
      .then(updated({ photoURL: null }));
  });
  t.test('takes preferences along', async () =>
    given(registered)
      .when(updateProfile, { timezone: 'Europe/Berlin', preferences: { theme: 'dark' } }, holder, facts)
      .then(updated({ timezone: 'Europe/Berlin' }), preferred({ theme: 'dark', timezone: 'Europe/Berlin' })),
  );
  t.test('changes nothing when all of it is so already, or nothing was given', async () => {
    for (const input of [
      {},
      { displayName: 'Ada', photoURL: null, timezone: 'UTC', preferences: { theme: 'auto' as const } },
    ])
      given(registered).when(updateProfile, input, holder, facts).nothing();
  });
  t.test('ignores what is not for a profile', async () =>
    given(registered)
      .when(updateProfile, { role: 'admin', plan: 'enterprise', emailVerified: true } as never, holder, facts)
      .nothing(),
  );
  t.test('may be meant for one version', async (t) => {
    given(registered, verified)
      .when(updateProfile, { displayName: 'B', version: 0 }, holder, facts)
      .rejected('stale-version', 'version');
    const { outcome } = given(registered, verified).when(
      updateProfile,
      { displayName: 'B', version: 1 },
      holder,
      facts,
    );
    t.strictSame(outcome, [updated({ displayName: 'B' })]);
  });
  t.test('refuses what no profile may hold', async () => {
    const bad = {
      displayName: '',
      photoURL: 'http://example.org',
      timezone: '+02:00',
      preferences: { theme: 'blue' },
      version: -1,
    };
    for (const [field, value] of Object.entries(bad))
      given(registered)
        .when(updateProfile, { [field]: value } as never, holder, facts)
        .rejected('input-invalid', field === 'preferences' ? 'preferences.theme' : field);
  });
});

t.test('replacing a profile puts back what is not given', async () => {
  const past = [registered, updated({ timezone: 'Europe/Berlin', photoURL: 'https://example.org/a.png' })];
  given(...past)
    .when(replaceProfile, { displayName: 'Ada' }, holder, { ...facts, photoURL: 'https://example.org/a.png' })
    .then(updated({ photoURL: null, timezone: 'UTC' }));
  given(registered).when(replaceProfile, { displayName: 'Ada' }, holder, facts).nothing();
  given(registered)
    .when(replaceProfile, {} as never, holder, facts)
    .rejected('input-invalid', 'displayName');
});

t.test('profiles of others', async (t) => {
  const input = { accountId, displayName: 'B' };
  t.test('are changed by those who may change accounts', async () => {
    for (const actor of [writer, admin]) {
      given(registered)
        .when(updateProfile, input, actor, facts)
        .then(updated({ displayName: 'B' }));
      given(registered)
        .when(replaceProfile, input, actor, facts)
        .then(updated({ displayName: 'B' }));
    }
    given(registered).when(updateProfile, input, stranger, facts).rejected('permission-missing');
    given(registered)
      .when(updateProfile, input, { ...writer, verified: false }, facts)
      .rejected('permission-missing');
    given().when(updateProfile, input, stranger, facts).rejected('permission-missing');
  });
  t.test('are not found where there is no account', async () => {
    for (const past of [[], [registered, erased]])
      given(...past)
        .when(updateProfile, input, admin, facts)
        .rejected('account-unknown');
  });
  t.test('have preferences that only administrators change', async () => {
    const dark = { accountId, theme: 'dark' as const };
    given(registered)
      .when(updatePreferences, dark, admin)
      .then(preferred({ theme: 'dark' }));
    given(registered).when(updatePreferences, dark, writer).rejected('permission-missing');
    given(registered).when(replacePreferences, dark, writer).rejected('permission-missing');
  });
});

t.test('preferences', async (t) => {
  const dark = preferred({ theme: 'dark', notifications: { email: true, push: false, reminder: true } });
  t.test('are merged by a change', async () =>
    given(registered, dark)
      .when(updatePreferences, { timeFormat: '12h', notifications: { email: false } }, holder)
      .then(
        preferred({ theme: 'dark', timeFormat: '12h', notifications: { email: false, push: false, reminder: true } }),
      ),
  );
  t.test('take one value for all three switches', async () => {
    const off = { email: false, push: false, reminder: false };
    given(registered, dark)
      .when(updatePreferences, { notifications: false }, holder)
      .then(preferred({ theme: 'dark', notifications: off }));
    given(registered, dark)
      .when(replacePreferences, { notifications: false }, holder)
      .then(preferred({ notifications: off }));
  });
  t.test('fall back to the defaults when they are replaced, but for language and time zone', async () => {
    const german = preferred({ theme: 'dark', language: 'de', timezone: 'Europe/Berlin' });
    given(registered, german)
      .when(replacePreferences, {}, holder)
      .then(preferred({ language: 'de', timezone: 'Europe/Berlin' }));
    given(registered, preferred({})).when(replacePreferences, {}, holder).nothing();
  });
  t.test('and the profile have one time zone', async (t) => {
    const { state } = given(registered).when(updatePreferences, { timezone: 'Europe/Berlin', language: 'de' }, holder);
    t.match(state, { timezone: 'Europe/Berlin', language: 'de' });
    const later = given(registered, dark).when(updateProfile, { timezone: 'Asia/Tokyo' }, holder, facts).state;
    t.match(preferencesOf(later), { theme: 'dark', timezone: 'Asia/Tokyo' });
  });
  t.test('may be meant for one version', async () =>
    given(registered, dark).when(replacePreferences, { version: 0 }, holder).rejected('stale-version', 'version'),
  );
  t.test('change nothing when they are so already', async () =>
    given(registered).when(updatePreferences, { theme: 'auto' }, holder).nothing(),
  );
});
