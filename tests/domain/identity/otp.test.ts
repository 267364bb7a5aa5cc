import t from 'tap';
import {
  challengeOf,
  checkOtp,
  type OtpEvent,
  otp,
  sendOtp,
  targetOfChallenge,
} from '../../../src/domain/identity/otp.ts';
import { entropy, id, now, spec, system } from '../../support/spec.ts';

const given = spec(otp);
const TARGET = '0123456789abcdef01';
const facts = { targetHash: TARGET, identifierHash: 'i1', accountId: id('ada'), channel: 'email' as const };
const challengeId = '01234567-89ab-8cde-af01-001122334455';
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
const issued = (at: Date = now, challenge: string = challengeId): OtpEvent => ({
  type: 'OtpIssued',
  data: {
    ...facts,
    challengeId: challenge,
    purpose: 'login',
    at: at.toISOString(),
    expiresAt: new Date(at.getTime() + 300_000).toISOString(),
  },
});
const rejected = (attempts: number): OtpEvent => ({
  type: 'OtpRejected',
  data: { challengeId, accountId: id('ada'), attempts, voided: attempts >= 5 },
});
const verified: OtpEvent = { type: 'OtpVerified', data: { challengeId, accountId: id('ada'), purpose: 'login' } };
const address = { email: 'ada@example.org' };
const at = (date: Date) => ({ actor: system, now: date });

t.test('sending a code', async (t) => {
  t.test('names a challenge that carries its target, for five minutes', async (t) => {
    const { outcome } = given().when(sendOtp, address, { actor: system, entropy }, facts);
    t.same(outcome, [issued()]);
    t.equal(targetOfChallenge(challengeId), TARGET);
  });
  t.test('takes exactly one identifier', async () => {
    given().when(sendOtp, {}, system, facts).rejected('input-invalid', 'email');
    given()
      .when(sendOtp, { ...address, agentCode: 'A1' }, system, facts)
      .rejected('input-invalid', 'email');
  });
  t.test('waits a minute for each purpose', async (t) => {
    const soon = given(issued()).when(sendOtp, address, at(later(59)), facts);
    soon.rejected('code-sent-recently');
    t.match(soon.outcome, { code: 'RATE_LIMIT_EXCEEDED', retryAfter: 1 });
    t.match(given(issued()).when(sendOtp, address, at(later(60)), facts).outcome, [{ type: 'OtpIssued' }]);
    const other = given(issued()).when(sendOtp, { ...address, purpose: 'mfa' }, at(later(1)), facts);
    t.match(other.outcome, [{ data: { purpose: 'mfa' } }]);
  });
  t.test('goes out five times an hour', async (t) => {
    const five = [0, 100, 200, 300, 400].map((seconds) => issued(later(seconds)));
    const sixth = given(...five).when(sendOtp, address, at(later(500)), facts);
    sixth.rejected('code-sent-recently');
    t.match(sixth.outcome, { retryAfter: 3_100 });
    t.match(given(...five).when(sendOtp, address, at(later(3_600)), facts).outcome, [{ type: 'OtpIssued' }]);
  });
});

t.test('checking a code', async (t) => {
  const check = (right: boolean) => ({ challengeId, right });
  t.test('counts the right one once', async () => {
    given(issued()).when(checkOtp, {}, system, check(true)).then(verified);
    given(issued(), verified).when(checkOtp, {}, system, check(true)).rejected('code-wrong');
  });
  t.test('voids it with the fifth wrong one', async () => {
    for (const before of [0, 1, 2, 3, 4])
      given(issued(), ...[1, 2, 3, 4].slice(0, before).map(rejected))
        .when(checkOtp, {}, system, check(false))
        .then(rejected(before + 1));
    given(issued(), ...[1, 2, 3, 4, 5].map(rejected))
      .when(checkOtp, {}, system, check(true))
      .rejected('code-wrong');
  });
  t.test('refuses one that has expired, or that a newer one has voided', async () => {
    given(issued())
      .when(checkOtp, {}, at(later(300)), check(true))
      .rejected('code-wrong');
    given(issued(), issued(later(60), '01234567-89ab-8cde-af01-999999999999'))
      .when(checkOtp, {}, at(later(61)), check(true))
      .rejected('code-wrong');
    given().when(checkOtp, {}, system, check(true)).rejected('code-wrong');
  });
  t.test('never accepts one that was sent to nobody', async (t) => {
    const { accountId: _nobody, ...unknown } = facts;
    const { outcome, state } = given().when(sendOtp, address, { actor: system, entropy }, unknown);
    t.match(outcome, [{ type: 'OtpIssued' }]);
    t.equal(challengeOf(state, { challengeId })?.accountId, undefined);
    const past = outcome as readonly OtpEvent[];
    t.match(given(...past).when(checkOtp, {}, system, check(true)).outcome, [{ type: 'OtpRejected' }]);
  });
});
