import { isIPv6 } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App, Deps } from './app.ts';
import { addressOf } from './rateLimits/limiter.ts';

/** An address cut to its network (/24, /48), so that it no longer names a subscriber. */
export const networkOf = (ip: string): string => {
  const address = addressOf(ip);
  if (!isIPv6(address.replace('/64', ''))) return address.replace(/\.\d+$/, '.0');
  return `${address.split(':').slice(0, 3).join(':')}::`;
};

declare module 'fastify' {
  interface FastifyRequest {
    /** To be called when the request has become a connection of another protocol: it was answered with 101. */
    switched: () => void;
  }
}

const NO_ROUTE = 'unknown';

/** Measures and logs every request: routes as patterns, no query strings, no bodies. */
export const registerObservation = (app: App, { log, metrics }: Deps): void => {
  app.decorateRequest('startedAt', 0);
  app.decorateRequest('switched', () => {});
  const children = new Map<string, { observe: (seconds: number) => void }>();
  const measureOf = (method: string, route: string, status: number) => {
    const key = `${method} ${route} ${status}`;
    let child = children.get(key);
    if (child === undefined) {
      child = metrics.requests.labels(method, route, String(status));
      children.set(key, child);
    }
    return child;
  };

  const finished = (request: FastifyRequest, reply: FastifyReply, status: number, ip: string): void => {
    metrics.inFlight.dec();
    const duration = performance.now() - request.startedAt;
    const route = request.routeOptions.url ?? NO_ROUTE;
    const stream = String(reply.raw.getHeader('content-type')).startsWith('text/event-stream');
    if (!stream) measureOf(request.method, route, status).observe(duration / 1000);
    if (!log.isLevelEnabled('info')) return;
    log.info(
      {
        method: request.method,
        route,
        status,
        durationMs: Math.round(duration * 10) / 10,
        userId: request.caller?.accountId,
        correlationId: request.correlationId,
        ip: networkOf(ip),
        userAgent: request.headers['user-agent']?.slice(0, 200),
      },
      'request',
    );
  };
  app.addHook('onRequest', (request, reply, done) => {
    request.startedAt = performance.now();
    metrics.inFlight.inc();
    // A socket forgets its peer once it is closed.
    const { ip } = request;
    let answered = false;
    const answer = (status: number): void => {
      if (answered) return;
      answered = true;
      finished(request, reply, status, ip);
    };
    request.switched = () => answer(101);
    reply.raw.once('finish', () => answer(reply.raw.statusCode));
    // 499: the client was gone before the answer, nobody saw a status.
    reply.raw.once('close', () => answer(499));
    done();
  });
  app.server.on('connection', (socket) => {
    metrics.sockets.inc();
    socket.once('close', () => metrics.sockets.dec());
  });
};
