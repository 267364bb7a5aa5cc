import { isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App, Deps, Rights } from '../app.ts';
import { Problem } from '../problem.ts';
import { accountOf } from '../request.ts';
import { type Bucket, createCounters } from './counters.ts';
import type { Limit, Standing } from './window.ts';

const QUARTER = 900;
const MINUTE = 60;
const HOUR = 3_600;
/** Requests per window; `credential`, `stranger`, `free`, `premium` in 15 minutes, `minute` and `webhook` in one, `exports` in an hour. */
const MOST = { credential: 5, stranger: 100, free: 100, premium: 500, minute: 100, webhook: 600, exports: 10 } as const;
const PREMIUM_PLANS = new Set(['premium', 'enterprise']);
const PREMIUM_ROLES = new Set(['provider', 'agent', 'agency_manager', 'auditor', 'operator', 'admin']);

/**
 * The address that counts: IPv6 by its /64, because one subscriber holds all of it. Callers who hung up before they were
 * looked at have none, whatever the framework's types say, and count as one.
 */
export const addressOf = (ip: string | undefined): string => {
  if (ip === undefined) return 'none';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(ip)) return ip;
  const [head = '', tail = ''] = (ip.split('%')[0] ?? '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => '0');
  const groups = ip.includes('::') ? [...front, ...zeros, ...back] : front;
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
};

export type RateLimits = {
  /** Counts an ordinary request to its account or key, else to its address. Throws 429. */
  readonly count: (request: FastifyRequest, reply: FastifyReply) => void;
  /** Counts a request that clients repeat on a timer: to the account's minute alone. Throws 429. */
  readonly countPolled: (request: FastifyRequest, reply: FastifyReply) => void;
  /** Counts a request to an account that its own token did not name in the usual way, else to its address. Throws 429. */
  readonly countFor: (request: FastifyRequest, reply: FastifyReply, account?: { id: string; rights: Rights }) => void;
  /** Counts a notice of an outside service to its address. Throws 429. */
  readonly countWebhook: (request: FastifyRequest, reply: FastifyReply) => void;
  /** Counts an attempt at a secret by address and route, for all processes at once. Throws 429, or 503 when it cannot be counted. */
  readonly countAttempt: (request: FastifyRequest, reply: FastifyReply, route: string) => Promise<void>;
  /** Counts a file that is to be made by account and context, for all processes at once. Throws 429, or 503 when it cannot be counted. */
  readonly countExport: (request: FastifyRequest, reply: FastifyReply, context: string) => Promise<void>;
  /** Hands in and learns counts at once instead of once a second. */
  readonly exchange: () => Promise<void>;
};

declare module 'fastify' {
  interface FastifyInstance {
    rateLimits: RateLimits;
  }
}

const show = (reply: FastifyReply, { limit, remaining, reset }: Standing): void => {
  reply.header('x-ratelimit-limit', limit);
  reply.header('x-ratelimit-remaining', remaining);
  reply.header('x-ratelimit-reset', reset);
};

const tooMany = ({ reset }: Standing): Problem =>
  new Problem('RATE_LIMIT_EXCEEDED', `Too many requests; please try again in ${reset} seconds`, {
    reason: 'rate-limit',
    retryAfter: reset,
  });

/** Rate limits of the service. Refused requests are not counted. */
export const createRateLimits = (app: App, { config, secrets, pool, log, metrics }: Deps): RateLimits => {
  const counters = createCounters({
    pool,
    secret: secrets.jwtSecret,
    failed: (err) => log.warn({ err }, 'request counts cannot be exchanged; limits hold within this process only'),
  });
  app.addHook('onClose', counters.close);
  const scaled = (most: number) => Math.max(1, Math.ceil(most * config.rateLimitScale));
  const most = {
    credential: scaled(MOST.credential),
    stranger: scaled(MOST.stranger),
    free: scaled(MOST.free),
    premium: scaled(MOST.premium),
    minute: scaled(MOST.minute),
    webhook: scaled(MOST.webhook),
    exports: scaled(MOST.exports),
  };
  const strangers = counters.bucket('stranger', QUARTER);
  const accounts = counters.bucket('account', QUARTER);
  const keys = counters.bucket('key', QUARTER);
  const minutes = counters.bucket('minute', MINUTE);
  const webhooks = counters.bucket('webhook', MINUTE);

  const planLimit = ({ plan, roles }: Rights): number =>
    PREMIUM_PLANS.has(plan) || roles.some((role) => PREMIUM_ROLES.has(role)) ? most.premium : most.free;

  /** Counts in all buckets, or in none when one of them is full. */
  const take = (reply: FastifyReply, wanted: readonly (readonly [Bucket, string, number])[]): void => {
    const now = Date.now();
    let tightest: Standing | undefined;
    for (const [bucket, caller, limit] of wanted) {
      const standing = bucket.standing(caller, limit, now);
      if (standing.remaining === 0) {
        metrics.rateLimited.inc({ bucket: bucket.name });
        show(reply, standing);
        throw tooMany(standing);
      }
      if (tightest === undefined || standing.remaining < tightest.remaining) tightest = standing;
    }
    for (const [bucket, caller] of wanted) bucket.add(caller, now);
    if (tightest !== undefined) show(reply, { ...tightest, remaining: tightest.remaining - 1 });
  };

  const countFor: RateLimits['countFor'] = (request, reply, account) =>
    account === undefined
      ? take(reply, [[strangers, addressOf(request.ip), most.stranger]])
      : take(reply, [
          [accounts, account.id, planLimit(account.rights)],
          [minutes, account.id, most.minute],
        ]);

  /** Counts exactly, over all processes. */
  const admit = async (reply: FastifyReply, bucket: string, caller: string, limit: Limit): Promise<void> => {
    const standing = await counters.admit(bucket, caller, limit).catch((err: unknown) => {
      log.warn({ err }, 'an attempt cannot be counted');
      throw new Problem('SERVICE_UNAVAILABLE', 'This cannot be done safely just now; please try again', {
        reason: 'limits-unavailable',
        retryAfter: 2,
      });
    });
    show(reply, standing);
    if (standing.admitted) return;
    metrics.rateLimited.inc({ bucket });
    throw tooMany(standing);
  };

  return {
    count: (request, reply) => {
      const { caller } = request;
      if (caller?.keyId !== undefined)
        return take(reply, [
          [keys, caller.keyId, planLimit(caller.rights)],
          [minutes, caller.accountId, most.minute],
        ]);
      return countFor(request, reply, caller && { id: caller.accountId, rights: caller.rights });
    },
    countPolled: (request, reply) =>
      request.caller === undefined
        ? countFor(request, reply)
        : take(reply, [[minutes, request.caller.accountId, most.minute]]),
    countFor,
    countWebhook: (request, reply) => take(reply, [[webhooks, addressOf(request.ip), most.webhook]]),
    countAttempt: (request, reply, route) =>
      admit(reply, 'credential', `${route} ${addressOf(request.ip)}`, { most: most.credential, seconds: QUARTER }),
    countExport: (request, reply, context) =>
      admit(reply, 'export', `${context} ${accountOf(request)}`, { most: most.exports, seconds: HOUR }),
    exchange: counters.exchange,
  };
};
