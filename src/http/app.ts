import { randomUUID } from 'node:crypto';
import compress from '@fastify/compress';
import cookie from '@fastify/cookie';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
  type RouteOptions,
} from 'fastify';
import { validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Access } from '../commands/binding.ts';
import type { ContextName } from '../domain/access/permissions.ts';
import { MINUTE_MS } from '../domain/durations.ts';
import type { AnyProjection } from '../projections/projection.ts';
import { admit, registerAuth } from './auth.ts';
import { BODY_BYTES, registerBody } from './body.ts';
import { clientErrorHandler } from './clientErrors.ts';
import { commandRoutes } from './commandRoutes.ts';
import { createConsistency } from './consistency.ts';
import type { Deps } from './deps.ts';
import { errorHandler, problemOf, sendProblem } from './errors.ts';
import { constantHeaders, registerHeaders } from './headers.ts';
import { metricsRoute } from './health/metrics.ts';
import { healthRoutes } from './health/routes.ts';
import { registerServerSentEvents, registerWebSocket, startLive, ticketRoute } from './live/index.ts';
import { registerObservation } from './observe.ts';
import { registerOpenApi } from './openapi/document.ts';
import { Problem } from './problem.ts';
import { publicKeysRoute } from './publicKeys.ts';
import { createRateLimits } from './rateLimits/limiter.ts';
import { registerRefusals } from './refusals/recorder.ts';
import { presenters, routes } from './routes/index.ts';

export type { Deps, Rights } from './deps.ts';

/** A Fastify instance whose routes take their types from zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

declare module 'fastify' {
  interface FastifyInstance {
    /** True from the moment the server is told to stop: it is then no longer ready. */
    draining: () => boolean;
    /** Makes the server say that it stops; running requests are answered. `close` does it too. */
    drain: () => void;
  }
  interface FastifyContextConfig {
    /** Who may call: a permission, `loggedIn` (when omitted) or `anyone`. */
    access?: Access;
    /** Open to accounts without a verified address. */
    unverified?: boolean;
    /** Open to API keys that hold the permission of the route, or the one named here. */
    apiKey?: boolean | `${string}:${string}`;
    /**
     * Takes a secret: counted strictly by address and command, before the secret is looked at. A name is that of the
     * command whose attempts it counts among: several spellings are one way in.
     */
    credential?: boolean | string;
    /** Makes a file: counts among those that its caller may have made in an hour in this context. */
    exports?: ContextName;
    /** Statuses of refusals that follow neither from its access nor from its path; for the API document. */
    refuses?: readonly (401 | 403 | 404 | 409)[];
    /** Runs a command for its caller, so that `Idempotency-Key` and `If-Match` count; for the API document. */
    runsCommand?: boolean;
    /** Counts in the account's limit per minute alone: polled by clients. */
    polled?: boolean;
    /** Milliseconds that it may take to find out who calls, 5,000 unless named; a caller not found by then is unknown. */
    callerWithin?: number;
    /** Called by an outside service, which signs the body to the byte (`rawBodyOf`); counts by address and minute. */
    webhook?: boolean;
    /** Counts in no limit, or the route counts by itself (`app.rateLimits.countFor`). */
    unlimited?: boolean;
    /** Media types of bodies that are taken beside JSON, with a word on each; for the API document. */
    alsoAccepts?: Readonly<Record<string, string>>;
    /** Read models that the answer is made of: the route waits until they show what its caller did before. */
    reads?: readonly AnyProjection[];
  }
}

const PREFIX = '/api/v1';
/** Milliseconds after which a stop waits no longer for requests whose clients do not go on. */
const STALLED_AFTER = 6_000;
/** Bytes from which on an answer is compressed. */
const COMPRESS_FROM = 1_024;
/** Answers that hold secrets are not compressed: their length would tell about them. */
const SECRET_PATHS = /^\/api\/v1\/(?:auth|mfa)\b/;

const isReference = (url: string): boolean => url === '/docs' || url.startsWith('/docs/');

/**
 * Gives every route its checks, in this order: rate limit, readable body, login, right, input, read models. Runs once a
 * route, when it is registered.
 */
const withChecks = (app: App, route: RouteOptions): void => {
  // The reference page's own routes come from a plugin, which knows nothing of logins.
  const config = isReference(route.url) ? { access: 'anyone' as const, unlimited: true } : (route.config ?? {});
  const url = route.url.length > 1 ? route.url.replace(/\/$/, '') : route.url;
  const attempted =
    typeof config.credential === 'string'
      ? config.credential
      : (config.binding?.command.name ?? `${route.method} ${url}`);
  const before = {
    onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
      if (config.credential) await app.rateLimits.countAttempt(request, reply, attempted);
      else if (config.polled) app.rateLimits.countPolled(request, reply);
      else if (config.webhook) app.rateLimits.countWebhook(request, reply);
      else app.rateLimits.count(request, reply);
    },
    preValidation: async (request: FastifyRequest) => admit(request, entry),
    preHandler: async (request: FastifyRequest, reply: FastifyReply) => {
      if (config.exports !== undefined) await app.rateLimits.countExport(request, reply, config.exports);
      await app.consistency.wait(request, config.reads ?? []);
    },
  };
  const entry = {
    access: config.access ?? 'loggedIn',
    unverified: config.unverified === true,
    apiKey: config.apiKey ?? false,
  } as const;
  const first = <Hook>(hook: Hook, present: Hook | Hook[] | undefined): Hook[] => [
    hook,
    ...([present ?? []].flat() as Hook[]),
  ];
  if (!config.unlimited) route.onRequest = first(before.onRequest, route.onRequest as never);
  if (entry.access !== 'anyone') route.preValidation = first(before.preValidation, route.preValidation as never);
  if ((config.reads?.length ?? 0) > 0 || config.exports !== undefined)
    route.preHandler = first(before.preHandler, route.preHandler as never);
  if (SECRET_PATHS.test(url)) route.compress = false;
};

/** A number trusts so many hops, a list the addresses and networks in it. */
const trustProxyOf = (trusted: Deps['config']['trustProxy']) =>
  typeof trusted === 'number' ? (_address: string, hop: number) => hop < trusted : trusted;

/** The HTTP server with all its routes, not yet listening. `contexts` replaces the query routes of the service. */
export const createApp = async (deps: Deps, contexts: typeof routes = routes): Promise<App> => {
  const { config, log } = deps;
  const constant = await constantHeaders();
  let draining = false;
  const app: App = Fastify({
    logger: false,
    trustProxy: trustProxyOf(config.trustProxy),
    bodyLimit: BODY_BYTES,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1_000 },
    // A request that came in on an open connection before the stop is answered; its connection ends with the answer.
    return503OnClosing: false,
    http: {
      // Clients offer HTTP/2 on plain connections; any such offer may be passed over, and the request answered as it is.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    requestTimeout: MINUTE_MS,
    keepAliveTimeout: 72_000,
    clientErrorHandler: clientErrorHandler(constant),
    // Addresses that cannot even be decoded: no hook runs for them.
    frameworkErrors: (error, _request, reply) => {
      for (const [name, value] of constant) reply.header(name, value);
      reply.header('x-correlation-id', randomUUID());
      sendProblem(reply, problemOf(error) ?? new Problem('BAD_REQUEST', 'The request cannot be read'));
    },
  }).withTypeProvider<ZodTypeProvider>();

  app.decorate('drain', () => {
    draining = true;
  });
  app.decorate('draining', () => draining);
  app.addHook('preClose', async () => {
    app.drain();
    setTimeout(() => app.server.closeAllConnections(), STALLED_AFTER).unref();
  });
  // Answers that leave during the stop end their connections; one whose head was gone before ends it when it is idle.
  // Otherwise the stop would wait for as long as a client keeps its connection open.
  app.addHook('onSend', async (_request, reply) => {
    if (draining) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async () => {
    if (draining) setImmediate(() => app.server.closeIdleConnections());
  });

  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => JSON.stringify);
  app.setErrorHandler(errorHandler(log));
  registerBody(app);

  registerObservation(app, deps);
  await registerHeaders(app, deps, constant);
  await app.register(cookie);
  await registerAuth(app, deps);
  app.decorate('rateLimits', createRateLimits(app, deps));
  registerRefusals(app, deps);
  app.decorate('consistency', createConsistency(deps));

  app.addHook('onRoute', (route) => withChecks(app, route));
  await app.register(compress, { encodings: ['gzip'], threshold: COMPRESS_FROM, globalDecompression: false });
  await registerOpenApi(app, deps);

  app.setNotFoundHandler(
    {
      preValidation: async (request: FastifyRequest, reply: FastifyReply) => app.rateLimits.count(request, reply),
    },
    (_request, reply) =>
      sendProblem(reply, new Problem('NOT_FOUND', 'Nothing is served at this address', { reason: 'route-unknown' })),
  );
  const live = await startLive(app, deps);
  await registerWebSocket(app, deps, live);
  metricsRoute(app, deps);
  publicKeysRoute(app);
  healthRoutes(app, deps);
  await app.register(
    async (api) => {
      const typed: App = api.withTypeProvider<ZodTypeProvider>();
      healthRoutes(typed, deps);
      commandRoutes(typed, deps, presenters);
      for (const register of contexts) await register(typed, deps);
      registerServerSentEvents(typed, deps, live);
      ticketRoute(typed, live.tickets);
    },
    { prefix: PREFIX },
  );
  return app;
};
