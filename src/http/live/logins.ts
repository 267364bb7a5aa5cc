import type { Actor } from '../../domain/decider.ts';
import type { Auth } from '../auth.ts';
import { Problem } from '../problem.ts';
import type { Caller } from '../request.ts';
import type { Tickets } from './tickets.ts';

/** Who a token or ticket stands for, and when the login ends with it. */
export type Login = Caller & { readonly endsAt: Date };

export type Logins = {
  /** Undefined: the token is worth nothing (any more). */
  readonly byToken: (token: string) => Promise<Login | undefined>;
  /** Takes the ticket in. Undefined: unknown, used, too old, or its login has ended. */
  readonly byTicket: (ticket: string) => Promise<Login | undefined>;
  /** The actor with its rights of now; undefined when its login session or account is gone. */
  readonly standing: (actor: Actor) => Promise<Actor | undefined>;
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
  byToken: (token) => unlessRefused(auth.callerOfToken(token)),
  byTicket: async (ticket) => {
    const holder = await tickets.redeem(ticket);
    if (holder === undefined) return undefined;
    const caller = await unlessRefused(auth.callerOfSession(holder.accountId, holder.sessionId));
    return caller && { ...caller, endsAt: holder.endsAt };
  },
  standing: async ({ id, sessionId }) => {
    if (sessionId === undefined) return undefined;
    return (await unlessRefused(auth.callerOfSession(id, sessionId)))?.actor;
  },
});
