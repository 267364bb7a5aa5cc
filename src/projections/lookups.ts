import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import type { Pattern, Sign } from '../domain/identity/suspicion.ts';
import type { Position } from '../eventstore/port.ts';
import { isAssigned, roleAssignments } from './access/roleAssignments.ts';
import { appointments, upcomingIds } from './booking/appointments.ts';
import { calendarSyncs, eventsWrittenBy } from './booking/calendarSyncs.ts';
import { providersWaitedFor, waitingEntries } from './booking/waitingEntries.ts';
import { type CaughtUp, ReadModelBehind } from './caughtUp.ts';
import { absentFrom } from './estimation/presence.ts';
import { openSessionIds, sessionMembers } from './estimation/sessionMembers.ts';
import { endedSessionIds, estimationSessions, idleSessionIds, sessionRowOf } from './estimation/sessions.ts';
import { apiKeys, ownerOfApiKey } from './identity/apiKeys.ts';
import { countLivingSessions, livingSessionIds, loginSessions } from './identity/loginSessions.ts';
import { signsOf, suspiciousSigns } from './identity/suspiciousSigns.ts';
import type { ReadModels } from './index.ts';
import { integrations, integrationsOf, known } from './messaging/integrations.ts';

/** The questions that bindings ask of read models. */
export const createLookups = ({
  db,
  pool,
  head,
  caughtUp,
  now = () => new Date(),
}: {
  readonly db: Kysely<ReadModels>;
  readonly pool: Pool;
  /** Where the log ends now. */
  readonly head: () => Promise<Position>;
  readonly caughtUp: CaughtUp;
  readonly now?: () => Date;
}) => ({
  activeProviders: async (limit: number): Promise<readonly string[]> => {
    const rows = await db
      .selectFrom('provider_profiles')
      .select('provider_id')
      .where('active', '=', true)
      .orderBy('created_at')
      .limit(limit)
      .execute();
    return rows.map(({ provider_id }) => provider_id);
  },
  livingSessions: async (accountId: string): Promise<readonly string[]> => {
    await caughtUp([loginSessions], await head());
    return livingSessionIds(db, accountId, now());
  },
  openEstimationSessions: async (accountId: string): Promise<readonly string[]> => {
    await caughtUp([sessionMembers, estimationSessions], await head());
    return openSessionIds(db, accountId);
  },
  absentFrom: (sessionId: string): Promise<readonly string[]> => absentFrom(pool, sessionId),
  lastActivityOf: async (sessionId: string) => {
    const row = await sessionRowOf(db, sessionId);
    return row === undefined ? undefined : { changes: row.version + 1, at: row.last_activity_at };
  },
  idleEstimationSessions: (before: Date, limit: number) => idleSessionIds(db, before, limit),
  endedEstimationSessions: (before: Date, limit: number) => endedSessionIds(db, before, limit),
  countLivingSessions: () => countLivingSessions(db, now()),
  signsOf: async (pattern: Pattern, subject: string): Promise<readonly Sign[]> => {
    // A read model that lags behind finds the pattern with the next sign.
    await caughtUp([suspiciousSigns], await head()).catch((error: unknown) => {
      if (!(error instanceof ReadModelBehind)) throw error;
    });
    return signsOf(db, pattern, subject);
  },
  ownerOfApiKey: async (keyId: string): Promise<string | undefined> => {
    await caughtUp([apiKeys], await head());
    return ownerOfApiKey(db, keyId);
  },
  isAssigned: async (roleId: string, before: Position): Promise<boolean> => {
    await caughtUp([roleAssignments], before);
    return isAssigned(db, roleId, before, now());
  },
  integrationsOf: async (accountId: string) => {
    await caughtUp([integrations], await head());
    return (await integrationsOf(db, accountId)).map(known);
  },
  upcomingAppointments: async (accountId: string): Promise<readonly string[]> => {
    await caughtUp([appointments], await head());
    return upcomingIds(db, accountId, now());
  },
  waitedFor: async (accountId: string): Promise<readonly string[]> => {
    await caughtUp([waitingEntries], await head());
    return providersWaitedFor(db, accountId);
  },
  calendarEventsOf: async (integrationId: string) => {
    await caughtUp([calendarSyncs], await head());
    return eventsWrittenBy(db, integrationId);
  },
});
