import type { Lookups } from '../../src/commands/reads.ts';

/** Read models in which there is nothing. */
export const noLookups: Lookups = {
  activeProviders: async () => [],
  livingSessions: async () => [],
  openEstimationSessions: async () => [],
  absentFrom: async () => [],
  lastActivityOf: async () => undefined,
  idleEstimationSessions: async () => [],
  endedEstimationSessions: async () => [],
  countLivingSessions: async () => 0,
  signsOf: async () => [],
  ownerOfApiKey: async () => undefined,
  isAssigned: async () => false,
  integrationsOf: async () => [],
  upcomingAppointments: async () => [],
  waitedFor: async () => [],
  calendarEventsOf: async () => [],
  countExport: async () => 0,
  measureExport: async () => ({ rows: 0, fileSize: 0 }),
};
