import { z } from 'zod';
import { type EventOf, pii, secret } from '../../decider.ts';

/** What an account may pay for. */
export const PLANS = ['free', 'premium', 'enterprise'] as const;
export type Plan = (typeof PLANS)[number];
/** Second factors. */
export const MFA_METHODS = ['totp', 'sms'] as const;
/** Where people may come from who sign in elsewhere. */
export const SIGN_IN_PROVIDERS = ['google', 'github', 'microsoft'] as const;
export type SignInProvider = (typeof SIGN_IN_PROVIDERS)[number];

const accountId = z.string();
const own = <S extends z.ZodType>(schema: S): S => pii('accountId', schema);
const passwordHash = own(secret(z.string())).describe('bcrypt; gone with the key of the person');
const codeHashes = secret(z.array(z.string())).describe('Keyed hashes of the codes not yet used');
const requestId = z.string().describe('Names the request; the token in the mail is authenticated by the service key');

const preferences = z.object({
  theme: z.enum(['light', 'dark', 'auto']),
  accentColor: z.string(),
  defaultView: z.string(),
  notifications: z.object({ email: z.boolean(), push: z.boolean(), reminder: z.boolean() }),
  language: z.string(),
  timezone: z.string(),
  dateFormat: z.string(),
  timeFormat: z.enum(['12h', '24h']),
});
export type Preferences = z.output<typeof preferences>;

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  AccountRegistered: z.object({
    accountId,
    email: own(z.string()),
    emailHash: secret(z.string()).describe('Names the reservation of the address'),
    displayName: own(z.string()),
    phoneNumber: own(z.string()).optional(),
    passwordHash: passwordHash
      .optional()
      .describe('bcrypt, gone with the key of the person; absent when the account signs in elsewhere'),
    timezone: z.string(),
    language: z.string(),
    plan: z.enum(PLANS),
    createdFrom: z.enum(['web', 'mobile', 'api', 'service']),
    method: z.enum(['password', 'oauth']),
    termsAcceptedAt: z
      .string()
      .optional()
      .describe('Absent for the first administrator, and for people who sign in elsewhere'),
    ip: own(z.string()).optional(),
    userAgent: own(z.string()).optional(),
  }),
  RegistrationAbandoned: z
    .object({ accountId })
    .describe('A registration that reserved an address but never came about; it cannot come about any more'),

  EmailVerificationRequested: z.object({ accountId, requestId, expiresAt: z.string() }),
  EmailVerified: z.object({ accountId, at: z.string() }),
  EmailChangeRequested: z.object({
    accountId,
    newEmail: own(z.string()),
    newEmailHash: secret(z.string()).describe('Names the reservation of the new address'),
    requestId,
    expiresAt: z.string(),
  }),
  EmailChanged: z
    .object({
      accountId,
      oldEmail: own(z.string()),
      oldEmailHash: secret(z.string()),
      email: own(z.string()),
      emailHash: secret(z.string()),
      at: z.string(),
    })
    .describe('The new address is verified from then on, the old one is free'),

  AccountLocked: z.object({ accountId, until: z.string(), reason: z.enum(['failed_logins', 'admin', 'breach']) }),
  AccountUnlocked: z.object({ accountId, by: z.enum(['timer', 'admin', 'reset']) }),

  PasswordResetRequested: z.object({ accountId, requestId, expiresAt: z.string() }),
  PasswordResetCompleted: z.object({ accountId, passwordHash, at: z.string() }),
  PasswordChanged: z.object({ accountId, passwordHash, at: z.string(), keptSessionId: z.string().optional() }),
  PasswordRehashed: z
    .object({ accountId, passwordHash })
    .describe('The same password under another cost, when its holder logged in'),

  MfaSetupStarted: z.object({
    accountId,
    method: z.enum(MFA_METHODS),
    secretKey: z
      .string()
      .describe('Names the key that the secret lies under, which goes when the secret is of no use any more'),
    secret: secret(pii('secretKey', z.string())).optional().describe('TOTP secret, base32'),
    backupCodeHashes: codeHashes,
    phoneNumberId: z.string().optional().describe('Where the codes go when they go by SMS'),
    expiresAt: z.string(),
  }),
  MfaEnabled: z.object({ accountId, method: z.enum(MFA_METHODS), at: z.string() }),
  MfaDisabled: z.object({ accountId, at: z.string() }),
  TotpStepUsed: z
    .object({ accountId, step: z.int() })
    .describe('Codes of this time step (seconds since 1970 over 30) and of earlier ones count no more'),
  BackupCodeConsumed: z.object({ accountId, codeHash: secret(z.string()), remaining: z.int() }),
  BackupCodesRegenerated: z.object({ accountId, backupCodeHashes: codeHashes, at: z.string() }),
  DeviceTrusted: z.object({ accountId, deviceId: z.string(), deviceInfo: own(z.string()), expiresAt: z.string() }),
  DeviceTrustRevoked: z.object({ accountId, deviceId: z.string() }),

  OAuthIdentityLinked: z.object({
    accountId,
    provider: z.enum(SIGN_IN_PROVIDERS),
    subject: own(z.string()),
    subjectHash: secret(z.string()).describe('Names the reservation of the identity'),
    email: own(z.string()).optional(),
  }),
  OAuthIdentityUnlinked: z.object({
    accountId,
    provider: z.enum(SIGN_IN_PROVIDERS),
    subjectHash: secret(z.string()),
  }),
  UnprovedAccessDropped: z
    .object({ accountId, at: z.string() })
    .describe('A provider has shown whose the address is: what was set before counts no more for logging in'),

  ProfileUpdated: z.object({
    accountId,
    changed: z.object({
      displayName: own(z.string()).optional(),
      photoURL: own(z.string().nullable()).optional(),
      timezone: z.string().optional(),
    }),
  }),
  PreferencesUpdated: z.object({ accountId, preferences }).describe('All of them, as they are from then on'),

  PhoneNumberAdded: z.object({
    accountId,
    phoneNumberId: z.string(),
    number: own(z.string()),
    numberHash: secret(z.string()).describe('Names the reservation of the number'),
    label: own(z.string()).optional(),
    at: z.string(),
  }),
  PhoneNumberLabelled: z.object({ accountId, phoneNumberId: z.string(), label: own(z.string()) }),
  PhoneNumberVerified: z.object({ accountId, phoneNumberId: z.string(), at: z.string() }),
  PrimaryPhoneNumberSet: z.object({ accountId, phoneNumberId: z.string() }),
  PhoneNumberRemoved: z.object({ accountId, phoneNumberId: z.string(), numberHash: secret(z.string()) }),

  SubscriptionChanged: z.object({
    accountId,
    fromPlan: z.enum(PLANS),
    plan: z.enum(PLANS),
    status: z.literal('active'),
    startedAt: z.string(),
    expiresAt: z.string().optional(),
    autoRenew: z.boolean(),
    paymentMethod: own(z.string()).optional(),
    stripeCustomerId: own(z.string()).optional(),
    stripeSubscriptionId: own(z.string()).optional(),
  }),
  SubscriptionCancelled: z.object({ accountId, effectiveAt: z.string() }),
  SubscriptionExpired: z.object({ accountId, previousPlan: z.enum(PLANS) }),

  AccountDeactivated: z.object({
    accountId,
    by: z.enum(['owner', 'admin']),
    reason: own(z.string()).optional(),
    at: z.string(),
  }),
  AccountReactivated: z.object({ accountId, by: z.literal('admin') }),
  AccountErased: z.object({
    accountId,
    by: z.enum(['owner', 'admin']),
    emailHash: secret(z.string()).describe('The reservation that is free from then on'),
    identifierHashes: secret(z.array(z.string()))
      .optional()
      .describe('What failed log-ins of the person are sealed under, as nobody can tell afterwards'),
    at: z.string(),
  }),
};
export type AccountEvent = EventOf<typeof events>;
