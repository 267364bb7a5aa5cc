import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { FLOW_LIFE } from '../domain/oauth.ts';

/** The query with which a provider sends the browser back. */
export const CallbackQuery = z.object({
  code: z.string().optional(),
  state: z.string(),
  error: z.string().optional(),
  iss: z.string().optional(),
});

/**
 * Cookies that tie ways to a provider to the browser that began them, which come back with it to addresses below `path`.
 * Each way has one of its own, so that two tabs do not disturb each other.
 */
export const flowCookies = (prefix: string, path: string) => {
  // Lax, because the provider's page sends the browser back; strict cookies would stay behind.
  const attributes = { secure: true, sameSite: 'lax', httpOnly: true, path } as const;
  const nameOf = (flowId: string): string => `${prefix}-${flowId.slice(0, 16)}`;
  return {
    set: (reply: FastifyReply, flowId: string, proof: string): void => {
      reply.setCookie(nameOf(flowId), proof, { ...attributes, maxAge: FLOW_LIFE / 1000 });
    },
    /** What the cookie says; it is taken back, since the state counts no more whatever becomes of it. */
    take: ({ cookies }: FastifyRequest, reply: FastifyReply, flowId: string): string | undefined => {
      const name = nameOf(flowId);
      const proof = cookies[name];
      if (proof !== undefined) reply.clearCookie(name, attributes);
      return proof;
    },
  };
};
