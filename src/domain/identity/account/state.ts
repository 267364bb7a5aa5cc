import { commandsOf, decider } from '../../decider.ts';
import {
  type AccountEvent,
  events,
  type MFA_METHODS,
  type Plan,
  type Preferences,
  type SignInProvider,
} from './events.ts';

type MfaMethod = (typeof MFA_METHODS)[number];

/** A request by mail whose token counts until it expires, is used, or another takes its place. */
export type Pending = { readonly requestId: string; readonly expiresAt: string };

/** A telephone number, by a keyed hash. */
export type Phone = {
  readonly id: string;
  readonly numberHash: string;
  readonly verified: boolean;
  readonly verifiedAt?: string;
};

/** The second factor: not there, offered but not confirmed, or on. */
export type Mfa = {
  readonly method: MfaMethod;
  readonly phoneNumberId?: string;
  /** Keyed hashes of the backup codes not yet used. */
  readonly backupCodes: readonly string[];
};

export type Account = {
  /** Of the stream's last event, counted from 0; -1 before the first. */
  readonly version: number;
  /** `abandoned`: its registration was given up before it came about. `erased`: its personal data are gone for good. */
  readonly status: 'none' | 'abandoned' | 'active' | 'deactivated' | 'erased';
  /** Names the reservation of the address. */
  readonly emailHash?: string;
  readonly emailVerified: boolean;
  /** Revision of the event that has the hash of the password, which no state may hold; absent without a password. */
  readonly passwordAt?: number;
  /** Counts changes of what the account logs in with: a log-in that began before one does not come to its end. */
  readonly credentials: number;
  readonly lockedUntil?: string;

  /** The only request for verification whose token counts. */
  readonly verification?: Pending;
  /** The only change of the address whose token counts. */
  readonly emailChange?: Pending & { readonly emailHash: string };
  /** When the tokens of the latest changes of the address end or ended, oldest first: as many as count. */
  readonly emailChanges: readonly string[];
  /** The only request for another password whose token counts. */
  readonly reset?: Pending;

  readonly mfa?: Mfa;
  readonly mfaSetup?: Mfa & { readonly expiresAt: string };
  /** Of the latest code that was used; -1 before the first. */
  readonly totpStep: number;
  /** When the trust in a device ends, by its id. */
  readonly trustedDevices: Readonly<Record<string, string>>;

  /** Keyed hashes of the subjects by which providers know the person. */
  readonly identities: Readonly<Partial<Record<SignInProvider, string>>>;
  /** Oldest first. */
  readonly phones: readonly Phone[];
  readonly primaryPhoneId?: string;
  /** When the latest numbers were added, oldest first: as many as count. */
  readonly phonesAdded: readonly string[];

  readonly timezone: string;
  readonly language: string;
  readonly preferences?: Preferences;

  readonly plan: Plan;
  readonly subscription: {
    readonly status: 'active' | 'cancelled' | 'expired';
    readonly startedAt?: string;
    readonly expiresAt?: string;
    readonly autoRenew: boolean;
  };
};

/** Changes of the address that may be asked for in an hour: each sends a mail to a stranger's address. */
export const EMAIL_CHANGES_PER_HOUR = 5;

/** Numbers that may be added in an hour, removed ones included: each is sent a text message. */
export const PHONES_PER_HOUR = 10;

const initial: Account = {
  version: -1,
  status: 'none',
  emailVerified: false,
  emailChanges: [],
  credentials: 0,
  totpStep: -1,
  trustedDevices: {},
  identities: {},
  phones: [],
  phonesAdded: [],
  timezone: 'UTC',
  language: 'en',
  plan: 'free',
  subscription: { status: 'active', autoRenew: false },
};

const without = <T extends object, K extends keyof T>(state: T, ...names: readonly K[]): Omit<T, K> => {
  const rest = { ...state };
  for (const name of names) delete rest[name];
  return rest;
};

const withPhone = (state: Account, phoneNumberId: string, change: Partial<Phone>): Account => ({
  ...state,
  phones: state.phones.map((phone) => (phone.id === phoneNumberId ? { ...phone, ...change } : phone)),
});

/** The revision of the event that comes next. */
const nextRevision = ({ version }: Account): number => version + 1;

const after = (state: Account, { type, data }: AccountEvent): Account => {
  switch (type) {
    case 'AccountRegistered': {
      const { plan, passwordHash, emailHash, timezone, language } = data;
      return {
        ...state,
        status: 'active',
        plan,
        emailHash,
        timezone,
        language,
        ...(passwordHash === undefined ? {} : { passwordAt: nextRevision(state) }),
      };
    }
    case 'RegistrationAbandoned':
      return { ...state, status: 'abandoned' };

    case 'EmailVerificationRequested':
      return { ...state, verification: { requestId: data.requestId, expiresAt: data.expiresAt } };
    case 'EmailVerified':
      return { ...without(state, 'verification'), emailVerified: true };
    case 'EmailChangeRequested': {
      const { requestId, expiresAt, newEmailHash } = data;
      const emailChanges = [...state.emailChanges, expiresAt].slice(-EMAIL_CHANGES_PER_HOUR);
      return { ...state, emailChanges, emailChange: { requestId, expiresAt, emailHash: newEmailHash } };
    }
    case 'EmailChanged':
      return {
        ...without(state, 'emailChange', 'verification', 'reset'),
        emailHash: data.emailHash,
        emailVerified: true,
      };

    case 'AccountLocked':
      return { ...state, lockedUntil: data.until };
    case 'AccountUnlocked':
      return without(state, 'lockedUntil');

    case 'PasswordResetRequested':
      return { ...state, reset: { requestId: data.requestId, expiresAt: data.expiresAt } };
    case 'PasswordResetCompleted':
    case 'PasswordChanged':
      return { ...without(state, 'reset'), passwordAt: nextRevision(state), credentials: state.credentials + 1 };
    case 'PasswordRehashed':
      return { ...state, passwordAt: nextRevision(state) };

    case 'MfaSetupStarted': {
      const { method, phoneNumberId, backupCodeHashes, expiresAt } = data;
      const phone = phoneNumberId === undefined ? {} : { phoneNumberId };
      return { ...state, mfaSetup: { method, backupCodes: backupCodeHashes, expiresAt, ...phone } };
    }
    case 'MfaEnabled': {
      const { mfaSetup, ...rest } = state;
      if (mfaSetup === undefined) return state;
      return { ...rest, mfa: without(mfaSetup, 'expiresAt'), credentials: state.credentials + 1 };
    }
    case 'MfaDisabled':
      return { ...without(state, 'mfa', 'mfaSetup'), trustedDevices: {}, credentials: state.credentials + 1 };
    case 'TotpStepUsed':
      return { ...state, totpStep: data.step };
    case 'BackupCodeConsumed':
      return state.mfa === undefined
        ? state
        : {
            ...state,
            mfa: { ...state.mfa, backupCodes: state.mfa.backupCodes.filter((hash) => hash !== data.codeHash) },
          };
    case 'BackupCodesRegenerated':
      return state.mfa === undefined ? state : { ...state, mfa: { ...state.mfa, backupCodes: data.backupCodeHashes } };
    case 'DeviceTrusted':
      return { ...state, trustedDevices: { ...state.trustedDevices, [data.deviceId]: data.expiresAt } };
    case 'DeviceTrustRevoked':
      return { ...state, trustedDevices: without(state.trustedDevices, data.deviceId) };

    case 'OAuthIdentityLinked':
      return { ...state, identities: { ...state.identities, [data.provider]: data.subjectHash } };
    case 'OAuthIdentityUnlinked':
      return { ...state, identities: without(state.identities, data.provider), credentials: state.credentials + 1 };
    case 'UnprovedAccessDropped':
      return {
        ...without(state, 'passwordAt', 'reset', 'verification', 'emailChange', 'mfa', 'mfaSetup'),
        identities: {},
        trustedDevices: {},
        credentials: state.credentials + 1,
      };

    case 'ProfileUpdated':
      return data.changed.timezone === undefined ? state : { ...state, timezone: data.changed.timezone };
    case 'PreferencesUpdated': {
      const { timezone, language } = data.preferences;
      return { ...state, preferences: data.preferences, timezone, language };
    }

    case 'PhoneNumberAdded': {
      const phone = { id: data.phoneNumberId, numberHash: data.numberHash, verified: false };
      const phonesAdded = [...state.phonesAdded, data.at].slice(-PHONES_PER_HOUR);
      return { ...state, phonesAdded, phones: [...state.phones, phone] };
    }
    case 'PhoneNumberLabelled':
      return state;
    case 'PhoneNumberVerified':
      return withPhone(state, data.phoneNumberId, { verified: true, verifiedAt: data.at });
    case 'PrimaryPhoneNumberSet':
      return { ...state, primaryPhoneId: data.phoneNumberId };
    case 'PhoneNumberRemoved': {
      const { phoneNumberId } = data;
      const { primaryPhoneId, mfaSetup, phones, ...rest } = state;
      return {
        ...rest,
        phones: phones.filter(({ id }) => id !== phoneNumberId),
        ...(primaryPhoneId === undefined || primaryPhoneId === phoneNumberId ? {} : { primaryPhoneId }),
        // An offer to send codes to the number is void with it.
        ...(mfaSetup === undefined || mfaSetup.phoneNumberId === phoneNumberId ? {} : { mfaSetup }),
      };
    }

    case 'SubscriptionChanged': {
      const { plan, startedAt, expiresAt, autoRenew } = data;
      const end = expiresAt === undefined ? {} : { expiresAt };
      return { ...state, plan, subscription: { status: 'active', startedAt, autoRenew, ...end } };
    }
    case 'SubscriptionCancelled':
      return {
        ...state,
        subscription: { ...state.subscription, status: 'cancelled', expiresAt: data.effectiveAt, autoRenew: false },
      };
    case 'SubscriptionExpired':
      return { ...state, plan: 'free', subscription: { ...state.subscription, status: 'expired', autoRenew: false } };

    case 'AccountDeactivated':
      return { ...state, status: 'deactivated', credentials: state.credentials + 1 };
    case 'AccountReactivated':
      return { ...state, status: 'active' };
    case 'AccountErased': {
      // The account ends here; what names or proves the person is not kept in memory either.
      const { plan, subscription, credentials } = state;
      return { ...initial, status: 'erased', plan, subscription, credentials: credentials + 1 };
    }
  }
};

const evolve = (state: Account, event: AccountEvent): Account => ({
  ...after(state, event),
  version: state.version + 1,
});

/** A person's account: how it came about, what it logs in with, and what its holder has set. */
export const account = decider<Account, AccountEvent>({ category: 'account', events, initial, evolve });

/** The constructor of the commands of an account. */
export const command = commandsOf(account);

/** Whether the account has an address or a telephone number that is known to be its holder's. */
export const isVerified = ({ emailVerified, phones }: Account): boolean =>
  emailVerified || phones.some(({ verified }) => verified);
