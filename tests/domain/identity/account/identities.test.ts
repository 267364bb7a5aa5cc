import t from 'tap';
import {
  type AccountEvent,
  account,
  linkIdentity,
  registerByIdentity,
  unlinkOAuthIdentity,
} from '../../../../src/domain/identity/account/index.ts';
import { id, now, spec, user } from '../../../support/spec.ts';

const given = spec(account);
const accountId = id('ada');
const ada = user(accountId);
const at = now.toISOString();
const emailHash = 'hash of the address';

const registered = (passwordHash?: string): AccountEvent => ({
  type: 'AccountRegistered',
  data: {
    accountId,
    email: 'ada@example.org',
    emailHash,
    displayName: 'Ada',
    ...(passwordHash === undefined ? {} : { passwordHash }),
    timezone: 'UTC',
    language: 'en',
    plan: 'free',
    createdFrom: 'web',
    method: passwordHash === undefined ? 'oauth' : 'password',
  },
});
const verified: AccountEvent = { type: 'EmailVerified', data: { accountId, at } };
const google = { accountId, provider: 'google', subject: '4711', subjectHash: 'hash of google/4711' } as const;
const github = { accountId, provider: 'github', subject: '42', subjectHash: 'hash of github/42' } as const;
const linked = (identity: typeof google | typeof github): AccountEvent => ({
  type: 'OAuthIdentityLinked',
  data: identity,
});
const dropped: AccountEvent = { type: 'UnprovedAccessDropped', data: { accountId, at } };
const erased: AccountEvent = { type: 'AccountErased', data: { accountId, by: 'owner', emailHash, at } };

t.test('registering with an identity', async (t) => {
  const input = {
    ...google,
    email: 'ada@example.org',
    emailHash,
    emailVerified: true,
    displayName: 'Ada',
    createdFrom: 'web',
  } as const;
  const told = linked({ ...google, email: 'ada@example.org' } as typeof google);
  t.test('opens an account without a password, whose address is verified as the provider says', async () => {
    given().when(registerByIdentity, input).then(registered(), verified, told);
    given()
      .when(registerByIdentity, { ...input, emailVerified: false })
      .then(registered(), told);
  });
  t.test('happens once', async () => given(registered()).when(registerByIdentity, input).rejected('email-taken'));
});

t.test('linking an identity', async (t) => {
  const link = (more: object = {}) => ({ ...google, by: 'holder' as const, ...more });
  const password = registered('hash');
  t.test('that the holder asks for', async () => {
    given(password, verified).when(linkIdentity, link()).then(linked(google));
    given(password, verified, linked(google)).when(linkIdentity, link()).nothing();
    given(password).when(linkIdentity, link()).then(linked(google));
  });
  t.test('verifies the address that the provider has verified', async () => {
    given(password).when(linkIdentity, link({ emailHash })).then(verified, linked(google));
    given(password)
      .when(linkIdentity, link({ emailHash: 'of another address' }))
      .then(linked(google));
  });
  t.test('is refused beside another of the provider, and on no account', async () => {
    given(password, verified, linked({ ...google, subject: '1', subjectHash: 'another' } as never))
      .when(linkIdentity, link())
      .rejected('provider-linked');
    given(password, erased).when(linkIdentity, link()).rejected('account-unknown');
    given().when(linkIdentity, link()).rejected('account-unknown');
  });
  t.test('by the address needs the very address', async () => {
    given(password, verified)
      .when(linkIdentity, link({ by: 'address', emailHash }))
      .then(linked(google));
    for (const other of [undefined, 'of another address'])
      given(password, verified)
        .when(linkIdentity, link({ by: 'address', emailHash: other }))
        .rejected('email-taken', 'email');
  });
  t.test('by an address that nobody proved drops what was set before', async () => {
    const { outcome, state } = given(password, linked(github)).when(linkIdentity, link({ by: 'address', emailHash }));
    t.strictSame(outcome, [dropped, verified, linked(google)]);
    t.match(state, { emailVerified: true, identities: { google: google.subjectHash }, credentials: 1 });
    t.notOk('passwordAt' in state || 'github' in state.identities);
  });
  t.test('by an address is refused where a telephone number has proved the account', async () => {
    const number = { accountId, phoneNumberId: id('phone') };
    const phone: readonly AccountEvent[] = [
      { type: 'PhoneNumberAdded', data: { ...number, number: '+4930123456', numberHash: 'hash', at } },
      { type: 'PhoneNumberVerified', data: { ...number, at } },
    ];
    given(password, ...phone)
      .when(linkIdentity, link({ by: 'address', emailHash }))
      .rejected('email-unproved');
  });
});

t.test('unlinking an identity', async (t) => {
  const unlinked: AccountEvent = {
    type: 'OAuthIdentityUnlinked',
    data: { accountId, provider: 'google', subjectHash: google.subjectHash },
  };
  const input = { provider: 'google' } as const;
  t.test('needs another way in: a password or another provider', async () => {
    given(registered('hash'), linked(google)).when(unlinkOAuthIdentity, input, ada).then(unlinked);
    given(registered(), linked(google), linked(github)).when(unlinkOAuthIdentity, input, ada).then(unlinked);
    given(registered(), linked(google)).when(unlinkOAuthIdentity, input, ada).rejected('last-way-in');
  });
  t.test('counts as a change of what the account logs in with', async (t) => {
    const { state } = given(registered('hash'), linked(google)).when(unlinkOAuthIdentity, input, ada);
    t.equal(state.credentials, 1);
  });
  t.test('is refused where there is none', async () => {
    given(registered('hash')).when(unlinkOAuthIdentity, input, ada).rejected('identity-unknown');
    given(registered('hash'), linked(google), unlinked)
      .when(unlinkOAuthIdentity, input, ada)
      .rejected('identity-unknown');
    given().when(unlinkOAuthIdentity, input, ada).rejected('identity-unknown');
  });
});
