import { ADMIN_ROLE_ID, SYSTEM_ROLES } from '../../../src/domain/access/systemRoles.ts';
import type { World } from '../world/world.ts';
import { logInAdmin, must, openAccount, type Person } from './person.ts';
import { perform, type Stage } from './play.ts';

export type Slot = { readonly slotId: string; readonly startTime: string };

/** Who plays, and what is there to be had. */
export type Cast = {
  readonly admin: Person;
  readonly clients: readonly Person[];
  /** Accounts that give and take the role admin among each other, the first administrator included. */
  readonly circle: readonly Person[];
  readonly providers: readonly Person[];
  readonly slots: readonly Slot[];
};

const DAY_MS = 86_400_000;
const PROVIDERS = 2;
const CIRCLE = 4;
const AT_ONCE = 8;

const dateIn = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

/** A day without slots of its own, for events that nobody can read. */
export const poisonDay = (round: number): string => dateIn(100 + round);

const openCalendar = async (world: World, admin: Person, provider: Person): Promise<readonly Slot[]> => {
  const timezone = 'Etc/UTC';
  const profile = { accountId: provider.id, displayName: 'Provider', timezone, priceCents: 5_000, currency: 'EUR' };
  await must(world, 201, { method: 'POST', path: '/provider/profiles', token: admin.token, body: profile });
  const { token } = provider;
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({
    dayOfWeek,
    intervals: [{ start: '09:00', end: '13:00' }],
  }));
  const availability = { timezone, weekly, minNoticeMinutes: 0, maxAdvanceDays: 90 };
  // The role that goes with the profile comes a moment later; `must` asks until then.
  await must(world, 200, { method: 'PUT', path: '/provider/availability', token, body: availability });
  const plan = { from: dateIn(4), to: dateIn(8), pattern: 'weekly' };
  await must(world, 201, { method: 'POST', path: '/provider/timeslots', token, body: plan });
  const query = `from=${dateIn(0)}&to=${dateIn(12)}&providerId=${provider.id}&limit=100`;
  const { slots } = await must(world, 200, { method: 'GET', path: `/appointments/available?${query}`, token });
  return slots as readonly Slot[];
};

/** Opens the accounts, the calendars and the circle of administrators. */
export const createCast = async (stage: Stage, clientCount: number): Promise<Cast> => {
  const { world } = stage;
  const admin = await logInAdmin(world);
  const names = [
    ...Array.from({ length: PROVIDERS }, (_, index) => `provider${index + 1}`),
    ...Array.from({ length: clientCount }, (_, index) => `client${index + 1}`),
  ];
  const people: Person[] = [];
  const left = [...names.entries()];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift())
      people[next[0]] = await openAccount(world, admin, next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  const providers = people.slice(0, PROVIDERS);
  const clients = people.slice(PROVIDERS);
  const calendars = await Promise.all(providers.map((provider) => openCalendar(world, admin, provider)));
  const appointed = clients.slice(0, CIRCLE);
  for (const [index, { id }] of appointed.entries())
    await perform(
      stage,
      {
        id: `0/admin/${index}`,
        kind: 'assign',
        person: admin,
        key: `k-0/admin/${index}`,
        asked: { accountId: id, roleName: 'admin' },
        request: { method: 'POST', path: `/rbac/users/${id}/roles`, body: { roleName: 'admin' } },
      },
      0,
    );
  return { admin, clients, circle: [admin, ...appointed], providers, slots: calendars.flat() };
};

/** Roles that go to and fro, with their ids. */
export const ROLES: Readonly<Record<string, string>> = {
  admin: ADMIN_ROLE_ID,
  auditor: SYSTEM_ROLES.auditor.roleId,
  operator: SYSTEM_ROLES.operator.roleId,
  agent: SYSTEM_ROLES.agent.roleId,
};
