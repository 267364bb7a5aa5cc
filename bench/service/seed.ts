import { SYSTEM_ROLES } from '../../src/domain/access/systemRoles.ts';
import { slotsOf } from '../../src/domain/booking/grid.ts';
import { scheduleId, slotIdOf } from '../../src/domain/booking/ids.ts';
import { deciders } from '../../src/domain/catalogue.ts';
import { DAY_MS } from '../../src/domain/durations.ts';
import { DEFAULTS } from '../../src/domain/estimation/session/settings.ts';
import { createCodec } from '../../src/eventstore/codec.ts';
import { keyRing } from '../../src/eventstore/keyRing.ts';
import { postgresEventStore } from '../../src/eventstore/postgres/index.ts';
import { masterKeys } from '../../src/masterKeys.ts';
import { migrate } from '../../src/migrations/index.ts';
import { createPool } from '../../src/postgres/pool.ts';
import { uuid7 } from '../../src/uuid.ts';
import { type Login, MASTER_KEY } from './secrets.ts';

type Fact = { readonly type: string; readonly data: unknown };
/** Appends the first events of a stream. */
export type Write = (stream: string, events: readonly Fact[]) => Promise<void>;

/** Appends under way at once while seeding. */
const WRITERS = 64;
const YEAR_MS = 365 * DAY_MS;

/**
 * Writes the past of a service into an empty database, event by event through the service's own codec and log: what is
 * there when a service starts, without the minutes that as many commands would take.
 */
export const seed = async (databaseUrl: string, write: (append: Write) => Promise<void>): Promise<void> => {
  const pool = createPool(databaseUrl, 10, () => {});
  const store = postgresEventStore({ connectionString: databaseUrl });
  try {
    await migrate(pool);
    const codec = createCodec(deciders, keyRing(pool, masterKeys(MASTER_KEY)));
    await write(async (stream, events) => {
      const commandId = uuid7();
      const actor = { id: 'service:bench', kind: 'system' as const };
      const metadata = { commandId, command: 'Seed', correlationId: commandId, actor };
      const encoded = await codec.encode(
        events.map((event) => ({ id: uuid7(), ...event })),
        metadata,
      );
      await store.append(stream, 'noStream', encoded);
    });
  } finally {
    await store.close();
    await pool.end();
  }
};

/** Runs a task for each item, so many at once. */
export const each = async <Item>(items: readonly Item[], task: (item: Item) => Promise<void>): Promise<void> => {
  const waiting = items.values();
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      for (const item of waiting) await task(item);
    }),
  );
};

/** A verified account with a role that is logged in. */
export const loggedIn = async (append: Write, role: 'free' | 'provider', number: number): Promise<Login> => {
  const accountId = uuid7();
  const sessionId = uuid7();
  const at = new Date().toISOString();
  const { roleId } = SYSTEM_ROLES[role];
  await append(`account-${accountId}`, [
    {
      type: 'AccountRegistered',
      data: {
        accountId,
        email: `${accountId}@example.org`,
        emailHash: accountId,
        displayName: `${role === 'free' ? 'Client' : 'Provider'} ${number}`,
        timezone: 'UTC',
        language: 'en',
        plan: 'free',
        createdFrom: 'api',
        method: 'password',
        termsAcceptedAt: at,
      },
    },
    { type: 'EmailVerified', data: { accountId, at } },
  ]);
  await append(`userAccess-${accountId}`, [
    {
      type: 'RoleAssigned',
      data: { accountId, roleId, roleName: role, assignmentId: uuid7(), assignedBy: 'service:bench', assignedAt: at },
    },
  ]);
  await append(`loginSession-${sessionId}`, [
    {
      type: 'LoginSessionStarted',
      data: {
        sessionId,
        accountId,
        method: 'password',
        refreshTokenHash: sessionId,
        expiresAt: new Date(Date.now() + YEAR_MS).toISOString(),
        ip: '127.0.0.1',
        userAgent: 'bench',
      },
    },
  ]);
  return { accountId, sessionId };
};

/** A date so many days from today, `YYYY-MM-DD`. */
const dayIn = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

/** A provider who may be booked at once and for a year, with 48 free slots on each of so many days from tomorrow. */
export const providerWith = async (append: Write, days: number, number: number) => {
  const login = await loggedIn(append, 'provider', number);
  const providerId = login.accountId;
  const weekly = [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek) => ({
    dayOfWeek,
    intervals: [{ start: '00:00', end: '24:00' }],
  }));
  await append(`provider-${providerId}`, [
    {
      type: 'ProviderProfileCreated',
      data: {
        providerId,
        accountId: providerId,
        displayName: `Provider ${number}`,
        bio: null,
        timezone: 'UTC',
        meetingLink: null,
        location: null,
        priceCents: 5_000,
        currency: 'EUR',
      },
    },
    {
      type: 'AvailabilitySet',
      data: {
        providerId,
        timezone: 'UTC',
        weekly,
        slotDurationMinutes: 30,
        minNoticeMinutes: 0,
        maxAdvanceDays: 366,
      },
    },
  ]);
  const slots: { readonly slotId: string; readonly startTime: string }[] = [];
  for (let ahead = 1; ahead <= days; ahead++) {
    const day = dayIn(ahead);
    const ofDay = slotsOf(day, [{ start: '00:00', end: '24:00' }], 'UTC').map((span) => ({
      slotId: slotIdOf({ providerId, day, startTime: span.startTime }),
      ...span,
    }));
    slots.push(...ofDay);
    await append(`schedule-${scheduleId({ providerId, day })}`, [
      { type: 'TimeSlotsGenerated', data: { providerId, day, slots: ofDay, generationId: uuid7() } },
    ]);
  }
  return { login, slots };
};

/** An estimation session whose first story is being voted on by these participants; the first is its facilitator. */
export const openSession = async (append: Write, participants: readonly Login[], number: number) => {
  const sessionId = uuid7();
  const storyId = uuid7();
  const createdBy = participants[0]?.accountId ?? '';
  await append(`estimationSession-${sessionId}`, [
    {
      type: 'SessionCreated',
      data: { sessionId, code: 'ABC234', name: `Sprint ${number}`, createdBy, settings: DEFAULTS },
    },
    ...participants.map(({ accountId }, index) => ({
      type: 'ParticipantJoined',
      data: {
        sessionId,
        participantId: accountId,
        accountId,
        role: index === 0 ? 'facilitator' : 'voter',
      },
    })),
    { type: 'StoryAdded', data: { sessionId, storyId, title: 'Log in by e-mail', order: 1 } },
    { type: 'VotingOpened', data: { sessionId, storyId, round: 1, anonymous: false } },
  ]);
  return { sessionId, storyId };
};
