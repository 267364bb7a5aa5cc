import { z } from 'zod';
import { commandsOf, decider, type EventOf, pii, type Rejection, reject, secret } from '../decider.ts';
import { MINUTE_MS } from '../durations.ts';
import { line, typedPassword, uuid } from '../fields.ts';
import { exactlyOneIdentifier, oneIdentifier, sixDigits } from './otp.ts';

/** Why an attempt failed. */
export const FAILURES = ['unknown', 'wrong_secret', 'locked', 'deactivated', 'wrong_otp', 'wrong_mfa'] as const;
const METHODS = ['password', 'otp', 'oauth', 'mfa'] as const;

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  LoginSucceeded: z.object({
    identifierHash: z.string(),
    accountId: z.string(),
    sessionId: z.string(),
    method: z.enum(METHODS),
    ip: pii('accountId', z.string()),
    userAgent: pii('accountId', z.string()),
    deviceId: z.string().optional(),
  }),
  LoginFailed: z.object({
    identifierHash: z.string(),
    accountId: z.string().optional().describe('Absent when the identifier has no account'),
    reason: z.enum(FAILURES).describe('`locked`: the secret was not looked at, and the attempt does not count'),
    consecutiveFailures: z.int(),
    lockedUntil: z.string().optional().describe('Set by the failure that locks the identifier'),
    ip: pii('identifierHash', z.string()),
    ipHash: secret(z.string()).optional().describe('Keyed hash of the address, to count by'),
    userAgent: pii('identifierHash', z.string()),
  }),
  LoginFailuresCleared: z
    .object({ identifierHash: z.string(), accountId: z.string() })
    .describe('Failures and lock count no more: the account behind the identifier was unlocked'),
};
export type LoginAttemptsEvent = EventOf<typeof events>;

export type LoginAttempts = {
  /** Failures since the last success or the last lock. */
  readonly failures: number;
  readonly lockedUntil?: string;
};

/** Failures in a row after which an identifier is locked, and for how many milliseconds. */
export const MAX_FAILURES = 5;
export const LOCK_TIME = 15 * MINUTE_MS;

/**
 * The attempts to log in with one identifier, whether it has an account or not, so that the answers do not tell. The
 * stream's id is a keyed hash of the identifier.
 */
export const loginAttempts = decider<LoginAttempts, LoginAttemptsEvent>({
  category: 'loginAttempts',
  events,
  initial: { failures: 0 },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'LoginSucceeded':
        return { failures: 0 };
      case 'LoginFailed':
        if (data.reason === 'locked') return state;
        return data.lockedUntil === undefined
          ? { failures: data.consecutiveFailures }
          : { failures: 0, lockedUntil: data.lockedUntil };
      case 'LoginFailuresCleared':
        return { failures: 0 };
    }
  },
});
const command = commandsOf(loginAttempts);

/** The refusal while a lock that lasts until the instant stands; undefined without one. */
export const lockOf = (until: string | undefined, now: Date): Rejection | undefined => {
  const left = until === undefined ? 0 : Date.parse(until) - now.getTime();
  if (left <= 0) return undefined;
  const minutes = Math.ceil(left / MINUTE_MS);
  const refusal = reject('ACCOUNT_LOCKED', 'locked', `Locked: please try again in ${minutes} minutes`);
  return { ...refusal, retryAfter: Math.ceil(left / 1000) };
};

/** Where an attempt came from, as the request tells. */
export const Origin = { ip: line(0, 100), userAgent: line(0, 400) };

/**
 * Counts a failure; the fifth in a row locks the identifier. Refused while it is locked, but for the reason that this or
 * the account behind it is locked: such an attempt is noted and counts for nothing.
 */
export const recordFailedLogin = command(
  'RecordFailedLogin',
  z.object({
    identifierHash: line(1, 64),
    accountId: uuid.optional(),
    reason: z.enum(FAILURES),
    ...Origin,
    ipHash: line(1, 64).optional(),
  }),
  ({ accountId, ipHash, ...input }, state, { now }) => {
    const isShut = input.reason === 'locked';
    const lock = isShut ? undefined : lockOf(state.lockedUntil, now);
    if (lock !== undefined) return lock;
    const consecutiveFailures = isShut ? state.failures : state.failures + 1;
    const until = new Date(now.getTime() + LOCK_TIME).toISOString();
    const data = {
      ...input,
      ...(accountId === undefined ? {} : { accountId }),
      ...(ipHash === undefined ? {} : { ipHash }),
      consecutiveFailures,
      ...(consecutiveFailures < MAX_FAILURES ? {} : { lockedUntil: until }),
    };
    return [{ type: 'LoginFailed', data }];
  },
);

/** Counts a success: the failures before it no longer matter. Refused while the identifier is locked. */
export const recordLogin = command(
  'RecordLogin',
  z.object({
    identifierHash: line(1, 64),
    accountId: uuid,
    sessionId: uuid,
    method: z.enum(METHODS),
    deviceId: line(1, 100).optional(),
    ...Origin,
  }),
  ({ deviceId, ...data }, { lockedUntil }, { now }) =>
    lockOf(lockedUntil, now) ?? [
      { type: 'LoginSucceeded', data: deviceId === undefined ? data : { ...data, deviceId } },
    ],
);

/** Forgets failures and lock of an identifier, because the account behind it was unlocked. */
export const clearLoginFailures = command(
  'ClearLoginFailures',
  z.object({ identifierHash: line(1, 64), accountId: uuid }),
  (data, { failures, lockedUntil }) =>
    failures === 0 && lockedUntil === undefined ? [] : [{ type: 'LoginFailuresCleared', data }],
);

/** What a device is called that logs in. */
export const device = { deviceId: line(1, 100).optional(), deviceName: line(1, 100).optional() };

/**
 * Logs in with an identifier and a secret. A process of steps, each in its own stream; what may never be is a log-in
 * while the identifier is locked, which is judged here.
 */
export const logIn = command(
  'LogIn',
  exactlyOneIdentifier(
    z.object({ ...oneIdentifier, password: typedPassword.optional(), otpCode: sixDigits.optional(), ...device }),
  ).refine(({ password, otpCode }) => (password === undefined) !== (otpCode === undefined), {
    path: ['password'],
    message: 'Exactly one of password and otpCode is needed',
  }),
  (_input, { lockedUntil }, { now }) => lockOf(lockedUntil, now) ?? [],
);
