import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isSecret } from '../../commands/keyedHash.ts';
import type { App, Deps } from '../app.ts';
import { Problem } from '../problem.ts';

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

/** Whether the request comes straight from this machine: no proxy stands between. */
const isLocal = ({ socket, headers }: FastifyRequest): boolean =>
  LOOPBACK.test(socket.remoteAddress ?? '') &&
  headers['x-forwarded-for'] === undefined &&
  headers['x-forwarded-host'] === undefined &&
  headers['x-forwarded-proto'] === undefined &&
  headers.forwarded === undefined;

/** Figures for Prometheus, for direct callers on this machine and for holders of METRICS_TOKEN. */
export const metricsRoute = (app: App, { config, metrics, pool, progress }: Deps): void => {
  app.get(
    '/metrics',
    {
      config: { access: 'anyone', unlimited: true, refuses: [401] },
      schema: {
        summary: 'Figures of this process in the text format of Prometheus',
        tags: ['operations'],
        response: { 200: { description: 'Figures', content: { 'text/plain': { schema: z.string() } } } },
      },
    },
    async (request, reply) => {
      const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      const known = token !== undefined && config.metricsToken !== undefined && isSecret(token, config.metricsToken);
      if (!known && !isLocal(request))
        throw new Problem('UNAUTHORIZED', 'This needs the metrics token', { reason: 'metrics-token-needed' });
      metrics.pool.set({ state: 'idle' }, pool.idleCount);
      metrics.pool.set({ state: 'used' }, pool.totalCount - pool.idleCount);
      metrics.pool.set({ state: 'waiting' }, pool.waitingCount);
      // Figures stay readable when the database is lost.
      for (const { name, lagSeconds, parked } of await progress().catch(() => [])) {
        metrics.projectionLag.set({ projection: name }, lagSeconds);
        metrics.parked.set({ projection: name }, parked);
      }
      return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
    },
  );
};
