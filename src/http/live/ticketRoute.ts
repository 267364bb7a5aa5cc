import { z } from 'zod';
import type { App } from '../app.ts';
import { callerOf, loginRequired } from '../request.ts';
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
      const {
        accountId,
        actor: { sessionId },
        endsAt,
      } = callerOf(request);
      if (sessionId === undefined || endsAt === undefined) throw loginRequired();
      const issued = await tickets.issue({ accountId, sessionId, endsAt });
      reply.code(201);
      return { success: true as const, data: { ticket: issued.ticket, expiresAt: issued.expiresAt.toISOString() } };
    },
  );
};
