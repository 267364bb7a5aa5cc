import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyRequest } from 'fastify';
import { type FactWriter, factWriter, type ServiceFact } from '../../commands/facts.ts';
import type { Reads } from '../../commands/reads.ts';
import { describe, isOutage } from '../../eventstore/consumer/faults.ts';
import { uuid7 } from '../../uuid.ts';
import type { App, Deps } from '../app.ts';
import type { ErrorCode, Problem } from '../problem.ts';
import { addressOf } from '../rateLimits/limiter.ts';
import { actorOf, traceparentOf } from '../request.ts';
import { createTally, type Refusal, type Tallied } from './tally.ts';

const TICK_MS = 1_000;
/** Facts that wait for a log that is out of reach; what comes on top is counted and given up. */
const MOST_WAITING = 5_000;
/** Facts in one append: as many as either store recognises in a repeat. */
const AT_ONCE = 200;
/** How long a stop waits for the last facts, in ms. */
const GOODBYE_MS = 2_000;

const RECORDED: ReadonlySet<ErrorCode> = new Set([
  'UNAUTHORIZED',
  'FORBIDDEN',
  'ACCOUNT_LOCKED',
  'RATE_LIMIT_EXCEEDED',
]);

export type Refusals = {
  /** Takes note of an answer that refuses, and returns at once. Other answers are passed over. */
  readonly note: (request: FastifyRequest, problem: Problem) => void;
};

declare module 'fastify' {
  interface FastifyInstance {
    refusals: Refusals;
  }
  interface FastifyRequest {
    /** The refusal of this request is an event already: nothing more is to be recorded of it. */
    recorded: boolean;
  }
}

const RESOURCE = /^[A-Za-z0-9._~-]{1,100}$/;

/** What the path names last, when it looks like an id and not like something that a person typed. */
const resourceOf = ({ params }: FastifyRequest): string | undefined => {
  const last = typeof params === 'object' && params !== null ? Object.values(params).at(-1) : undefined;
  return typeof last === 'string' && RESOURCE.test(last) ? last : undefined;
};

const refusalOf = (request: FastifyRequest, { code, reason, permission }: Problem): Refusal => {
  const access = request.routeOptions.config?.access;
  const asked = access?.includes(':') ? access : undefined;
  const actor = actorOf(request);
  const traceparent = traceparentOf(request);
  return {
    code,
    reason: reason ?? 'refused',
    permission: permission ?? (reason === 'permission-missing' ? asked : undefined),
    method: request.method,
    path: request.routeOptions.url ?? 'unknown',
    resourceId: resourceOf(request),
    ip: request.ip?.slice(0, 100) ?? null,
    address: addressOf(request.ip),
    accountId: request.caller?.accountId,
    origin: {
      actor: { id: actor.id, kind: actor.kind },
      correlationId: request.correlationId,
      ...(actor.sessionId === undefined ? {} : { sessionId: actor.sessionId }),
      ...(traceparent === undefined ? {} : { traceparent }),
    },
  };
};

/** What an address is searched by. */
export const addressHash = ({ hash }: Pick<Reads, 'hash'>, address: string): string => hash('address', address);

/** The key of the month: addresses of callers without an account. */
const monthKey = (instant: string): string => `month:${instant.slice(0, 7)}`;

const service = { id: 'service:http', kind: 'system' } as const;

/** A tallied refusal as the event that goes into the log. */
const factOf = (tallied: Tallied, minute: string, hash: (address: string) => string): ServiceFact => {
  const { id, kind, refusal, count, continues } = tallied;
  const { accountId, permission, resourceId, method, path, reason } = refusal ?? {};
  const ip = refusal?.ip ?? null;
  const data = {
    ...(accountId === undefined ? {} : { accountId }),
    method: method ?? null,
    path: path ?? null,
    count,
    minute,
    ip,
    ipKey: accountId ?? monthKey(minute),
    ipHash: ip === null ? null : hash(ip),
  };
  const metadata = (command: string): ServiceFact['metadata'] => {
    const commandId = uuid7();
    return { commandId, command, ...(refusal?.origin ?? { actor: service, correlationId: commandId }) };
  };
  if (kind === 'refused')
    return {
      id,
      type: 'RequestRefused',
      data: { ...data, code: refusal?.code ?? null, ...(count > 1 || reason === undefined ? {} : { reason }) },
      metadata: metadata('RecordRequestRefused'),
    };
  return {
    id,
    type: 'AccessDenied',
    data: {
      ...data,
      reason,
      ...(permission === undefined ? {} : { permission }),
      ...(resourceId === undefined ? {} : { resourceId }),
      ...(continues === undefined ? {} : { continues }),
    },
    metadata: metadata('RecordAccessDenied'),
  };
};

/** A fact and the minute that it counts. */
type Due = { readonly minute: string; readonly fact: ServiceFact };

/** Takes out what is appended together: facts of one minute. */
const nextPart = (waiting: Due[]): readonly Due[] => {
  const other = waiting.findIndex(({ minute }) => minute !== waiting[0]?.minute);
  return waiting.splice(0, Math.min(AT_ONCE, other < 0 ? waiting.length : other));
};

type Lane = {
  readonly category: string;
  readonly writer: FactWriter;
  readonly waiting: Due[];
  /** Being stored, and handed in again just the same while it is not known whether that came about. */
  part: readonly Due[];
};

/**
 * Records refused requests as events. An answer never waits for it and never fails by it: refusals are counted in
 * memory and stored once a second; what could not be stored is tried again. A process that is killed loses what it
 * had not stored: a second of refusals, and the counts of the running minute.
 */
export const registerRefusals = (app: App, { store, codec, commands, log, metrics }: Deps): void => {
  const tally = createTally();
  const hash = (address: string): string => addressHash(commands.reads, address);
  const now = (): number => commands.reads.now().getTime();
  const lane = (category: string): Lane => ({
    category,
    writer: factWriter(category, { store, codec }),
    waiting: [],
    part: [],
  });
  const lanes = { denied: lane('accessDenial'), refused: lane('requestRefusal') };
  let running: Promise<void> | undefined;
  let failing = false;

  const collect = (all: boolean): void => {
    for (const tallied of tally.take(now(), all)) {
      const { waiting, category } = lanes[tallied.kind];
      const minute = new Date(tallied.minute).toISOString();
      if (waiting.length < MOST_WAITING) waiting.push({ minute, fact: factOf(tallied, minute, hash) });
      else metrics.refusals.inc({ category, outcome: 'dropped' });
    }
  };

  const empty = async (lane: Lane): Promise<void> => {
    while (lane.part.length > 0 || lane.waiting.length > 0) {
      if (lane.part.length === 0) lane.part = nextPart(lane.waiting);
      const { part, category } = lane;
      const facts = part.map(({ fact }) => fact);
      const stored = await lane.writer.write(part[0]?.minute ?? '', facts).catch((error: unknown) => {
        if (isOutage(error)) throw error;
        log.error({ error: describe(error) }, 'refused requests cannot be recorded');
        return false;
      });
      lane.part = [];
      metrics.refusals.inc({ category, outcome: stored ? 'stored' : 'dropped' }, part.length);
    }
  };
  const flush = async (): Promise<void> => {
    try {
      await empty(lanes.denied);
      await empty(lanes.refused);
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ error: describe(error) }, 'refused requests cannot be recorded, will try again');
      failing = true;
    }
  };
  const tick = (all = false): Promise<void> => {
    try {
      collect(all);
    } catch (error) {
      log.error({ error: describe(error) }, 'refused requests cannot be recorded');
    }
    running ??= flush().finally(() => {
      running = undefined;
    });
    return running;
  };

  const timer = setInterval(tick, TICK_MS);
  timer.unref();
  app.decorateRequest('recorded', false);
  app.decorate('refusals', {
    note: (request: FastifyRequest, problem: Problem) => {
      if (!RECORDED.has(problem.code) || request.recorded) return;
      try {
        tally.note(refusalOf(request, problem), now());
      } catch (error) {
        log.error({ error: describe(error) }, 'a refused request cannot be recorded');
      }
    },
  });
  app.addHook('onClose', async () => {
    clearInterval(timer);
    const last = Promise.resolve(running).then(() => tick(true));
    await Promise.race([last, pause(GOODBYE_MS, undefined, { ref: false })]);
  });
};
