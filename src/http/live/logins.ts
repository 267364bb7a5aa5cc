import type { Actor } from '../../domain/decider.ts';
import type { Auth } from '../auth.ts';
import { Problem } from '../problem.ts';
import type { Caller } from '../request.ts';
import type { Tickets } from './tickets.ts';

/** Who a token or ticket stands for, and when the login ends with it. */
export type Login = { readonly caller: Caller; readonly expiresAt: Date };

export type Logins = {
  /** Undefined: the token is worth nothing (any more). */
  readonly byToken: (token: string) => Promise<Login | undefined>;
  /** Takes the ticket in. Undefined: unknown, used, too old, or its login has ended. */
  readonly byTicket: (ticket: string) => Promise<Login | undefined>;
  /** The actor with its rights of now; undefined when its login session or account is gone. */
  readonly standing: (actor: Actor) => Promise<Actor | undefined>;
};

/** Instant at which a token that was verified before ends. */
export const expiryOf = (token: string): Date => {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined;
  return new Date(typeof exp === 'number' ? exp * 1000 : 0);
};

const unlessRefused = async <T>(work: Promise<T>): Promise<T | undefined> => {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Problem && error.code === 'UNAUTHORIZED') return undefined;
    throw error;
  }
};

/** The ways to log a live connection in. All throw when rights cannot be read. */
export const createLogins = (auth: Auth, tickets: Pick<Tickets, 'redeem'>): Logins => ({
  byToken: async (token) => {
    const caller = await unlessRefused(auth.callerOfToken(token));
    return caller && { caller, expiresAt: expiryOf(token) };
  },
  byTicket: async (ticket) => {
    const holder = await tickets.redeem(ticket);
    if (holder === undefined) return undefined;
    const caller = await unlessRefused(auth.callerOfSession(holder.accountId, holder.sessionId));
    return caller && { caller, expiresAt: holder.endsAt };
  },
  standing: async ({ id, sessionId }) => {
    if (sessionId === undefined) return undefined;
    return (await unlessRefused(auth.callerOfSession(id, sessionId)))?.actor;
  },
});
