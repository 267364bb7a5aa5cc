import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';

/** Seconds that a ticket lives. */
export const TICKET_SECONDS = 30;
const BYTES = 32;

/** Who a ticket stands for, and until when a connection opened with it may last. */
export type Holder = { readonly accountId: string; readonly sessionId: string; readonly endsAt: Date };

export type Tickets = {
  /** A fresh one with the instant at which it ends. */
  readonly issue: (holder: Holder) => Promise<{ readonly ticket: string; readonly expiresAt: Date }>;
  /** Takes a ticket in, on whichever node it was issued: it is good once. Undefined: unknown, used or too old. */
  readonly redeem: (ticket: string) => Promise<Holder | undefined>;
};

const hashOf = (ticket: string): Buffer => createHash('sha256').update(ticket).digest();

/**
 * One-time tickets for clients that cannot send a header (EventSource, WebSocket in browsers): they may stand in an
 * address, because they are worth nothing once they were used. Only their hash is kept.
 */
export const createTickets = (pool: pg.Pool): Tickets => ({
  issue: async ({ accountId, sessionId, endsAt }) => {
    const ticket = randomBytes(BYTES).toString('base64url');
    await pool.query('delete from convene.live_tickets where expires_at <= now()');
    const { rows } = await pool.query<{ expires_at: Date }>(
      `insert into convene.live_tickets (hash, account_id, session_id, login_ends_at, expires_at)
       values ($1, $2, $3, $4, now() + $5 * interval '1 second') returning expires_at`,
      [hashOf(ticket), accountId, sessionId, endsAt, TICKET_SECONDS],
    );
    return { ticket, expiresAt: new Date(rows[0]?.expires_at ?? 0) };
  },
  redeem: async (ticket) => {
    const { rows } = await pool.query<{ account_id: string; session_id: string; login_ends_at: Date; fresh: boolean }>(
      `delete from convene.live_tickets where hash = $1
       returning account_id, session_id, login_ends_at, expires_at > now() as fresh`,
      [hashOf(ticket)],
    );
    const [row] = rows;
    if (row === undefined || !row.fresh) return undefined;
    return { accountId: row.account_id, sessionId: row.session_id, endsAt: new Date(row.login_ends_at) };
  },
});
