import type { FastifyReply, FastifyRequest, HTTPMethods, RouteOptions } from 'fastify';
import type { AnyBinding, Done, Outcome } from '../commands/binding.ts';
import type { Actor } from '../domain/decider.ts';
import type { App, Deps } from './app.ts';
import { etagOf, ifMatchOf } from './etag.ts';
import { Problem } from './problem.ts';
import { actorOf, hungUp, originOf, traceparentOf } from './request.ts';

/** Adds to a command's answer what the command cannot know: names from read models, tokens and cookies of the edge. */
export type Presenter = (
  deps: Deps,
  of: {
    readonly app: App;
    readonly input: Readonly<Record<string, unknown>>;
    readonly outcome: Done;
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
  },
) => Promise<unknown>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The command behind a derived route, for the API document. */
    binding?: AnyBinding;
  }
}

type Fields = Readonly<Record<string, unknown>>;

const idempotencyKeyOf = ({ headers }: FastifyRequest, actor: Actor): string | undefined => {
  const key = headers['idempotency-key'];
  if (key === undefined || actor.kind === 'anonymous') return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(key))
    throw new Problem('VALIDATION_ERROR', 'Idempotency-Key must have 1 to 64 visible ASCII characters', {
      reason: 'input-invalid',
      details: [{ field: 'Idempotency-Key', message: 'Must have 1 to 64 visible ASCII characters' }],
    });
  return key;
};

const objectOf = (body: unknown): Fields | undefined => {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'object' && !Array.isArray(body)) return body as Fields;
  throw new Problem('VALIDATION_ERROR', 'The body must be a JSON object', {
    reason: 'input-invalid',
    details: [{ field: '', message: 'Must be an object' }],
  });
};

/** The command's input: the body (of a DELETE also the query), and the path over both. */
export const inputOf = (request: FastifyRequest, hasParams: boolean): Fields => {
  const body = objectOf(request.body);
  const query = request.method === 'DELETE' ? (request.query as Fields) : undefined;
  const params = hasParams ? (request.params as Fields) : undefined;
  if (query === undefined && params === undefined) return body ?? {};
  return { ...query, ...body, ...params };
};

/**
 * Runs a command for a request and sets the headers of its answer; for routes that choose among several commands too.
 * Throws a Problem where it is refused.
 */
export const runCommand = async (
  app: App,
  { commands }: Pick<Deps, 'commands'>,
  binding: AnyBinding,
  { request, reply, input }: { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly input: Fields },
): Promise<Done> => {
  const actor = actorOf(request);
  const idempotencyKey = idempotencyKeyOf(request, actor);
  const ifMatch = ifMatchOf(request);
  const traceparent = traceparentOf(request);
  const outcome: Outcome = await commands.execute(binding, {
    input,
    actor,
    origin: originOf(request),
    correlationId: request.correlationId,
    signal: hungUp(reply),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
  });
  if (!outcome.ok) {
    if (outcome.recorded) request.recorded = true;
    throw new Problem(outcome.code, outcome.message, outcome);
  }
  if (request.caller !== undefined) app.consistency.wrote(request.caller.accountId, outcome.position);
  if (outcome.version !== undefined) reply.header('etag', etagOf(outcome.version));
  reply.header('consistency-token', String(outcome.position));
  if (outcome.replayed) reply.header('idempotency-replayed', 'true');
  reply.code(binding.status ?? 200);
  return outcome;
};

const pathsOf = ({ path }: AnyBinding): readonly string[] =>
  path === undefined ? [] : typeof path === 'string' ? [path] : path;

/**
 * The routes of every command that is not internal: its REST paths and `POST /commands/<Name>`. The schema of the input
 * only documents them; the pipeline parses, once.
 */
export const commandRoutes = (app: App, deps: Deps, presenters: Readonly<Record<string, Presenter>>): void => {
  for (const binding of deps.bindings) {
    if (binding.internal) continue;
    const { name } = binding.command;
    const presenter = presenters[name];
    for (const address of [...pathsOf(binding), `POST /commands/${name}`]) {
      const [method = '', url = ''] = address.split(' ');
      const hasParams = url.includes(':');
      const route: RouteOptions = {
        method: method as HTTPMethods,
        url,
        config: {
          access: binding.access,
          unverified: binding.unverified === true,
          apiKey: binding.apiKey ?? false,
          credential: binding.credential === true,
          ...(binding.exports === undefined ? {} : { exports: binding.exports }),
          binding,
        },
        handler: async (request, reply) => {
          const input = inputOf(request, hasParams);
          const outcome = await runCommand(app, deps, binding, { request, reply, input });
          const data =
            presenter === undefined ? outcome.data : await presenter(deps, { app, input, outcome, request, reply });
          const { message } = binding;
          return { success: true, ...(message === undefined ? {} : { message }), data: data ?? null };
        },
      };
      app.route(route);
    }
  }
};
