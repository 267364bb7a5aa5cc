import Fastify from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { pino } from 'pino';
import type { Test } from 'tap';
import { parseConfig } from '../../../src/config.ts';
import type { Deps } from '../../../src/http/app.ts';
import { registerServerSentEvents, registerWebSocket } from '../../../src/http/live/index.ts';
import { defaultLimits } from '../../../src/http/live/limits.ts';
import { createLive } from '../../../src/http/live/live.ts';
import type { Login } from '../../../src/http/live/logins.ts';
import { createMetrics } from '../../../src/metrics.ts';
import { createLog, kinds } from './log.ts';

const actor = { id: 'anna', kind: 'user' as const, permissions: [], verified: true, sessionId: 's' };
const login = (): Login => ({
  actor,
  accountId: 'anna',
  rights: { permissions: [], roles: [], plan: 'free', verified: true, active: true },
  endsAt: new Date(Date.now() + 60_000),
});

/** Live connections over real sockets, of a log in memory. Every ticket is good. */
export const liveServer = async (t: Test, log = createLog()) => {
  const live = await createLive({
    ...log,
    kinds: kinds.map((kind) => ({ kind })),
    reads: { load: async () => ({ state: undefined as never, revision: undefined }) },
    limits: { ...defaultLimits, goodbye: 200 },
    standing: async (who) => who,
    activeOf: async () => true,
    observe: () => undefined,
    onError: (error) => t.fail(String(error)),
  });
  const app = Fastify().withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => JSON.stringify);
  app.decorateRequest('caller', undefined);
  app.decorateRequest('switched', () => {});
  const metrics = createMetrics();
  const deps = { config: parseConfig({ NODE_ENV: 'test' }), log: pino({ level: 'silent' }), metrics } as Deps;
  const logins = { byToken: async () => login(), byTicket: async () => login(), standing: async () => actor };
  await registerWebSocket(app, deps, { live, logins });
  registerServerSentEvents(app, deps, { live, logins });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  t.teardown(async () => {
    await app.close();
    await live.close();
  });
  /** How many clients the metrics show. */
  const clients = async (): Promise<string> =>
    (await metrics.registry.metrics()).match(/^convene_live_clients.*$/gm)?.join() ?? '';
  return { app, live, url, clients, log };
};
