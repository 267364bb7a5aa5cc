import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Origin } from '../commands/binding.ts';
import type { Actor } from '../domain/decider.ts';
import type { Rights } from './deps.ts';
import { Problem } from './problem.ts';

/** Who sent a request: the actor that commands see, and what the read model knows of the account. */
export type Caller = {
  readonly actor: Actor;
  readonly accountId: string;
  readonly rights: Rights;
  /** The API key used instead of an access token. */
  readonly keyId?: string;
  /** When the access token ends that proved the login, or that was had when a live ticket was asked for. */
  readonly endsAt?: Date;
};

declare module 'fastify' {
  interface FastifyRequest {
    /** Undefined without a valid login. */
    caller: Caller | undefined;
    /** Why there is no caller although the request carried a token or key. */
    callerProblem: Problem | undefined;
    /** Taken from X-Correlation-Id or made. */
    correlationId: string;
    /** When it came in, in milliseconds of `performance.now()`. */
    startedAt: number;
  }
}

/** The actor without a login. */
export const nobody: Actor = Object.freeze({ id: 'anonymous', kind: 'anonymous', permissions: [], verified: false });

/** Who acts in this request; {@link nobody} without a login. */
export const actorOf = (request: FastifyRequest): Actor => request.caller?.actor ?? nobody;

/** Who is logged in. Throws 401 without a login. */
export const callerOf = (request: FastifyRequest): Caller => {
  if (request.caller === undefined) throw request.callerProblem ?? loginRequired();
  return request.caller;
};

/** The account that is logged in. Throws 401 without a login. */
export const accountOf = (request: FastifyRequest): string => callerOf(request).accountId;

export const loginRequired = () => new Problem('UNAUTHORIZED', 'Please log in', { reason: 'login-required' });

/** Where a request came from, in the form that events take. */
export const originOf = ({ ip, headers }: FastifyRequest): Origin => ({
  ip: ip.slice(0, 100),
  userAgent: (headers['user-agent'] ?? '').replaceAll(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, '').slice(0, 400),
});

const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The W3C trace context of a request, if it carries a well-formed one. */
export const traceparentOf = (request: FastifyRequest): string | undefined => {
  const value = request.headers.traceparent;
  return typeof value === 'string' && TRACEPARENT.test(value) ? value : undefined;
};

/**
 * Aborted when the caller hangs up before the answer is written. Fastify's own `request.signal` is aborted as soon as
 * the body has been read, because Node closes the incoming stream then.
 */
export const hungUp = (reply: FastifyReply): AbortSignal => {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
};
