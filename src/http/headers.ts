import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import Fastify from 'fastify';
import { z } from 'zod';
import type { App, Deps } from './app.ts';

const EXPOSED = [
  'ETag',
  'Consistency-Token',
  'Idempotency-Replayed',
  'Retry-After',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-Correlation-Id',
  'Location',
  'Content-Disposition',
];
const ALLOWED = [
  'Authorization',
  'X-API-Key',
  'Content-Type',
  'If-Match',
  'If-None-Match',
  'Idempotency-Key',
  'Consistency-Token',
  'X-CSRF-Token',
  'X-Correlation-Id',
  'Last-Event-ID',
];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const LOCALHOST = /^https?:\/\/(?:localhost|127\.0\.0\.1)(?::\d+)?$/;

/** Whether a page of this origin may call the API with the user's login: the configured origins, and localhost outside production. */
export const originAllowed = ({ corsOrigins, production }: Deps['config'], origin: string): boolean =>
  corsOrigins.includes(origin) || (!production && LOCALHOST.test(origin));

/** Headers that stand on every answer, with the same value. */
export type ConstantHeaders = readonly (readonly [name: string, value: string])[];

/**
 * What helmet sets, asked once: its headers never change from one answer to the next, and building them anew for every
 * request costs more than all other work on it.
 */
export const constantHeaders = async (): Promise<ConstantHeaders> => {
  const probe = Fastify();
  await probe.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'self'"] } },
    frameguard: { action: 'sameorigin' },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
    referrerPolicy: { policy: 'strict-origin-when-cross-origin' },
    xXssProtection: false,
  });
  probe.get('/', (_request, reply) => {
    reply.hijack();
    reply.raw.end(JSON.stringify(reply.getHeaders()));
  });
  const { body } = await probe.inject('/');
  await probe.close();
  return [
    ...Object.entries(z.record(z.string(), z.coerce.string()).parse(JSON.parse(body))),
    // Helmet switches this filter of old browsers off; the service asks for it to block.
    ['x-xss-protection', '1; mode=block'],
    ['cache-control', 'no-store'],
  ];
};

/** Correlation id, security headers and CORS, on every answer. */
export const registerHeaders = async (app: App, { config }: Deps, constant: ConstantHeaders): Promise<void> => {
  app.decorateRequest('correlationId', '');
  app.addHook('onRequest', (request, reply, done) => {
    const given = request.headers['x-correlation-id'];
    request.correlationId = typeof given === 'string' && UUID.test(given) ? given.toLowerCase() : randomUUID();
    reply.header('x-correlation-id', request.correlationId);
    for (const [name, value] of constant) reply.header(name, value);
    done();
  });
  await app.register(cors, {
    origin: (origin, done) => done(null, origin !== undefined && originAllowed(config, origin) ? origin : false),
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ALLOWED,
    exposedHeaders: EXPOSED,
    maxAge: 600,
    strictPreflight: false,
  });
  if (config.production && config.trustProxy !== false)
    app.addHook('onRequest', async (request, reply) => {
      if (request.protocol === 'https' || /^(?:\/api\/v1)?\/(?:health|metrics)\b/.test(request.url)) return;
      // Without the header the request did not come through the proxy that is trusted to say it.
      if (request.headers['x-forwarded-proto'] === undefined) return;
      const { host } = config.publicUrl === undefined ? request : new URL(config.publicUrl);
      return reply.redirect(`https://${host}${request.url}`, 308);
    });
};
