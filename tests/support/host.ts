import { randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import { z } from 'zod';
import { type Started, startHere } from './here.ts';

/**
 * A process that runs the services of tests, one after the other and side by side. It has loaded all code once and runs it
 * warm, which a process for every test file would have to do anew. Prints its address; ends when its standard input does.
 */
const app = Fastify();
const services = new Map<string, Started>();

const found = (id: string): Started => {
  const service = services.get(id);
  if (service === undefined) throw new Error(`No such service: ${id}`);
  return service;
};
const idOf = (params: unknown): string => z.object({ id: z.uuid() }).parse(params).id;
const Wanted = z.object({ variables: z.record(z.string(), z.string()), ahead: z.number().optional() });

app.post('/services', async ({ body }) => {
  const { variables, ahead } = Wanted.parse(body);
  const service = await startHere(variables, ahead);
  const id = randomUUID();
  services.set(id, service);
  return { id, url: service.url };
});
app.put('/services/:id/ahead', async ({ params, body }) => {
  await found(idOf(params)).setAhead(z.object({ ms: z.number() }).parse(body).ms);
  return {};
});
app.delete('/services/:id', async ({ params }) => {
  const id = idOf(params);
  await found(id).stop();
  services.delete(id);
  return {};
});

process.stdin.on('end', () => process.exit()).resume();
console.log(await app.listen({ host: '127.0.0.1', port: 0 }));
