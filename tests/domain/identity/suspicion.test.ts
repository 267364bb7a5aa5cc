import t from 'tap';
import { type KnownDevicesEvent, knownDevices, noteDevice } from '../../../src/domain/identity/knownDevices.ts';
import {
  flagSuspiciousActivity,
  type Sign,
  type SuspicionEvent,
  suspicion,
} from '../../../src/domain/identity/suspicion.ts';
import { id, now, spec, system } from '../../support/spec.ts';

const given = spec(suspicion);
const accountId = id('ursula');
const ip = '203.0.113.7';
const at = now.toISOString();
const before = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString();
const detected = (data: Partial<SuspicionEvent['data']>): SuspicionEvent => ({
  type: 'SuspiciousActivityDetected',
  data: { pattern: 'new_device', ip, ipKey: accountId, evidence: {}, at, ...data },
});

t.test('a suspicion of one sign', async (t) => {
  const evidence = { sessionId: id('session') };
  const input = { pattern: 'refresh_reuse' as const, accountId, ip, at, evidence };
  const told = detected({ pattern: 'refresh_reuse', accountId, evidence });
  t.test('is told, once', async () => {
    given().when(flagSuspiciousActivity, input, system, { signs: [] }).then(told);
    given(told).when(flagSuspiciousActivity, input, system, { signs: [] }).nothing();
  });
});

t.test('a spray of passwords', async (t) => {
  const input = { pattern: 'password_spray' as const, ip, at };
  /** One sign a minute, the newest now, about so many accounts. */
  const signs = (times: number, things: number, apart = 60): readonly Sign[] =>
    Array.from({ length: times }, (_, index) => ({
      at: before((times - 1 - index) * apart),
      about: id(`account ${index % things}`),
      count: 1,
    }));
  const when = (facts: readonly Sign[]) => given().when(flagSuspiciousActivity, input, system, { signs: facts });
  t.test('is ten failures over three accounts in a quarter of an hour', async () => {
    const evidence = { times: 10, things: 3 };
    when(signs(10, 3)).then(detected({ pattern: 'password_spray', ipKey: 'month:2026-03', evidence }));
    when(signs(9, 3)).nothing();
    when(signs(10, 2)).nothing();
    when(signs(10, 3, 100)).nothing();
    when([...signs(9, 3), { at: before(-60), about: id('later'), count: 5 }]).nothing();
  });
});

t.test('a probe of what one may', async (t) => {
  const input = { pattern: 'access_probing' as const, accountId, ip: null, at };
  const when = (...signs: readonly Sign[]) => given().when(flagSuspiciousActivity, input, system, { signs });
  const sign = (count: number, ago = 0): Sign => ({ at: before(ago), about: '/rbac/roles', count });
  t.test('is twenty refusals in ten minutes, counted singly', async () => {
    const evidence = { times: 20, things: 1 };
    when(sign(8, 599), sign(12)).then(detected({ pattern: 'access_probing', accountId, ip: null, evidence }));
    when(sign(7, 599), sign(12)).nothing();
    when(sign(8, 600), sign(12)).nothing();
  });
});

t.test('lock-outs of one account', async (t) => {
  const input = { pattern: 'many_lockouts' as const, accountId, ip: null, at };
  const DAY = 24 * 60 * 60;
  const when = (...ago: readonly number[]) =>
    given().when(flagSuspiciousActivity, input, system, {
      signs: ago.map((seconds) => ({ at: before(seconds), about: accountId, count: 1 })),
    });
  t.test('are suspicious when there are three in a day', async () => {
    const evidence = { times: 3, things: 1 };
    const told = detected({ pattern: 'many_lockouts', accountId, ip: null, evidence });
    when(DAY - 1, 3600, 0).then(told);
    when(DAY, 3600, 0).nothing();
    when(3600, 0).nothing();
    given(told).when(flagSuspiciousActivity, input, system, { signs: [] }).nothing();
  });
});

t.test('the devices of an account', async (t) => {
  const of = spec(knownDevices);
  const data = { accountId, sessionId: id('session'), ip, at };
  const input = { ...data, device: 'Mozilla/5.0' };
  const seen = (deviceHash: string, first: boolean): KnownDevicesEvent => ({
    type: 'DeviceSeen',
    data: { ...data, deviceHash, first },
  });
  t.test('are each noted once, and the first is told from the others', async () => {
    of().when(noteDevice, input, system, { deviceHash: 'a' }).then(seen('a', true));
    of(seen('a', true)).when(noteDevice, input, system, { deviceHash: 'b' }).then(seen('b', false));
    of(seen('a', true), seen('b', false)).when(noteDevice, input, system, { deviceHash: 'a' }).nothing();
  });
});
