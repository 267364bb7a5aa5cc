import { accessDenial, events as accessDenialEvents } from './access/accessDenial.ts';
import { administrators, events as administratorsEvents } from './access/administrators.ts';
import { roleCatalog, events as roleCatalogEvents } from './access/roleCatalog/index.ts';
import { userAccess, events as userAccessEvents } from './access/userAccess.ts';
import { requestRefusal, events as requestRefusalEvents } from './audit/requestRefusal.ts';
import { clientCalendar, events as clientCalendarEvents } from './booking/clientCalendar.ts';
import { provider, events as providerEvents } from './booking/provider/index.ts';
import { schedule, events as scheduleEvents } from './booking/schedule/index.ts';
import type { EventOf } from './decider.ts';
import { session, events as sessionEvents } from './estimation/session/index.ts';
import { sessionCode, events as sessionCodeEvents } from './estimation/sessionCode.ts';
import { sessionHost, events as sessionHostEvents } from './estimation/sessionHost.ts';
import { account, events as accountEvents } from './identity/account.ts';
import { emailClaim, events as emailClaimEvents } from './identity/emailClaim.ts';
import { loginAttempts, events as loginAttemptsEvents } from './identity/loginAttempts.ts';
import { loginSession, events as loginSessionEvents } from './identity/loginSession.ts';

/** Every aggregate of the service. */
export const deciders = [
  provider,
  schedule,
  clientCalendar,
  administrators,
  roleCatalog,
  userAccess,
  accessDenial,
  account,
  emailClaim,
  loginAttempts,
  loginSession,
  session,
  sessionCode,
  sessionHost,
  requestRefusal,
] as const;

/** Every event of the service. Type names are unique across aggregates. */
export const catalogue = {
  ...providerEvents,
  ...scheduleEvents,
  ...clientCalendarEvents,
  ...administratorsEvents,
  ...roleCatalogEvents,
  ...userAccessEvents,
  ...accessDenialEvents,
  ...accountEvents,
  ...emailClaimEvents,
  ...loginAttemptsEvents,
  ...loginSessionEvents,
  ...sessionEvents,
  ...sessionCodeEvents,
  ...sessionHostEvents,
  ...requestRefusalEvents,
};

export type AnyEvent = EventOf<typeof catalogue>;
export type EventType = AnyEvent['type'];
