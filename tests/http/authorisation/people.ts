import type { Test } from 'tap';
import { startHosted } from '../../support/hosted.ts';
import { ADMIN, type Client, eventually, testService } from '../../support/service.ts';
import type { Foreign } from './expectations.ts';
import { type RouteTable, routeTable } from './routeTable.ts';
import { claimsOf, tampered, tokenOf } from './tokens.ts';

const SECRET = 'a secret that only this test and its service know';

const DAY_MS = 86_400_000;

const must = <Of extends { readonly status: number; readonly body: unknown }>(answer: Of): Of => {
  if (answer.status >= 300) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
};

/** The service with its routes, people of every standing, tokens good and bad, and things that belong to a victim. */
export const people = async (t: Test) => {
  const tables: RouteTable[] = [];
  const service = await testService(
    t,
    { JWT_SECRET: SECRET },
    {
      start: async (variables, ahead) => {
        tables.push(await routeTable(variables));
        return startHosted(variables, ahead);
      },
    },
  );
  const [table] = tables;
  if (table === undefined) throw new Error('The service was not started');
  const { rows, inRouter } = table;
  const admin = await service.admin();
  const [user, victim, provider, other, unverified, bare] = await Promise.all([
    service.user(),
    service.user(),
    service.user(),
    service.user(),
    service.newcomer(),
    service.user(),
  ]);

  /** Takes from `bare` the role that every verified account has; no command can. */
  await service.pool.query('delete from role_assignments where account_id = $1', [bare.accountId]);
  const heldBy = async (client: Client): Promise<readonly string[]> =>
    (await client.get('/rbac/me/permissions')).body.data?.permissions;
  const holds = (client: Client, wanted: readonly string[]) =>
    eventually(
      () => heldBy(client),
      (held) => held.toSorted().join() === wanted.toSorted().join(),
    );
  await holds(bare, []);

  for (const { accountId } of [provider, other])
    must(await admin.post('/provider/profiles', { accountId, displayName: 'A practice', timezone: 'UTC' }));
  await Promise.all(
    [provider, other].map((person) =>
      eventually(
        () => heldBy(person),
        (held) => held.includes('manage:availability'),
      ),
    ),
  );

  return {
    service,
    rows,
    inRouter,
    people: { admin, user, victim, provider, other, unverified, bare },
    holds,
    foreign: await belongings(victim, provider),
    tokens: await badTokens(service, admin),
  };
};

/** A session with an open round, an appointment and a login session of the victim's. */
const belongings = async (victim: Client, provider: Client): Promise<Foreign> => {
  const loginSessionId: string = (await victim.get('/auth/sessions')).body.data.sessions[0].id;
  const phone = must(await victim.post('/users/me/phone-numbers', { number: '+4930123456' })).body.data;
  const key = must(await victim.post('/auth/api-keys', { name: 'Import', permissions: ['read:planners'] })).body.data;
  const session = must(await victim.post('/sessions', { name: 'Not yours' })).body.data;
  const open = must(await victim.post('/sessions', { name: 'Come in' })).body.data;
  const story = must(await victim.post(`/sessions/${session.id}/stories`, { title: 'A story' })).body.data;
  must(await victim.post(`/sessions/${session.id}/stories/${story.id}/open`));

  const date = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({
    dayOfWeek,
    intervals: [{ start: '09:00', end: '12:00' }],
  }));
  must(await provider.put('/provider/availability', { timezone: 'UTC', weekly, minNoticeMinutes: 0 }));
  must(await provider.post('/provider/timeslots', { from: date(2), to: date(3), pattern: 'weekly' }));
  const available = `/appointments/available?providerId=${provider.accountId}`;
  const { body } = await eventually(
    () => victim.get(available),
    ({ body }) => body.data.slots.length > 1,
  );
  const [first, second] = body.data.slots;
  const appointment = must(await victim.post('/appointments', { slotId: first.slotId })).body.data;
  const dates = { providerId: provider.accountId, from: date(2), to: date(3) };
  const entry = must(await victim.post('/appointments/waiting-list', dates)).body.data;
  return {
    accountId: victim.accountId,
    loginSessionId,
    phoneNumberId: phone.id,
    apiKeyId: key.id,
    sessionId: session.id,
    openSessionId: open.id,
    storyId: story.id,
    slotId: second.slotId,
    appointmentId: appointment.id,
    providerId: provider.accountId,
    entryId: entry.id,
  };
};

/** A bad token and the reason that its refusal gives, by what is wrong with it. */
type BadTokens = Readonly<Record<string, readonly [token: string, reason: string]>>;

/**
 * What is no valid login, made from an administrator's, so that one believed would open every door: with some of
 * them every route is asked, with one of the others by turns.
 */
const badTokens = async (service: Awaited<ReturnType<typeof testService>>, admin: Client) => {
  const good = claimsOf(admin.token ?? '');
  const now = Math.floor(Date.now() / 1000);
  const claims = { ...good, iat: now, exp: now + 900 };
  const revoked = await service.login(ADMIN.email, ADMIN.password);
  must(await revoked.delete(`/auth/sessions/${claimsOf(revoked.token ?? '').sid}`));
  const stranger = await service.newcomer();
  const nowhere = { ...claims, sub: '00000000-0000-4000-8000-000000000000' };
  const everywhere: BadTokens = {
    'signed with another key': [tokenOf(claims, { secret: `${SECRET}!` }), 'token-invalid'],
    'of a revoked session': [revoked.token ?? '', 'session-ended'],
  };
  const byTurns: BadTokens = {
    expired: [tokenOf({ ...claims, iat: now - 1_000, exp: now - 10 }, { secret: SECRET }), 'token-expired'],
    'signed by nobody': [tokenOf(claims, { secret: '', alg: 'none' }), 'token-invalid'],
    "a stranger's with the administrator's name in it": [
      tampered(stranger.token ?? '', { sub: good.sub }),
      'token-invalid',
    ],
    'signed with another algorithm': [tokenOf(claims, { secret: SECRET, alg: 'HS512' }), 'token-invalid'],
    'of a session that never was': [
      tokenOf({ ...claims, sid: '00000000-0000-4000-8000-000000000000' }, { secret: SECRET }),
      'session-ended',
    ],
    'of an account that never was': [tokenOf(nowhere, { secret: SECRET }), 'session-ended'],
    'without a subject': [tokenOf({ ...claims, sub: undefined }, { secret: SECRET }), 'token-invalid'],
    'no token at all': ['nonsense', 'token-invalid'],
  };
  return { everywhere, byTurns };
};
