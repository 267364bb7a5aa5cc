import { z } from 'zod';
import { commandsOf, decider, type EventOf, pii, reject, secret } from '../decider.ts';
import { email, language, line, password, phoneNumber, timeZone, uuid } from '../fields.ts';

const PLANS = ['free', 'premium', 'enterprise'] as const;

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  AccountRegistered: z.object({
    accountId: z.string(),
    email: pii('accountId', z.string()),
    emailHash: secret(z.string()).describe('Names the reservation of the address'),
    displayName: pii('accountId', z.string()),
    phoneNumber: pii('accountId', z.string()).optional(),
    passwordHash: secret(z.string()).optional().describe('bcrypt; absent when the account signs in elsewhere'),
    timezone: z.string(),
    language: z.string(),
    plan: z.enum(PLANS),
    createdFrom: z.enum(['web', 'mobile', 'api', 'service']),
    method: z.enum(['password', 'oauth']),
    termsAcceptedAt: z.string().optional().describe('Absent for the first administrator'),
  }),
  RegistrationAbandoned: z
    .object({ accountId: z.string() })
    .describe('A registration that reserved an address but never came about; it cannot come about any more'),
  EmailVerificationRequested: z.object({
    accountId: z.string(),
    requestId: z.string().describe('Names the request; the token in the mail is authenticated by the service key'),
    expiresAt: z.string(),
  }),
  EmailVerified: z.object({ accountId: z.string(), at: z.string() }),
  AccountLocked: z.object({
    accountId: z.string(),
    until: z.string(),
    reason: z.enum(['failed_logins', 'admin', 'breach']),
  }),
};
export type AccountEvent = EventOf<typeof events>;

export type Account = {
  /** `abandoned`: its registration was given up before it came about. */
  readonly status: 'none' | 'abandoned' | 'active';
  readonly verified: boolean;
  readonly plan: (typeof PLANS)[number];
  readonly passwordHash?: string;
  /** The only request for verification whose token counts. */
  readonly verification?: { readonly requestId: string; readonly expiresAt: string };
  readonly lockedUntil?: string;
};

/** A person's account: how it came about, whether its address is verified, and what it logs in with. */
export const account = decider<Account, AccountEvent>({
  category: 'account',
  events,
  initial: { status: 'none', verified: false, plan: 'free' },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'AccountRegistered': {
        const { plan, passwordHash } = data;
        return { ...state, status: 'active', plan, ...(passwordHash === undefined ? {} : { passwordHash }) };
      }
      case 'RegistrationAbandoned':
        return { ...state, status: 'abandoned' };
      case 'EmailVerificationRequested':
        return { ...state, verification: { requestId: data.requestId, expiresAt: data.expiresAt } };
      case 'EmailVerified': {
        const { verification: _used, ...rest } = state;
        return { ...rest, verified: true };
      }
      case 'AccountLocked':
        return { ...state, lockedUntil: data.until };
    }
  },
});
const command = commandsOf(account);

/** What registering must know: made outside, because hashing takes time and keys. */
export type RegistrationFacts = { readonly passwordHash: string; readonly emailHash: string };

const addressTaken = () => reject('CONFLICT', 'email-taken', 'There is an account with this e-mail address', 'email');

/** Opens an account whose address has been reserved before. It begins on plan free and unverified. */
export const registerAccount = command(
  'RegisterAccount',
  z.object({
    email,
    password,
    displayName: line(1, 100),
    acceptTerms: z.literal(true, 'The terms must be accepted'),
    phoneNumber: phoneNumber.optional(),
    timezone: timeZone.default('UTC'),
    language: language.default('en'),
    createdFrom: z.enum(['web', 'mobile', 'api']).default('api'),
  }),
  (input, { status }, { facts, newId, now }: { facts: RegistrationFacts; newId(label: string): string; now: Date }) => {
    if (status !== 'none') return addressTaken();
    const { password: _clear, acceptTerms: _true, phoneNumber: phone, ...profile } = input;
    const accountId = newId('account');
    return [
      {
        type: 'AccountRegistered',
        data: {
          accountId,
          ...profile,
          ...(phone === undefined ? {} : { phoneNumber: phone }),
          ...facts,
          plan: 'free',
          method: 'password',
          termsAcceptedAt: now.toISOString(),
        },
      },
    ];
  },
);

/** Opens the account of the first administrator, verified from the start. Doing so twice changes nothing. */
export const registerAdministrator = command(
  'RegisterAdministrator',
  z.object({ accountId: uuid, email, password: z.string().min(1).max(72) }),
  (input, { status }, { facts, now }: { facts: RegistrationFacts; now: Date }) => {
    if (status === 'active') return [];
    if (status === 'abandoned') return addressTaken();
    const { accountId } = input;
    return [
      {
        type: 'AccountRegistered',
        data: {
          accountId,
          email: input.email,
          ...facts,
          displayName: 'Administrator',
          timezone: 'UTC',
          language: 'en',
          plan: 'free',
          createdFrom: 'service',
          method: 'password',
        },
      },
      { type: 'EmailVerified', data: { accountId, at: now.toISOString() } },
    ];
  },
);

/** Rules out for good that a registration which stopped half-way still comes about, so that its address may be reserved anew. */
export const abandonRegistration = command('AbandonRegistration', z.object({ accountId: uuid }), (data, { status }) => {
  if (status === 'active') return addressTaken();
  return status === 'abandoned' ? [] : [{ type: 'RegistrationAbandoned', data }];
});

/** Milliseconds that the token of a verification mail lives. */
export const VERIFICATION_LIFE = 24 * 3_600_000;

/** Begins a verification of the address; the tokens of earlier ones are void. Verified accounts need none. */
export const startEmailVerification = command(
  'StartEmailVerification',
  z.object({ accountId: uuid }),
  ({ accountId }, { status, verified }, { newId, now }) => {
    if (status !== 'active' || verified) return [];
    const expiresAt = new Date(now.getTime() + VERIFICATION_LIFE).toISOString();
    return [{ type: 'EmailVerificationRequested', data: { accountId, requestId: newId('verification'), expiresAt } }];
  },
);

/** What VerifyEmail must know: which account and request an authentic token names. */
export type VerificationFacts = { readonly accountId: string; readonly requestId: string };

/** Verifies the address with the token of the latest mail, once. */
export const verifyEmail = command(
  'VerifyEmail',
  z.object({ token: line(1, 200) }),
  (_input, { verification }, { facts, now }: { facts: VerificationFacts; now: Date }) => {
    if (verification?.requestId !== facts.requestId || Date.parse(verification.expiresAt) <= now.getTime())
      return reject('VALIDATION_ERROR', 'token-invalid', 'This token is unknown, used or expired', 'token');
    return [{ type: 'EmailVerified', data: { accountId: facts.accountId, at: now.toISOString() } }];
  },
);

/** Closes the account's log-in until an instant. A lock that lasts as long already stays as it is. */
export const lockAccount = command('LockAccount', events.AccountLocked, (data, { status, lockedUntil }) => {
  if (status !== 'active') return reject('NOT_FOUND', 'account-unknown', 'There is no such account');
  if (lockedUntil !== undefined && lockedUntil >= data.until) return [];
  return [{ type: 'AccountLocked', data }];
});
