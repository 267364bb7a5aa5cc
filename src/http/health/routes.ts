import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { can } from '../../domain/decider.ts';
import { answer, ok } from '../answers.ts';
import type { App, Deps } from '../app.ts';
import { version } from '../version.ts';
import { createChecks, type Status } from './checks.ts';

/** Milliseconds for finding out whether an operator asks; while rights cannot be read, operators get the status like all. */
const CALLER_MS = 500;

const State = z.enum(['ok', 'degraded', 'down']);
const Brief = z.object({ status: State, responseMs: z.number().optional() });
const Health = z.object({
  status: State,
  version: z.string(),
  uptime: z.number().describe('Seconds'),
  time: z.string(),
});
const Database = Brief.extend({
  pool: z.object({ size: z.int(), used: z.int(), idle: z.int(), waiting: z.int(), max: z.int() }).optional(),
  statistics: z.object({ connections: z.int().nullable(), slowestQueryMs: z.number().nullable() }).optional(),
  eventStore: z.object({ status: State, readMs: z.number() }).optional(),
});
const System = Brief.extend({
  cpuPercent: z.number().optional(),
  memoryPercent: z.number().optional(),
  diskPercent: z.number().nullable().optional(),
  load: z.array(z.number()).optional(),
  eventLoopLagMs: z.number().optional(),
  residentMb: z.number().optional(),
});
const Projection = z.object({
  name: z.string(),
  position: z.string(),
  lagSeconds: z.number(),
  lagEvents: z.int(),
  state: z.string(),
  parked: z.int(),
});
const Service = z.object({
  name: z.string(),
  circuit: z.enum(['closed', 'open', 'half-open']).describe('Open: calls are kept back, because the last ones failed'),
});
const Comprehensive = Brief.extend({
  database: Database.optional(),
  system: System.optional(),
  services: z.array(Service).describe('Outside services that this process calls').optional(),
  projections: z.array(Projection).optional(),
});
const Ready = z.object({ status: z.enum(['ready', 'not ready']) });

const isOperator = ({ caller }: FastifyRequest): boolean =>
  caller !== undefined && can(caller.actor, 'read:operations');

type Checks = ReturnType<typeof createChecks>;
const checksOf = new WeakMap<Deps, Checks>();

/** One set of checks for the paths at the root and below /api/v1. */
const sharedChecks = (app: App, deps: Deps): Checks => {
  const known = checksOf.get(deps);
  if (known) return known;
  const checks = createChecks(deps);
  checksOf.set(deps, checks);
  app.addHook('onClose', async () => checks.close());
  return checks;
};

/** Health of the service; details for operators only, status for everyone. */
export const healthRoutes = (app: App, deps: Deps): void => {
  const checks = sharedChecks(app, deps);
  const config = { access: 'anyone', unlimited: true, callerWithin: CALLER_MS } as const;
  const route = (summary: string, of: z.ZodType) => ({
    config,
    schema: { summary, tags: ['health'], response: { 200: of, 503: of } },
  });
  const send = (reply: FastifyReply, status: Status, data: object) => {
    reply.code(status === 'down' ? 503 : 200);
    return ok(data);
  };

  app.get('/health', route('Whether the service works', answer(Health)), async (_request, reply) => {
    const { status } = await checks.database();
    return send(reply, status, {
      status,
      version,
      uptime: Math.round(process.uptime()),
      time: new Date().toISOString(),
    });
  });
  app.get('/health/live', route('Whether the process runs', answer(z.object({ status: z.literal('ok') }))), async () =>
    ok({ status: 'ok' }),
  );
  app.get('/health/ready', route('Whether the node may be sent requests', answer(Ready)), async (_request, reply) => {
    const ready = !app.draining() && (await checks.ready());
    reply.code(ready ? 200 : 503);
    return ok({ status: ready ? 'ready' : 'not ready' });
  });
  app.get('/health/database', route('State of log and database', answer(Database)), async (request, reply) => {
    const { status, responseMs, ...more } = await checks.database();
    return send(reply, status, { status, responseMs, ...(isOperator(request) ? more : {}) });
  });
  app.get('/health/system', route('State of the machine', answer(System)), async (request, reply) => {
    const { status, ...more } = await checks.system();
    return send(reply, status, { status, ...(isOperator(request) ? more : {}) });
  });
  app.get('/health/comprehensive', route('State of everything', answer(Comprehensive)), async (request, reply) => {
    const { status, ...more } = await checks.comprehensive();
    return send(reply, status, {
      status,
      responseMs: more.database.responseMs,
      ...(isOperator(request) ? more : {}),
    });
  });
};
