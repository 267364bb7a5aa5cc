import type { ServerResponse } from 'node:http';
import websocket from '@fastify/websocket';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { App, Deps } from '../app.ts';
import { originAllowed } from '../headers.ts';
import { Problem } from '../problem.ts';
import { type Connection, createConnection } from './connection.ts';
import { closeCodes } from './limits.ts';
import type { Live } from './live.ts';
import type { Logins } from './logins.ts';

/** The service's own pages and those that CORS admits may connect, and whoever is no browser: those send no origin. */
const mayConnect = ({ headers, host }: FastifyRequest, config: Deps['config']): boolean => {
  const { origin } = headers;
  return origin === undefined || originAllowed(config, origin) || URL.parse(origin)?.host === host;
};

const textOf = (data: Buffer | ArrayBuffer | Buffer[]): string =>
  Buffer.isBuffer(data) ? data.toString() : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]).toString();

const Query = z.object({ names: z.string().optional(), ticket: z.string().optional() });

/** WebSocket `/ws`. The first message logs in, or a one-time ticket in the address, so that no token stands there. */
export const registerWebSocket = async (
  app: App,
  deps: Deps,
  { live, logins }: { readonly live: Live; readonly logins: Logins },
): Promise<void> => {
  const connections = new Set<Connection>();
  const failed = (error: Error, socket: WebSocket): void => {
    deps.log.debug({ err: error }, 'a WebSocket failed');
    socket.terminate();
  };
  await app.register(websocket, {
    options: { maxPayload: live.limits.messageBytes, clientTracking: true, perMessageDeflate: false },
    errorHandler: failed,
    preClose(done) {
      const { clients } = this.websocketServer;
      for (const connection of connections) connection.close(closeCodes.draining, 'the service stops');
      for (const client of clients) client.close(closeCodes.draining, 'the service stops');
      // Who does not take the close, or does not answer it, must not hold up the stop.
      setTimeout(() => {
        for (const client of clients) client.terminate();
      }, live.limits.goodbye).unref();
      done();
    },
  });

  const connect = (socket: WebSocket, address: string, query: z.output<typeof Query>): void => {
    const leave = live.enterAsStranger(address);
    if (leave === undefined) {
      socket.close(closeCodes.tooMany, 'too many connections');
      return;
    }
    const gauge = deps.metrics.liveClients.labels('websocket');
    gauge.inc();
    const connection = createConnection({
      transport: {
        send: (data, taken) => {
          if (socket.readyState !== socket.OPEN) taken?.();
          else if (taken === undefined) socket.send(data, { binary: false });
          else socket.send(data, { binary: false }, taken);
          return socket.bufferedAmount;
        },
        // A client that does not take the close either is cut off by the socket's own time-out.
        close: (code, reason) => socket.close(code, reason),
        ping: () => socket.ping(),
      },
      live: {
        ...live,
        enter: async (actor, ended) => {
          const place = await live.enter(actor, ended);
          leave();
          return place;
        },
      },
      logins,
      names: query.names === 'hyphen' ? 'hyphen' : 'colon',
      onError: (err) => deps.log.warn({ err }, 'a live connection could not be served'),
    });
    connections.add(connection);
    socket.on('message', (data) => connection.received(textOf(data)));
    socket.on('pong', connection.heard);
    socket.on('close', () => {
      leave();
      gauge.dec();
      connections.delete(connection);
      connection.ended();
    });
    if (query.ticket !== undefined) connection.received(JSON.stringify({ type: 'auth', ticket: query.ticket }));
  };

  /** Lets go of the HTTP request, which would otherwise be kept for as long as the connection lasts. */
  const forget = (socket: WebSocket, request: FastifyRequest): void => {
    request.switched();
    responses.get(request)?.detachSocket(request.raw.socket);
    socket.removeAllListeners('error');
    socket.on('error', (error) => failed(error, socket));
  };
  const responses = new WeakMap<FastifyRequest, ServerResponse>();

  app.route({
    method: 'GET',
    url: '/ws',
    schema: { hide: true } as never,
    config: { access: 'anyone', polled: true },
    preValidation: async (request: FastifyRequest, reply: FastifyReply) => {
      if (!request.ws) return;
      responses.set(request, reply.raw);
      if (!mayConnect(request, deps.config))
        throw new Problem('FORBIDDEN', 'Pages of this origin may not connect', { reason: 'foreign-origin' });
    },
    handler: async () => {
      throw new Problem('NOT_FOUND', 'Please connect with the WebSocket protocol', { reason: 'not-found' });
    },
    wsHandler: (socket: WebSocket, request: FastifyRequest) => {
      connect(socket, request.ip, Query.safeParse(request.query).data ?? {});
      forget(socket, request);
    },
  });
};
