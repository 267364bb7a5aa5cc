import { accessDenial, events as accessDenialEvents } from './access/accessDenial.ts';
import { administrators, events as administratorsEvents } from './access/administrators.ts';
import { roleCatalog, events as roleCatalogEvents } from './access/roleCatalog/index.ts';
import { userAccess, events as userAccessEvents } from './access/userAccess.ts';
import { requestRefusal, events as requestRefusalEvents } from './audit/requestRefusal.ts';
import { sensitiveRead, events as sensitiveReadEvents } from './audit/sensitiveRead.ts';
import { appointmentExport, events as appointmentExportEvents } from './booking/appointmentExport.ts';
import { appointmentReminder, events as appointmentReminderEvents } from './booking/appointmentReminder.ts';
import { calendarFeed, events as calendarFeedEvents } from './booking/calendarFeed.ts';
import { calendarSync, events as calendarSyncEvents } from './booking/calendarSync.ts';
import { clientCalendar, events as clientCalendarEvents } from './booking/clientCalendar.ts';
import { clientHolds, events as clientHoldsEvents } from './booking/clientHolds.ts';
import { provider, events as providerEvents } from './booking/provider/index.ts';
import { schedule, events as scheduleEvents } from './booking/schedule/index.ts';
import { waitingList, events as waitingListEvents } from './booking/waitingList/index.ts';
import type { EventOf } from './decider.ts';
import { session, events as sessionEvents } from './estimation/session/index.ts';
import { sessionCode, events as sessionCodeEvents } from './estimation/sessionCode.ts';
import { sessionHost, events as sessionHostEvents } from './estimation/sessionHost.ts';
import { account, events as accountEvents } from './identity/account/index.ts';
import { agentCode, events as agentCodeEvents } from './identity/agentCode.ts';
import { apiKeys, events as apiKeysEvents } from './identity/apiKeys.ts';
import { emailClaim, events as emailClaimEvents } from './identity/emailClaim.ts';
import { knownDevices, events as knownDevicesEvents } from './identity/knownDevices.ts';
import { loginAttempts, events as loginAttemptsEvents } from './identity/loginAttempts.ts';
import { loginSession, events as loginSessionEvents } from './identity/loginSession.ts';
import { mfaChallenge, events as mfaChallengeEvents } from './identity/mfaChallenge.ts';
import { oauthIdentity, events as oauthIdentityEvents } from './identity/oauthIdentity.ts';
import { oauthSignIn, events as oauthSignInEvents } from './identity/oauthSignIn.ts';
import { otp, events as otpEvents } from './identity/otp.ts';
import { suspicion, events as suspicionEvents } from './identity/suspicion.ts';
import { tokens, events as tokensEvents } from './identity/tokens.ts';
import { verifiedPhone, events as verifiedPhoneEvents } from './identity/verifiedPhone.ts';
import { blockedAddress, events as blockedAddressEvents } from './messaging/blockedAddress.ts';
import { email, events as emailEvents } from './messaging/email.ts';
import { integration, events as integrationEvents } from './messaging/integration/index.ts';
import { oauthFlow, events as oauthFlowEvents } from './messaging/oauthFlow.ts';

/** Every aggregate of the service. */
export const deciders = [
  provider,
  schedule,
  clientCalendar,
  clientHolds,
  waitingList,
  calendarSync,
  appointmentReminder,
  calendarFeed,
  appointmentExport,
  administrators,
  roleCatalog,
  userAccess,
  sensitiveRead,
  accessDenial,
  account,
  emailClaim,
  loginAttempts,
  loginSession,
  otp,
  mfaChallenge,
  tokens,
  verifiedPhone,
  agentCode,
  apiKeys,
  knownDevices,
  suspicion,
  oauthIdentity,
  oauthSignIn,
  session,
  sessionCode,
  sessionHost,
  email,
  blockedAddress,
  oauthFlow,
  integration,
  requestRefusal,
] as const;

/** Every event of the service. Type names are unique across aggregates. */
export const catalogue = {
  ...providerEvents,
  ...scheduleEvents,
  ...clientCalendarEvents,
  ...clientHoldsEvents,
  ...waitingListEvents,
  ...calendarSyncEvents,
  ...appointmentReminderEvents,
  ...calendarFeedEvents,
  ...appointmentExportEvents,
  ...administratorsEvents,
  ...roleCatalogEvents,
  ...userAccessEvents,
  ...sensitiveReadEvents,
  ...accessDenialEvents,
  ...accountEvents,
  ...emailClaimEvents,
  ...loginAttemptsEvents,
  ...loginSessionEvents,
  ...otpEvents,
  ...mfaChallengeEvents,
  ...tokensEvents,
  ...verifiedPhoneEvents,
  ...agentCodeEvents,
  ...apiKeysEvents,
  ...knownDevicesEvents,
  ...suspicionEvents,
  ...oauthIdentityEvents,
  ...oauthSignInEvents,
  ...sessionEvents,
  ...sessionCodeEvents,
  ...sessionHostEvents,
  ...emailEvents,
  ...blockedAddressEvents,
  ...oauthFlowEvents,
  ...integrationEvents,
  ...requestRefusalEvents,
};

export type AnyEvent = EventOf<typeof catalogue>;
export type EventType = AnyEvent['type'];
