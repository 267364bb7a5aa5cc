import { z } from 'zod';
import { can, commandsOf, decider, type EventOf, pii, reject, secret } from '../decider.ts';
import { DAY_MS } from '../durations.ts';
import { line, uuid } from '../fields.ts';
import { Origin } from './loginAttempts.ts';

const METHODS = ['password', 'otp', 'oauth', 'mfa'] as const;
const ENDINGS = ['logout', 'owner', 'admin', 'password_change', 'reuse', 'deactivation', 'breach'] as const;

/** Stored facts. Type names and fields are the storage format: add to them, never rename or remove. */
export const events = {
  LoginSessionStarted: z.object({
    sessionId: z.string(),
    accountId: z.string(),
    method: z.enum(METHODS),
    refreshTokenHash: secret(z.string()),
    expiresAt: z.string(),
    deviceId: z.string().optional(),
    deviceInfo: pii('accountId', z.string()).optional(),
    ip: pii('accountId', z.string()),
    userAgent: pii('accountId', z.string()),
  }),
  LoginSessionRefreshed: z.object({
    sessionId: z.string(),
    accountId: z.string(),
    refreshTokenHash: secret(z.string()),
    expiresAt: z.string(),
    ip: pii('accountId', z.string()),
  }),
  RefreshTokenReuseDetected: z.object({
    sessionId: z.string(),
    accountId: z.string(),
    ip: pii('accountId', z.string()),
  }),
  LoginSessionRevoked: z.object({ sessionId: z.string(), accountId: z.string(), by: z.enum(ENDINGS) }),
};
export type LoginSessionEvent = EventOf<typeof events>;

export type LoginSession = {
  /** Undefined: no such session. */
  readonly accountId?: string;
  /** When its first refresh token ends or ended. */
  readonly firstExpiresAt: string;
  readonly expiresAt: string;
  readonly revoked: boolean;
  /** The hash of the one refresh token that counts. */
  readonly refreshTokenHash: string;
  /** How many refresh tokens were exchanged before it: the use of one of them gives a thief away. */
  readonly exchanges: number;
};

/** Milliseconds that a refresh token lives. */
export const REFRESH_LIFE = 7 * DAY_MS;

/** A log-in on one device, from the first token pair to the last. */
export const loginSession = decider<LoginSession, LoginSessionEvent>({
  category: 'loginSession',
  events,
  initial: { firstExpiresAt: '', expiresAt: '', revoked: false, refreshTokenHash: '', exchanges: 0 },
  evolve: (state, { type, data }) => {
    switch (type) {
      case 'LoginSessionStarted': {
        const { accountId, expiresAt, refreshTokenHash } = data;
        return { ...state, accountId, firstExpiresAt: expiresAt, expiresAt, refreshTokenHash };
      }
      case 'LoginSessionRefreshed': {
        const { refreshTokenHash, expiresAt } = data;
        return { ...state, exchanges: state.exchanges + 1, refreshTokenHash, expiresAt };
      }
      case 'RefreshTokenReuseDetected':
        return state;
      case 'LoginSessionRevoked':
        return { ...state, revoked: true };
    }
  },
});
const command = commandsOf(loginSession);

const hash = line(1, 64);
const lifeFrom = (now: Date): string => new Date(now.getTime() + REFRESH_LIFE).toISOString();

/** Opens a session for an account whose secrets have been checked. */
export const startLoginSession = command(
  'StartLoginSession',
  z.object({
    sessionId: uuid,
    accountId: uuid,
    method: z.enum(METHODS),
    refreshTokenHash: hash,
    deviceId: line(1, 100).optional(),
    deviceName: line(1, 100).optional(),
    ...Origin,
  }),
  ({ deviceId, deviceName, ...input }, state, { now }) => {
    if (state.accountId !== undefined) return [];
    const data = {
      ...input,
      expiresAt: lifeFrom(now),
      ...(deviceId === undefined ? {} : { deviceId }),
      ...(deviceName === undefined ? {} : { deviceInfo: deviceName }),
    };
    return [{ type: 'LoginSessionStarted', data }];
  },
);

/** Milliseconds since 1970 at which the session began; not a number where there is no session. */
export const beganAt = ({ firstExpiresAt }: LoginSession): number => Date.parse(firstExpiresAt) - REFRESH_LIFE;

/** Whether the session still counts. */
export const isAlive = ({ accountId, revoked, expiresAt }: LoginSession, now: Date): boolean =>
  accountId !== undefined && !revoked && Date.parse(expiresAt) > now.getTime();

/** What exchanging a refresh token must know: made outside, because hashes and fresh secrets are. */
export type RefreshFacts = {
  readonly sessionId: string;
  /** The token that was sent, which this service has made, and how many exchanges came before it. */
  readonly presented: { readonly hash: string; readonly generation: number };
  /** The log holds exchanges that the state does not show, up to the token presented. */
  readonly behind: boolean;
  readonly nextHash: string;
  readonly ip: string;
};

/** The refusal of a refresh token that does not count. */
export const refreshTokenInvalid = () => reject('UNAUTHORIZED', 'refresh-token-invalid', 'Please log in again');

/**
 * Exchanges the current refresh token for the next one. A token that has been exchanged before was stolen, here or there:
 * the session ends, which the caller tells from the state.
 */
export const refreshSession = command(
  'RefreshSession',
  z.object({ refreshToken: z.string().max(200) }),
  (_input, state, { facts, now }: { facts: RefreshFacts; now: Date }) => {
    const { sessionId, presented, behind, nextHash, ip } = facts;
    const { accountId, refreshTokenHash, exchanges } = state;
    if (accountId === undefined || !isAlive(state, now)) return refreshTokenInvalid();
    // On a state that is behind nothing can be stored: it is decided again on the one that the log holds.
    const current = presented.hash === refreshTokenHash || (behind && presented.generation > exchanges);
    if (!current && presented.generation >= exchanges) return refreshTokenInvalid();
    if (!current)
      return [
        { type: 'RefreshTokenReuseDetected', data: { sessionId, accountId, ip } },
        { type: 'LoginSessionRevoked', data: { sessionId, accountId, by: 'reuse' } },
      ];
    const data = { sessionId, accountId, refreshTokenHash: nextHash, expiresAt: lifeFrom(now), ip };
    return [{ type: 'LoginSessionRefreshed', data }];
  },
);

/** Ends an own session (the one of the request: a log-out), or as administrator anybody's. Ending it twice changes nothing. */
export const revokeLoginSession = command(
  'RevokeLoginSession',
  z.object({ sessionId: uuid }),
  ({ sessionId }, { accountId, revoked }, { actor }) => {
    const own = accountId === actor.id;
    if (accountId === undefined || !(own || can(actor, '*:*')))
      return reject('NOT_FOUND', 'session-unknown', 'There is no such login session');
    if (revoked) return [];
    const by = !own ? 'admin' : sessionId === actor.sessionId ? 'logout' : 'owner';
    return [{ type: 'LoginSessionRevoked', data: { sessionId, accountId, by } }];
  },
);

/** Ends a session for the reason given; the caller has been checked before. */
export const endLoginSession = command(
  'EndLoginSession',
  z.object({ sessionId: uuid, by: z.enum(ENDINGS) }),
  ({ sessionId, by }, { accountId, revoked }) =>
    accountId === undefined || revoked ? [] : [{ type: 'LoginSessionRevoked', data: { sessionId, accountId, by } }],
);
