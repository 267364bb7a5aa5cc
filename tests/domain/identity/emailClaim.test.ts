import t from 'tap';
import {
  claimEmail,
  type EmailClaimEvent,
  emailClaim,
  releaseEmail,
  requestEmailVerification,
  requestPasswordReset,
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

t.test('a reservation that lapsed', async (t) => {
  const later = new Date(now.getTime() + 60_000);
  const again: EmailClaimEvent = { type: 'EmailClaimed', data: { ...ada, claimedAt: later.toISOString() } };
  const instead = { ...bob, insteadOf: ada.accountId, since: at };
  t.test('is taken over as it was looked at, and not when it was renewed since', async () => {
    given(claimed(ada)).when(claimEmail, instead).then(claimed(bob));
    given(claimed(ada), again).when(claimEmail, instead).rejected('email-taken', 'email');
  });
  t.test('is renewed by its holder', async () =>
    given(claimed(ada))
      .when(claimEmail, { ...ada, anew: true }, { now: later })
      .then(again),
  );
  const input = { ...ada, emailHash: 'hash' };
  const released: EmailClaimEvent = { type: 'EmailReleased', data: ada };
  t.test('is given back, and free then', async () => {
    given(claimed(ada)).when(releaseEmail, input, undefined, { lapsed: at }).then(released);
    given(claimed(ada), released).when(claimEmail, bob).then(claimed(bob));
    given(claimed(ada), released).when(releaseEmail, input, undefined, { lapsed: at }).nothing();
  });
  t.test('is not given back by others, while it is needed, or when it was renewed since', async () => {
    given(claimed(bob)).when(releaseEmail, input, undefined, { lapsed: at }).nothing();
    given(claimed(ada)).when(releaseEmail, input, undefined, { lapsed: undefined }).nothing();
    given(claimed(ada), again).when(releaseEmail, input, undefined, { lapsed: at }).nothing();
    given().when(releaseEmail, input, undefined, { lapsed: undefined }).nothing();
  });
});

t.test('asking for another password', async (t) => {
  const email = 'ada@example.org';
  const asked = (minutes: number): EmailClaimEvent => ({
    type: 'PasswordResetAsked',
    data: { askedAt: new Date(now.getTime() + minutes * 60_000).toISOString() },
  });
  t.test('is noted for an owner and for nobody alike', async () => {
    given().when(requestPasswordReset, { email }).then(asked(0));
    given(claimed(ada))
      .when(requestPasswordReset, { email })
      .then({ type: 'PasswordResetAsked', data: { ...ada, askedAt: at } });
  });
  t.test('is refused a fourth time within the hour', async (t) => {
    const past = [asked(-90), asked(-59), asked(-30), asked(-1)];
    const { outcome } = given(...past).when(requestPasswordReset, { email });
    t.match(outcome, { code: 'RATE_LIMIT_EXCEEDED', reason: 'asked-often', retryAfter: 60 });
    given(asked(-60), asked(-30), asked(-1)).when(requestPasswordReset, { email }).then(asked(0));
    given(asked(-30), asked(-1)).when(requestPasswordReset, { email }).then(asked(0));
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
