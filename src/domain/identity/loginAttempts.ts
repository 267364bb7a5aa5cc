import { z } from 'zod';
import { commandsOf, decider, type EventOf, pii, type Rejection, reject } from '../decider.ts';
import { email, line, typedPassword, uuid } from '../fields.ts';

/** Why an attempt failed. */
export const FAILURES = ['unknown', 'wrong_secret', 'locked', 'deactivated'] as const;
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
    reason: z.enum(FAILURES),
    consecutiveFailures: z.int(),
    lockedUntil: z.string().optional().describe('Set by the failure that locks the identifier'),
    ip: pii('identifierHash', z.string()),
    userAgent: pii('identifierHash', z.string()),
  }),
};
export type LoginAttemptsEvent = EventOf<typeof events>;

export type LoginAttempts = {
  /** Failures since the last success or the last lock. */
  readonly failures: number;
  readonly lockedUntil?: string;
};

/** Failures in a row after which an identifier is locked, and for how many milliseconds. */
export const MAX_FAILURES = 5;
export const LOCK_TIME = 15 * 60_000;

/**
 * The attempts to log in with one identifier, whether it has an account or not, so that the answers do not tell. The
 * stream's id is a keyed hash of the identifier.
 */
export const loginAttempts = decider<LoginAttempts, LoginAttemptsEvent>({
  category: 'loginAttempts',
  events,
  initial: { failures: 0 },
  evolve: (_state, { type, data }) => {
    switch (type) {
      case 'LoginSucceeded':
        return { failures: 0 };
      case 'LoginFailed':
        return data.lockedUntil === undefined
          ? { failures: data.consecutiveFailures }
          : { failures: 0, lockedUntil: data.lockedUntil };
    }
  },
});
const command = commandsOf(loginAttempts);

/** The refusal while a lock that lasts until the instant stands; undefined without one. */
export const lockOf = (until: string | undefined, now: Date): Rejection | undefined => {
  const left = until === undefined ? 0 : Date.parse(until) - now.getTime();
  if (left <= 0) return undefined;
  const message = `Locked: please try again in ${Math.ceil(left / 60_000)} minutes`;
  return { ...reject('ACCOUNT_LOCKED', 'locked', message), retryAfter: Math.ceil(left / 1000) };
};

/** Where an attempt came from, as the request tells. */
export const Origin = { ip: line(0, 100), userAgent: line(0, 400) };

/** Counts a failure; the fifth in a row locks the identifier. Refused while it is locked. */
export const recordFailedLogin = command(
  'RecordFailedLogin',
  z.object({ identifierHash: line(1, 64), accountId: uuid.optional(), reason: z.enum(FAILURES), ...Origin }),
  ({ accountId, ...input }, state, { now }) => {
    const lock = lockOf(state.lockedUntil, now);
    if (lock !== undefined) return lock;
    const consecutiveFailures = state.failures + 1;
    const until = new Date(now.getTime() + LOCK_TIME).toISOString();
    const data = {
      ...input,
      ...(accountId === undefined ? {} : { accountId }),
      consecutiveFailures,
      ...(consecutiveFailures < MAX_FAILURES ? {} : { lockedUntil: until }),
    };
    return [{ type: 'LoginFailed', data }];
  },
);

/** Which account an identifier and its secret have turned out to belong to, and the session that is to begin. */
export type LoginFacts = z.output<typeof Login>;
const Login = z.object({
  identifierHash: line(1, 64),
  accountId: uuid,
  sessionId: uuid,
  method: z.enum(METHODS),
  deviceId: line(1, 100).optional(),
  ...Origin,
});

const succeeded = (data: LoginFacts, { lockedUntil }: LoginAttempts, now: Date) =>
  lockOf(lockedUntil, now) ?? [{ type: 'LoginSucceeded' as const, data }];

/** Counts a success: the failures before it no longer matter. Refused while the identifier is locked. */
export const logIn = command(
  'LogIn',
  z.object({
    email,
    password: typedPassword,
    deviceId: line(1, 100).optional(),
    deviceName: line(1, 100).optional(),
  }),
  (_input, state, { facts, now }: { facts: LoginFacts; now: Date }) => succeeded(facts, state, now),
);
