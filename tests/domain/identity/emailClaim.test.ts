import t from 'tap';
import {
  claimEmail,
  type EmailClaimEvent,
  emailClaim,
  requestEmailVerification,
} from '../../../src/domain/identity/emailClaim.ts';
import { id, now, spec } from '../../support/spec.ts';

const given = spec(emailClaim);
const ada = { accountId: id('ada') };
const bob = { accountId: id('bob') };
const at = now.toISOString();
const claimed = (by: { accountId: string }): EmailClaimEvent => ({
  type: 'EmailClaimed',
  data: { ...by, claimedAt: at },
});

t.test('reserving an address', async (t) => {
  t.test('gives it to the first, and to the same one again', async () => {
    given().when(claimEmail, ada).then(claimed(ada));
    given(claimed(ada)).when(claimEmail, ada).nothing();
  });
  t.test('is refused to another', async () =>
    given(claimed(ada)).when(claimEmail, bob).rejected('email-taken', 'email'),
  );
  t.test('takes the place of the owner that was given up, and of no other', async () => {
    given(claimed(ada))
      .when(claimEmail, { ...bob, insteadOf: ada.accountId })
      .then(claimed(bob));
    given(claimed(ada), claimed(bob))
      .when(claimEmail, { accountId: id('cid'), insteadOf: ada.accountId })
      .rejected('email-taken', 'email');
  });
});

t.test('asking for another verification mail', async (t) => {
  const email = 'ada@example.org';
  const asked = { type: 'EmailVerificationAsked' as const, data: { ...ada, askedAt: at } };
  t.test('is noted for an owner and for nobody alike', async () => {
    given(claimed(ada)).when(requestEmailVerification, { email }).then(asked);
    given()
      .when(requestEmailVerification, { email })
      .then({ type: 'EmailVerificationAsked', data: { askedAt: at } });
  });
  t.test('is refused for five minutes', async (t) => {
    const after = (seconds: number) =>
      given(asked).when(requestEmailVerification, { email }, { now: new Date(now.getTime() + seconds * 1000) });
    after(299).rejected('asked-recently');
    t.match(after(299).outcome, { retryAfter: 1 });
    t.ok(Array.isArray(after(300).outcome));
  });
});
