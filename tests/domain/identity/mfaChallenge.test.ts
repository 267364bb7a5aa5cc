import t from 'tap';
import {
  issueMfaChallenge,
  type MfaChallengeEvent,
  mfaChallenge,
  openChallenge,
  verifyMfaChallenge,
} from '../../../src/domain/identity/mfaChallenge.ts';
import { id, now, spec, system } from '../../support/spec.ts';

const given = spec(mfaChallenge);
const challengeId = id('challenge');
const accountId = id('ada');
const asking = {
  challengeId,
  accountId,
  identifierHash: 'i1',
  first: 'password' as const,
  methods: ['totp' as const],
  credentials: 0,
};
const later = (seconds: number): Date => new Date(now.getTime() + seconds * 1000);
const issued: MfaChallengeEvent = {
  type: 'MfaChallengeIssued',
  data: { ...asking, at: now.toISOString(), expiresAt: later(300).toISOString() },
};
const failed = (attempts: number): MfaChallengeEvent => ({
  type: 'MfaChallengeFailed',
  data: { challengeId, accountId, attempts },
});
const passed: MfaChallengeEvent = { type: 'MfaChallengePassed', data: { challengeId, accountId, via: 'totp' } };
const input = { challengeToken: 'token', code: '123456' };
const wrong = { challengeId, via: undefined };
const right = { challengeId, via: 'totp' as const };

t.test('asking for the second factor', async () => {
  given().when(issueMfaChallenge, asking, system).then(issued);
  given(issued).when(issueMfaChallenge, asking, system).nothing();
});

t.test('answering', async (t) => {
  t.test('passes with the right code, once', async () => {
    given(issued).when(verifyMfaChallenge, input, system, right).then(passed);
    given(issued, passed).when(verifyMfaChallenge, input, system, right).rejected('code-wrong');
  });
  t.test('counts wrong codes, and the fifth voids the challenge', async (t) => {
    for (const before of [0, 1, 2, 3, 4])
      given(issued, ...[1, 2, 3, 4].slice(0, before).map(failed))
        .when(verifyMfaChallenge, input, system, wrong)
        .then(failed(before + 1));
    const voided = given(issued, ...[1, 2, 3, 4, 5].map(failed)).when(verifyMfaChallenge, input, system, right);
    voided.rejected('code-wrong');
    t.equal(openChallenge(voided.state, now), undefined);
  });
  t.test('is refused after five minutes, and for a challenge that never was', async () => {
    given(issued)
      .when(verifyMfaChallenge, input, { actor: system, now: later(300) }, right)
      .rejected('code-wrong');
    given().when(verifyMfaChallenge, input, system, right).rejected('code-wrong');
  });
  t.test('takes a code or a backup code', async () => {
    const { code: _none, ...neither } = input;
    given(issued).when(verifyMfaChallenge, neither, system, right).rejected('input-invalid', 'code');
    given(issued)
      .when(verifyMfaChallenge, { ...input, backupCode: '12345678' }, system, right)
      .rejected('input-invalid', 'code');
    given(issued)
      .when(verifyMfaChallenge, { ...neither, backupCode: '1234' }, system, right)
      .rejected('input-invalid', 'backupCode');
  });
});
