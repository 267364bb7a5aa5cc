import t from 'tap';
import {
  claimOAuthIdentity,
  type OAuthIdentityEvent,
  oauthIdentity,
  releaseOAuthIdentity,
} from '../../../src/domain/identity/oauthIdentity.ts';
import { id, now, spec } from '../../support/spec.ts';

const given = spec(oauthIdentity);
const ada = { accountId: id('ada') };
const bob = { accountId: id('bob') };
const at = now.toISOString();
const later = new Date(now.getTime() + 60_000);
const claimed = (by: { accountId: string }, claimedAt = at): OAuthIdentityEvent => ({
  type: 'OAuthIdentityClaimed',
  data: { ...by, claimedAt },
});
const released: OAuthIdentityEvent = { type: 'OAuthIdentityReleased', data: ada };

t.test('reserving a person of a provider', async (t) => {
  t.test('gives it to the first, who may renew it', async () => {
    given().when(claimOAuthIdentity, ada).then(claimed(ada));
    given(claimed(ada)).when(claimOAuthIdentity, ada, { now: later }).then(claimed(ada, later.toISOString()));
  });
  t.test('is refused to another', async () =>
    given(claimed(ada)).when(claimOAuthIdentity, bob).rejected('identity-taken'),
  );
  t.test('takes the place of the reservation that was looked at, and of no later one', async () => {
    const instead = { ...bob, insteadOf: { ...ada, claimedAt: at } };
    given(claimed(ada)).when(claimOAuthIdentity, instead).then(claimed(bob));
    given(claimed(ada, later.toISOString())).when(claimOAuthIdentity, instead).rejected('identity-taken');
    given(claimed({ accountId: id('cid') }))
      .when(claimOAuthIdentity, instead)
      .rejected('identity-taken');
  });
});

t.test('giving it back', async (t) => {
  const input = { ...ada, subjectHash: 'hash' };
  t.test('makes it free', async () => {
    given(claimed(ada)).when(releaseOAuthIdentity, input, undefined, { lapsed: at }).then(released);
    given(claimed(ada), released).when(claimOAuthIdentity, bob).then(claimed(bob));
  });
  t.test('changes nothing once it is reserved anew, for another, or needed', async () => {
    given(claimed(ada, later.toISOString())).when(releaseOAuthIdentity, input, undefined, { lapsed: at }).nothing();
    given(claimed(bob)).when(releaseOAuthIdentity, input, undefined, { lapsed: at }).nothing();
    given(claimed(ada)).when(releaseOAuthIdentity, input, undefined, { lapsed: undefined }).nothing();
    given().when(releaseOAuthIdentity, input, undefined, { lapsed: at }).nothing();
  });
});
