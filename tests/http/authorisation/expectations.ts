import { randomUUID } from 'node:crypto';
import { slotIdOf, waitingEntryIdOf } from '../../../src/domain/booking/ids.ts';

/** Things that belong to somebody else, for callers who have nothing to do with them. */
export type Foreign = {
  readonly accountId: string;
  readonly loginSessionId: string;
  readonly phoneNumberId: string;
  readonly apiKeyId: string;
  readonly sessionId: string;
  /** A session to enter: by its id or code everybody may. */
  readonly openSessionId: string;
  readonly storyId: string;
  readonly slotId: string;
  readonly appointmentId: string;
  readonly providerId: string;
  /** Somebody's entry in a waiting list. */
  readonly entryId: string;
};

/** A call of a route on somebody else's object, by a plain user or by another provider. */
type Call = {
  readonly as: 'user' | 'provider';
  readonly input: Readonly<Record<string, unknown>>;
  readonly status: number;
  readonly reason?: string;
};
type Calls = readonly ((foreign: Foreign) => Call)[];

const by =
  (as: Call['as'], status: number, input: (foreign: Foreign) => Call['input'], reason?: string) =>
  (foreign: Foreign): Call => ({ as, status, input: input(foreign), ...(reason === undefined ? {} : { reason }) });

/** No object that belongs to one account can be named, or only holders of a right over all accounts get that far. */
const NO_OBJECT: Calls = [];

const inSession = (more: Readonly<Record<string, unknown>> = {}): Calls => [
  by('user', 404, ({ sessionId }) => ({ sessionId, ...more })),
];
const ofStory = (more: Readonly<Record<string, unknown>> = {}): Calls => [
  by('user', 404, ({ sessionId, storyId }) => ({ sessionId, storyId, ...more })),
];
const ofParticipant = (more: Readonly<Record<string, unknown>> = {}): Calls => [
  by('user', 404, ({ sessionId, accountId }) => ({ sessionId, participantId: accountId, ...more })),
];
const ofEntry: Calls = (['user', 'provider'] as const).map((as) =>
  by(as, 404, ({ entryId }) => ({ entryId }), 'waiting-unknown'),
);
const ofAppointment = (more: (foreign: Foreign) => object = () => ({})): Calls =>
  (['user', 'provider'] as const).map((as) =>
    by(as, 404, (foreign) => ({ appointmentId: foreign.appointmentId, ...more(foreign) })),
  );

/** The account of somebody else, which is refused whether there is such an account or not. */
const ofAccount = (more: Readonly<Record<string, unknown>> = {}, name = 'accountId'): Calls => [
  by('user', 403, ({ accountId }) => ({ [name]: accountId, ...more }), 'permission-missing'),
  by('user', 403, () => ({ [name]: randomUUID(), ...more }), 'permission-missing'),
];
const ofNumber = (more: Readonly<Record<string, unknown>> = {}): Calls => [
  by('user', 404, ({ phoneNumberId }) => ({ phoneNumberId, ...more }), 'number-unknown'),
];

/**
 * What an account is told that names somebody else's object, for every route that needs a login: 404 for what it may not
 * see, 403 for what everybody sees but others change. By command, or by method and address.
 */
export const foreignCalls: Readonly<Record<string, Calls>> = {
  DefinePermission: NO_OBJECT,
  DescribePermission: NO_OBJECT,
  DefineRole: NO_OBJECT,
  UpdateRole: NO_OBJECT,
  GrantPermissionToRole: NO_OBJECT,
  RevokePermissionFromRole: NO_OBJECT,
  SetRoleParents: NO_OBJECT,
  AssignRole: NO_OBJECT,
  RevokeRole: NO_OBJECT,
  RetirePermission: NO_OBJECT,
  DeleteRole: NO_OBJECT,
  ChangeEmail: NO_OBJECT,
  ChangePassword: NO_OBJECT,
  LockAccount: NO_OBJECT,
  UnlockAccount: NO_OBJECT,
  UpdateProfile: ofAccount({ displayName: 'Mine now' }),
  ReplaceProfile: ofAccount({ displayName: 'Mine now' }),
  UpdatePreferences: ofAccount({ theme: 'dark' }),
  ReplacePreferences: ofAccount({ theme: 'dark' }),
  AddPhoneNumber: NO_OBJECT,
  VerifyPhoneNumber: ofNumber({ code: '123456' }),
  UpdatePhoneNumber: ofNumber({ label: 'Mine now' }),
  SetPrimaryPhoneNumber: ofNumber(),
  RemovePhoneNumber: ofNumber(),
  ChangeSubscription: NO_OBJECT,
  CancelSubscription: ofAccount(),
  DeactivateAccount: ofAccount({ password: 'Correct-horse-7' }),
  ReactivateAccount: NO_OBJECT,
  EraseAccount: ofAccount({ confirm: 'somebody@example.org', password: 'Correct-horse-7' }),
  RevokeLoginSession: [by('user', 404, ({ loginSessionId }) => ({ sessionId: loginSessionId }))],
  RevokeAllLoginSessions: NO_OBJECT,
  StartMfaSetup: [
    by(
      'user',
      422,
      ({ phoneNumberId }) => ({ password: 'Correct-horse-7', method: 'sms', phoneNumberId }),
      'number-unverified',
    ),
  ],
  ConfirmMfaSetup: NO_OBJECT,
  DisableMfa: NO_OBJECT,
  RegenerateBackupCodes: NO_OBJECT,
  RevokeTrustedDevice: [by('user', 404, () => ({ deviceId: 'laptop-of-the-victim' }), 'device-unknown')],
  UnlinkOAuthIdentity: NO_OBJECT,
  RevokeAllTokens: NO_OBJECT,
  CreateApiKey: NO_OBJECT,
  RevokeApiKey: [
    by('user', 404, ({ apiKeyId }) => ({ keyId: apiKeyId }), 'api-key-unknown'),
    by('user', 404, ({ apiKeyId, accountId }) => ({ keyId: apiKeyId, accountId }), 'api-key-unknown'),
  ],
  CreateSession: NO_OBJECT,
  JoinSession: [by('user', 200, ({ openSessionId }) => ({ sessionId: openSessionId }))],
  LeaveSession: inSession(),
  UpdateSessionSettings: inSession({ settings: { autoReveal: true } }),
  RemoveParticipant: ofParticipant(),
  ChangeParticipantRole: ofParticipant({ role: 'observer' }),
  TransferFacilitator: ofParticipant(),
  AddStory: inSession({ title: 'A story' }),
  ImportStories: inSession({ stories: [{ title: 'A story' }] }),
  UpdateStory: ofStory({ title: 'A story' }),
  RemoveStory: ofStory(),
  ReorderStories: [by('user', 404, ({ sessionId, storyId }) => ({ sessionId, storyIds: [storyId] }))],
  OpenVoting: ofStory(),
  CastVote: ofStory({ value: '5' }),
  RetractVote: ofStory(),
  RevealVotes: ofStory(),
  RestartVoting: ofStory(),
  AcceptEstimate: ofStory({ value: '5' }),
  SkipStory: ofStory(),
  CompleteSession: inSession(),
  ArchiveSession: inSession(),
  CreateProviderProfile: NO_OBJECT,
  UpdateProviderProfile: [
    by('provider', 403, ({ providerId }) => ({ providerId, displayName: 'Mine now' }), 'not-own-profile'),
  ],
  SetAvailability: NO_OBJECT,
  GenerateTimeSlots: NO_OBJECT,
  AddTimeSlot: NO_OBJECT,
  UpdateTimeSlot: [by('provider', 404, ({ slotId }) => ({ slotId, isAvailable: false }), 'slot-unknown')],
  RemoveTimeSlot: [by('provider', 404, ({ slotId }) => ({ slotId }), 'slot-unknown')],
  AddAvailabilityException: NO_OBJECT,
  RemoveAvailabilityException: [by('provider', 404, () => ({ exceptionId: randomUUID() }), 'exception-unknown')],
  RequestAppointmentExport: NO_OBJECT,
  'POST /api/v1/provider/timeslots': NO_OBJECT,
  BookAppointment: [
    by('user', 403, ({ slotId, accountId }) => ({ slotId, onBehalfOf: accountId }), 'not-on-behalf'),
    by('provider', 403, ({ slotId, accountId }) => ({ slotId, onBehalfOf: accountId }), 'not-on-behalf'),
  ],
  HoldSlot: NO_OBJECT,
  ReleaseSlotHold: [
    by('user', 404, ({ slotId }) => ({ slotId }), 'hold-unknown'),
    by('provider', 404, ({ slotId }) => ({ slotId }), 'hold-unknown'),
  ],
  JoinWaitingList: NO_OBJECT,
  LeaveWaitingList: ofEntry,
  DeclineOffer: ofEntry,
  'GET /api/v1/appointments/waiting-list': NO_OBJECT,
  'GET /api/v1/provider/waiting-list': NO_OBJECT,
  RescheduleAppointment: ofAppointment(({ slotId }) => ({ slotId })),
  UpdateAppointmentNotes: ofAppointment(() => ({ notes: 'Mine now' })),
  CancelAppointment: ofAppointment(),
  CompleteAppointment: ofAppointment(),
  'GET /api/v1/rbac/permissions': NO_OBJECT,
  'GET /api/v1/rbac/roles': NO_OBJECT,
  'GET /api/v1/rbac/roles/:roleId': NO_OBJECT,
  'GET /api/v1/rbac/roles/:roleId/users': NO_OBJECT,
  'GET /api/v1/rbac/users/:accountId/roles': [
    by('user', 403, ({ accountId }) => ({ accountId }), 'permission-missing'),
    by('user', 403, () => ({ accountId: randomUUID() }), 'permission-missing'),
  ],
  'GET /api/v1/rbac/users/:accountId/permissions/:permission': ofAccount({ permission: 'book:appointments' }),
  'GET /api/v1/rbac/me/permissions': NO_OBJECT,
  'POST /api/v1/rbac/check': [
    by('user', 403, ({ accountId }) => ({ userId: accountId, permission: 'book:appointments' }), 'permission-missing'),
  ],
  'GET /api/v1/rbac/audit-log': NO_OBJECT,
  'GET /api/v1/users/me': NO_OBJECT,
  'GET /api/v1/auth/me': NO_OBJECT,
  'GET /api/v1/auth/sessions': ofAccount({}, 'userId'),
  'DELETE /api/v1/auth/sessions': NO_OBJECT,
  'GET /api/v1/auth/api-keys': ofAccount({}, 'userId'),
  'GET /api/v1/mfa/backup-codes': NO_OBJECT,
  'PUT /api/v1/users/me': NO_OBJECT,
  'GET /api/v1/users/me/devices': NO_OBJECT,
  'GET /api/v1/users/me/preferences': NO_OBJECT,
  'GET /api/v1/users/me/phone-numbers': NO_OBJECT,
  'GET /api/v1/users/me/login-history': NO_OBJECT,
  'GET /api/v1/users/me/subscription': NO_OBJECT,
  'GET /api/v1/users/me/personal-data': NO_OBJECT,
  'GET /api/v1/users/search': NO_OBJECT,
  'GET /api/v1/users/:accountId': ofAccount(),
  'PUT /api/v1/users/:accountId': ofAccount({ displayName: 'Mine now' }),
  'GET /api/v1/users/:accountId/preferences': ofAccount(),
  'PUT /api/v1/users/:accountId/preferences': ofAccount({ theme: 'dark' }),
  'GET /api/v1/users/:accountId/login-history': ofAccount(),
  'GET /api/v1/users/:accountId/subscription': ofAccount(),
  'GET /api/v1/users/:accountId/personal-data': ofAccount(),
  'POST /api/v1/users/:accountId/reactivate': NO_OBJECT,
  'GET /api/v1/ops/outbox': NO_OBJECT,
  'GET /api/v1/provider/profile': NO_OBJECT,
  'GET /api/v1/provider/availability': NO_OBJECT,
  'GET /api/v1/provider/timeslots': NO_OBJECT,
  'GET /api/v1/provider/appointments': NO_OBJECT,
  'GET /api/v1/provider/directory': NO_OBJECT,
  'GET /api/v1/provider/dashboard': NO_OBJECT,
  'GET /api/v1/provider/analytics': NO_OBJECT,
  'GET /api/v1/appointments/dashboard': NO_OBJECT,
  'GET /api/v1/provider/emails': [by('provider', 200, ({ appointmentId }) => ({ appointmentId }))],
  'GET /api/v1/appointments/:appointmentId/calendar.ics': ofAppointment(),
  UnblockAddress: NO_OBJECT,
  OpenCalendarFeed: NO_OBJECT,
  CloseCalendarFeed: NO_OBJECT,
  'GET /api/v1/calendar/feed': NO_OBJECT,
  InitiateIntegration: NO_OBJECT,
  RefreshIntegration: [by('user', 404, () => ({ integrationId: randomUUID() }), 'integration-unknown')],
  RevokeIntegration: [by('user', 404, () => ({ integrationId: randomUUID() }), 'integration-unknown')],
  DisconnectCalendar: NO_OBJECT,
  RetryCalendarSync: ofAppointment(),
  'GET /api/v1/oauth/providers': NO_OBJECT,
  'GET /api/v1/oauth/integrations': NO_OBJECT,
  'GET /api/v1/oauth/status': NO_OBJECT,
  'GET /api/v1/calendar/status': NO_OBJECT,
  'GET /api/v1/appointments': NO_OBJECT,
  'GET /api/v1/appointments/available': NO_OBJECT,
  'GET /api/v1/appointments/:appointmentId': ofAppointment(),
  'PUT /api/v1/appointments/:appointmentId': ofAppointment(() => ({ notes: 'Mine now' })),
  'POST /api/v1/sessions/:sessionId/stories': inSession({ title: 'A story' }),
  'GET /api/v1/sessions': NO_OBJECT,
  'GET /api/v1/sessions/:sessionId': inSession(),
  'GET /api/v1/sessions/:sessionId/status': inSession(),
  'GET /api/v1/sessions/:sessionId/stories': inSession(),
  'GET /api/v1/sessions/:sessionId/stories/:storyId/result': ofStory(),
  'GET /api/v1/sessions/:sessionId/history': inSession(),
  'GET /api/v1/sessions/:sessionId/summary': inSession(),
  'GET /api/v1/audit/logs': NO_OBJECT,
  'GET /api/v1/audit/logs/:id': NO_OBJECT,
  'GET /api/v1/audit/me': NO_OBJECT,
  'GET /api/v1/audit/streams/:streamType/:streamId/events': NO_OBJECT,
  'GET /api/v1/audit/streams/:streamType/:streamId/state': NO_OBJECT,
  'GET /api/v1/analytics/booking': [
    by('user', 403, ({ providerId }) => ({ providerId }), 'permission-missing'),
    by('provider', 403, ({ providerId }) => ({ providerId }), 'not-own-figures'),
  ],
  'GET /api/v1/analytics/estimation': [by('user', 404, ({ sessionId }) => ({ sessionId }))],
  'GET /api/v1/live': [by('user', 403, ({ sessionId }) => ({ topics: `session:${sessionId}` }), 'topic-refused')],
  'POST /api/v1/live/tickets': NO_OBJECT,
};

/**
 * What routes that are open to everyone answer to an empty body: the same without a token and with a bad one, which is
 * nobody's. Logging out takes its session from the token, so a bad one is refused there.
 */
export const openRoutes: Readonly<Record<string, number>> = {
  RegisterAccount: 422,
  RequestEmailVerification: 422,
  VerifyEmail: 422,
  RequestPasswordReset: 422,
  ResetPassword: 422,
  LogIn: 422,
  SendOtp: 422,
  VerifyOtp: 422,
  VerifyMfaChallenge: 422,
  RefreshSession: 422,
  StartOAuthSignIn: 422,
  ContinueOAuthSignIn: 422,
  CompleteOAuthSignIn: 422,
  CompleteIntegration: 422,
  'GET /api/v1/oauth/callback': 422,
  'POST /api/v1/mfa/verify': 401,
  'POST /api/v1/webhooks/resend': 401,
  'GET /api/v1/calendar/feeds/:file': 404,
  'GET /api/v1/provider/exports/:exportId/file': 422,
  'GET /api/v1/auth/oauth': 200,
  'GET /api/v1/auth/oauth/:provider': 422,
  'GET /api/v1/auth/oauth/:provider/callback': 422,
  'POST /api/v1/auth/google': 422,
  'GET /api/v1/auth/google': 503,
  'GET /.well-known/jwks.json': 200,
  'POST /api/v1/auth/refresh': 401,
  'POST /api/v1/auth/logout': 401,
  'GET /metrics': 200,
  'GET /ws': 404,
  'OPTIONS *': 404,
  'GET /docs': 200,
  'GET /docs/openapi.json': 200,
  'GET /docs/json': 200,
  'GET /docs/yaml': 200,
  'GET /docs/static/index.html': 302,
  'GET /docs/static/swagger-initializer.js': 200,
  'GET /docs/static/*': 404,
  ...Object.fromEntries(
    ['/health', '/api/v1/health'].flatMap((at) =>
      ['', '/live', '/ready', '/database', '/system', '/comprehensive'].map((what) => [`GET ${at}${what}`, 200]),
    ),
  ),
};

/**
 * Where a bad token is refused although none is needed: a sign-in that is begun with one links an identity to its account,
 * so whoever sends one means his account.
 */
export const answersToBadTokens: Readonly<Record<string, number>> = { 'GET /api/v1/auth/google': 401 };

/** What own pages answer that take nothing which could be wrong. */
export const takesNoInput: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['subscription', 'phone-numbers', 'personal-data', 'preferences', 'devices'].map((page) => [
      `GET /api/v1/users/me/${page}`,
      '200',
    ]),
  ),
  'GET /api/v1/mfa/backup-codes': '409 mfa-off',
  'GET /api/v1/oauth/providers': '200',
  'GET /api/v1/oauth/status': '200',
  'GET /api/v1/calendar/status': '200',
  DisconnectCalendar: '404 calendar-not-connected',
};

/** Well-formed ids of things that do not exist, by the name of the path parameter or field. */
export const unknownIds = (providerOf: { readonly appointmentId: string }): Readonly<Record<string, string>> => ({
  sessionId: randomUUID(),
  storyId: randomUUID(),
  participantId: randomUUID(),
  accountId: randomUUID(),
  roleId: randomUUID(),
  providerId: randomUUID(),
  appointmentId: providerOf.appointmentId,
  slotId: slotIdOf({ providerId: randomUUID(), day: '2027-03-01', startTime: '2027-03-01T09:00:00.000Z' }),
  entryId: waitingEntryIdOf({ providerId: randomUUID(), uuid: randomUUID() }),
  exceptionId: randomUUID(),
  integrationId: randomUUID(),
  userId: randomUUID(),
  phoneNumberId: randomUUID(),
  keyId: randomUUID(),
  deviceId: 'laptop-of-nobody',
  provider: 'github',
  name: 'nothing:known',
  permission: 'nothing:known',
  id: randomUUID(),
  streamType: 'account',
  streamId: randomUUID(),
});
