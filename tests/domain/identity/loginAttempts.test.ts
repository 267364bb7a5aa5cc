import t from 'tap';
import {
  clearLoginFailures,
  type LoginAttemptsEvent,
  logIn,
  loginAttempts,
  recordFailedLogin,
  recordLogin,
} from '../../../src/domain/identity/loginAttempts.ts';
import { id, now, spec, system } from '../../support/spec.ts';

const given = spec(loginAttempts);
const origin = { identifierHash: 'a1', ip: '203.0.113.7', userAgent: 'curl' };
const failure = { ...origin, accountId: id('ada'), reason: 'wrong_secret' as const };
const credentials = { email: 'ada@example.org', password: 'Correct-horse-7' };
const success = { ...origin, accountId: id('ada'), sessionId: id('session'), method: 'password' as const };
const later = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000);
const failed = (consecutiveFailures: number): LoginAttemptsEvent => ({
  type: 'LoginFailed',
  data: {
    ...failure,
    consecutiveFailures,
    ...(consecutiveFailures < 5 ? {} : { lockedUntil: later(15).toISOString() }),
  },
});
const failures = (count: number) => Array.from({ length: count }, (_, index) => failed(index + 1));
const succeeded: LoginAttemptsEvent = { type: 'LoginSucceeded', data: success };

t.test('failed log-ins', async (t) => {
  t.test('are counted, and the fifth in a row locks', async () => {
    for (const count of [0, 1, 2, 3, 4])
      given(...failures(count))
        .when(recordFailedLogin, failure, system)
        .then(failed(count + 1));
  });
  t.test('count for identifiers without an account too', async (t) => {
    const { accountId: _none, ...unknown } = failure;
    const { outcome } = given().when(recordFailedLogin, { ...unknown, reason: 'unknown' }, system);
    t.match(outcome, [{ data: { reason: 'unknown', consecutiveFailures: 1 } }]);
  });
  t.test('begin anew after a success and after a lock', async () => {
    given(...failures(4), succeeded)
      .when(recordFailedLogin, failure, system)
      .then(failed(1));
    given(...failures(5))
      .when(recordFailedLogin, failure, { actor: system, now: later(15) })
      .then(failed(1));
  });
});

t.test('while it is locked', async (t) => {
  t.test('neither failure nor success counts', async (t) => {
    const inLock = { actor: system, now: later(14) };
    const failing = given(...failures(5)).when(recordFailedLogin, failure, inLock);
    failing.rejected('locked');
    t.match(failing.outcome, { code: 'ACCOUNT_LOCKED', retryAfter: 60 });
    const shut = { ...failure, reason: 'locked' as const };
    const noted: LoginAttemptsEvent = { type: 'LoginFailed', data: { ...shut, consecutiveFailures: 0 } };
    given(...failures(5))
      .when(recordFailedLogin, shut, inLock)
      .then(noted);
    given(...failures(5), noted)
      .when(recordLogin, success, inLock)
      .rejected('locked');
    given(...failures(5))
      .when(logIn, credentials, inLock)
      .rejected('locked');
  });
  t.test('the end comes after fifteen minutes', async () =>
    given(...failures(5))
      .when(recordLogin, success, { actor: system, now: later(15) })
      .then(succeeded),
  );
});

t.test('an attempt on a locked account does not count among the failures of its identifier', async () => {
  const noted: LoginAttemptsEvent = {
    type: 'LoginFailed',
    data: { ...failure, reason: 'locked', consecutiveFailures: 4 },
  };
  given(...failures(4))
    .when(recordFailedLogin, { ...failure, reason: 'locked' }, system)
    .then(noted);
  given(...failures(4), noted)
    .when(recordFailedLogin, failure, system)
    .then(failed(5));
});

t.test('a log-in tells its device', async () =>
  given()
    .when(recordLogin, { ...success, deviceId: 'laptop' }, system)
    .then({ type: 'LoginSucceeded', data: { ...success, deviceId: 'laptop' } }),
);

t.test('failures that are forgotten', async () => {
  const input = { identifierHash: 'a1', accountId: id('ada') };
  const cleared: LoginAttemptsEvent = { type: 'LoginFailuresCleared', data: input };
  given(...failures(3))
    .when(clearLoginFailures, input, system)
    .then(cleared);
  given(...failures(5))
    .when(clearLoginFailures, input, system)
    .then(cleared);
  given(...failures(5), cleared)
    .when(logIn, credentials)
    .nothing();
  given(...failures(4), cleared)
    .when(recordFailedLogin, failure, system)
    .then(failed(1));
  given(...failures(5), cleared)
    .when(clearLoginFailures, input, system)
    .nothing();
  given().when(clearLoginFailures, input, system).nothing();
});
