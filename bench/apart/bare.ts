/**
 * The least that a command over HTTP can be: Fastify with a JSON Web Token, a zod schema and one log line a request, set
 * up like the service, whose answer is made up and which stores nothing. PORT and JWT_SECRET come from the environment.
 */
import jwt from '@fastify/jwt';
import Fastify from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import pino from 'pino';
import { z } from 'zod';
import { bookAppointment } from '../../src/domain/booking/schedule/index.ts';
import { castVote } from '../../src/domain/estimation/session/index.ts';
import { ACCESS_TOKEN_SECONDS } from '../../src/http/auth.ts';

const { PORT, JWT_SECRET } = z.object({ PORT: z.coerce.number(), JWT_SECRET: z.string() }).parse(process.env);
const log = pino({ base: null }, pino.destination({ fd: 1, sync: false }));

const app = Fastify({
  logger: false,
  keepAliveTimeout: 72_000,
  requestTimeout: 60_000,
}).withTypeProvider<ZodTypeProvider>();
app.setValidatorCompiler(validatorCompiler);
app.setSerializerCompiler(() => JSON.stringify);
await app.register(jwt, {
  secret: JWT_SECRET,
  sign: { algorithm: 'HS256', expiresIn: ACCESS_TOKEN_SECONDS },
  verify: { algorithms: ['HS256'], cache: 5_000 },
});
app.addHook('onResponse', async (request, reply) => {
  const { method, routeOptions } = request;
  log.info({ method, route: routeOptions.url, status: reply.statusCode, durationMs: reply.elapsedTime }, 'request');
});
const preValidation = async (request: { jwtVerify: () => Promise<unknown> }) => {
  await request.jwtVerify();
};

app.get('/health/ready', async () => 'ok');

/** As long as the service's answers. */
const id = 'AgGQobLDxH5fimt8jZ4PGisAAGfkAZBqsLDEfl-Ka3yNng8b';
const uuid = '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b';
app.post('/api/v1/appointments', { preValidation, schema: { body: bookAppointment.input } }, async (request, reply) => {
  reply.code(201);
  const { slotId = null } = request.body;
  const times = { startTime: '2027-03-01T09:30:00.000Z', endTime: '2027-03-01T10:00:00.000Z' };
  const state = { status: 'SCHEDULED', outcome: null, bookedBy: 'client', version: 0 };
  return { success: true, data: { id, providerId: uuid, clientId: uuid, slotId, ...times, ...state } };
});
app.put(
  '/api/v1/sessions/:sessionId/stories/:storyId/vote',
  {
    preValidation,
    schema: { params: castVote.input.omit({ value: true }), body: castVote.input.pick({ value: true }) },
  },
  async (request) => ({
    success: true,
    data: { hasVoted: true, value: request.body.value, votesCast: 10, votersExpected: 10 },
  }),
);

await app.listen({ host: '127.0.0.1', port: PORT });
process.on('SIGTERM', () => void app.close());
