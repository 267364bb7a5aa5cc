import { z } from 'zod';
import type { App } from '../app.ts';
import { Problem } from '../problem.ts';
import { callerOf } from '../request.ts';
import { expiryOf } from './logins.ts';
import { TICKET_SECONDS, type Tickets } from './tickets.ts';

/** POST /live/tickets: a way in for browsers, whose EventSource and WebSocket cannot send an access token. */
export const ticketRoute = (app: App, tickets: Pick<Tickets, 'issue'>): void => {
  app.post(
    '/live/tickets',
    {
      schema: {
        summary: 'A one-time ticket for a live connection',
        description:
          `Opens one connection, \`/ws?ticket=…\` or \`GET /live?ticket=…\`, within ${TICKET_SECONDS} seconds, on any ` +
          'node. The connection is that of the login that asked for it, and ends with its access token.',
        tags: ['live'],
        response: {
          201: z.object({
            success: z.literal(true),
            data: z.object({ ticket: z.string(), expiresAt: z.iso.datetime() }),
          }),
        },
      },
    },
    async (request, reply) => {
      const { accountId, actor } = callerOf(request);
      const token = /^Bearer +(\S+)/i.exec(request.headers.authorization ?? '')?.[1];
      if (token === undefined || actor.sessionId === undefined)
        throw new Problem('UNAUTHORIZED', 'Please log in', { reason: 'login-required' });
      const issued = await tickets.issue({ accountId, sessionId: actor.sessionId, endsAt: expiryOf(token) });
      reply.code(201).header('cache-control', 'no-store');
      return { success: true as const, data: { ticket: issued.ticket, expiresAt: issued.expiresAt.toISOString() } };
    },
  );
};
