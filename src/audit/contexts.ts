import type { ContextName } from '../domain/access/permissions.ts';

/** The categories of streams, by the context that they belong to. */
const categories = {
  access: ['accessDenial', 'administrators', 'roleCatalog', 'userAccess'],
  audit: ['requestRefusal', 'sensitiveRead'],
  booking: [
    'provider',
    'schedule',
    'clientCalendar',
    'clientHolds',
    'waitingList',
    'calendarSync',
    'appointmentExport',
    'appointmentReminder',
    'calendarFeed',
  ],
  estimation: ['estimationSession', 'sessionCode', 'sessionHost'],
  identity: [
    'account',
    'agentCode',
    'apiKeys',
    'emailClaim',
    'knownDevices',
    'loginAttempts',
    'loginSession',
    'mfaChallenge',
    'oauthIdentity',
    'oauthSignIn',
    'otp',
    'suspicion',
    'tokens',
    'verifiedPhone',
  ],
  messaging: ['blockedAddress', 'email', 'integration', 'oauthFlow'],
} as const satisfies Partial<Record<ContextName, readonly string[]>>;

const byCategory: ReadonlyMap<string, string> = new Map(
  Object.entries(categories).flatMap(([context, names]) => names.map((name) => [name, context] as const)),
);

/** The contexts that store events. */
export const auditedContexts = Object.keys(categories) as (keyof typeof categories)[];

/** The context of a category; `operations` for one that nobody claimed. */
export const contextOf = (category: string): string => byCategory.get(category) ?? 'operations';

/** Whether the category belongs to a context. */
export const isClaimed = (category: string): boolean => byCategory.has(category);
