import t from 'tap';
import {
  endLoginSession,
  isAlive,
  type LoginSessionEvent,
  loginSession,
  refreshSession,
  revokeLoginSession,
  startLoginSession,
} from '../../../src/domain/identity/loginSession.ts';
import { id, now, spec, system, user } from '../../support/spec.ts';

const given = spec(loginSession);
const sessionId = id('session');
const ada = user(id('ada'));
const accountId = ada.id;
const ip = '203.0.113.7';
const days = (count: number): Date => new Date(now.getTime() + count * 86_400_000);
const opening = { sessionId, accountId, method: 'password' as const, refreshTokenHash: 'h1', ip, userAgent: 'curl' };
const started: LoginSessionEvent = {
  type: 'LoginSessionStarted',
  data: { ...opening, expiresAt: days(7).toISOString() },
};
const refreshed = (refreshTokenHash: string): LoginSessionEvent => ({
  type: 'LoginSessionRefreshed',
  data: { sessionId, accountId, refreshTokenHash, expiresAt: days(7).toISOString(), ip },
});
const revoked = (by: 'owner' | 'admin' | 'logout' | 'reuse'): LoginSessionEvent => ({
  type: 'LoginSessionRevoked',
  data: { sessionId, accountId, by },
});

t.test('starting a session', async (t) => {
  t.test('gives it seven days, once', async () => {
    given().when(startLoginSession, opening, system).then(started);
    given(started).when(startLoginSession, opening, system).nothing();
  });
  t.test('notes the device', async (t) => {
    const { outcome } = given().when(startLoginSession, { ...opening, deviceId: 'd1', deviceName: 'Laptop' }, system);
    t.match(outcome, [{ data: { deviceId: 'd1', deviceInfo: 'Laptop' } }]);
  });
});

t.test('exchanging the refresh token', async (t) => {
  const exchange = { refreshToken: 'its clear value' };
  const of = (hash: string, generation = 0, behind = false) => ({
    sessionId,
    presented: { hash, generation },
    behind,
    nextHash: 'next',
    ip,
  });
  t.test('puts the next in its place and begins seven days anew', async (t) => {
    given(started).when(refreshSession, exchange, system, of('h1')).then(refreshed('next'));
    const { state } = given(started).when(refreshSession, exchange, { actor: system, now: days(6) }, of('h1'));
    t.ok(isAlive(state, days(12)));
  });
  t.test('with one that was exchanged before ends the session', async () => {
    const reuse = { type: 'RefreshTokenReuseDetected' as const, data: { sessionId, accountId, ip } };
    for (const [generation, past] of ['h1', 'h2'].entries())
      given(started, refreshed('h2'), refreshed('h3'))
        .when(refreshSession, exchange, system, of(past, generation))
        .then(reuse, revoked('reuse'));
    const many = Array.from({ length: 400 }, (_, count) => refreshed(`exchanged ${count}`));
    given(started, ...many)
      .when(refreshSession, exchange, system, of('h1'))
      .then(reuse, revoked('reuse'));
  });
  t.test('on a state that lacks its newest exchanges is decided again', async () => {
    given(started)
      .when(refreshSession, exchange, system, of('h2', 1, true))
      .then(refreshed('next'));
    given(started).when(refreshSession, exchange, system, of('h2', 1)).rejected('refresh-token-invalid');
    given(started, refreshed('h2'))
      .when(refreshSession, exchange, system, of('another', 1, true))
      .rejected('refresh-token-invalid');
  });
  t.test('is refused for a token that never was, a session that ended or never was', async () => {
    given(started).when(refreshSession, exchange, system, of('forged')).rejected('refresh-token-invalid');
    given(started, revoked('logout'))
      .when(refreshSession, exchange, system, of('h1'))
      .rejected('refresh-token-invalid');
    given(started)
      .when(refreshSession, exchange, { actor: system, now: days(7) }, of('h1'))
      .rejected('refresh-token-invalid');
    given().when(refreshSession, exchange, system, of('h1')).rejected('refresh-token-invalid');
  });
});

t.test('ending a session', async (t) => {
  t.test('is for its owner and for administrators', async () => {
    given(started).when(revokeLoginSession, { sessionId }, ada).then(revoked('owner'));
    given(started)
      .when(revokeLoginSession, { sessionId }, { ...ada, sessionId })
      .then(revoked('logout'));
    given(started)
      .when(revokeLoginSession, { sessionId }, user(id('admin'), '*:*'))
      .then(revoked('admin'));
  });
  t.test('of a stranger is not found', async () => {
    given(started)
      .when(revokeLoginSession, { sessionId }, user(id('eve'), 'read:users'))
      .rejected('session-unknown');
    given().when(revokeLoginSession, { sessionId }, ada).rejected('session-unknown');
  });
  t.test('twice changes nothing', async () => {
    given(started, revoked('owner')).when(revokeLoginSession, { sessionId }, ada).nothing();
    given(started, revoked('owner')).when(endLoginSession, { sessionId, by: 'logout' }, system).nothing();
  });
  t.test('for a reason tells it', async () => {
    given(started).when(endLoginSession, { sessionId, by: 'logout' }, system).then(revoked('logout'));
    given().when(endLoginSession, { sessionId, by: 'logout' }, system).nothing();
  });
});
