import websocket from '@fastify/websocket';
import type { WebSocket } from 'ws';
import type { App, Deps } from '../app.ts';
import { Problem } from '../problem.ts';
import { createConnection, type Login } from './connection.ts';
import { closeCodes } from './limits.ts';
import type { Live } from './live.ts';

/** Instant at which a token that was verified before ends. */
export const expiryOf = (token: string): Date => {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined;
  return new Date(typeof exp === 'number' ? exp * 1000 : 0);
};

/** Whether a page of this origin may connect: the service's own pages and those that CORS admits. No origin: not a browser. */
export const originAllowed = (
  origin: string | undefined,
  host: string | undefined,
  allowed: readonly string[],
): boolean => {
  if (origin === undefined) return true;
  if (allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
};

const textOf = (data: Buffer | ArrayBuffer | Buffer[]): string =>
  Buffer.isBuffer(data) ? data.toString() : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]).toString();

/** WebSocket `/ws`. The first message logs in, so that no token stands in a URL. */
export const registerWebSocket = async (app: App, deps: Deps, live: Live): Promise<void> => {
  await app.register(websocket, {
    options: { maxPayload: live.limits.messageBytes, clientTracking: true },
    errorHandler: (error, socket) => {
      deps.log.debug({ err: error }, 'a WebSocket failed');
      socket.terminate();
    },
    preClose(done) {
      for (const client of this.websocketServer.clients) client.close(closeCodes.draining, 'the service stops');
      done();
    },
  });

  const logIn = async (token: string): Promise<Login | undefined> => {
    try {
      const { actor } = await app.auth.callerOfToken(token);
      return { actor, expiresAt: expiryOf(token) };
    } catch (error) {
      if (error instanceof Problem && error.code === 'UNAUTHORIZED') return undefined;
      throw error;
    }
  };

  const connect = (socket: WebSocket, address: string, hyphens: boolean): void => {
    const leave = live.enterAsStranger(address);
    if (leave === undefined) {
      socket.close(closeCodes.tooMany, 'too many connections');
      return;
    }
    const connection = createConnection({
      transport: {
        send: (text) => {
          if (socket.readyState === socket.OPEN) socket.send(text);
          return socket.bufferedAmount;
        },
        close: (code, reason) => {
          leave();
          // A client that does not take the close either is cut off by the socket's own time-out.
          socket.close(code, reason);
        },
        ping: () => socket.ping(),
      },
      limits: live.limits,
      logIn,
      alive: async ({ id, sessionId }) =>
        (sessionId === undefined || (await deps.sessions.alive(sessionId))) &&
        (await deps.rights.of(id))?.active === true,
      enter: (accountId) => {
        leave();
        return live.enter(accountId);
      },
      open: live.open,
      hyphens,
      onError: (err) => deps.log.warn({ err }, 'a live connection could not be served'),
    });
    socket.on('message', (data) => connection.received(textOf(data)));
    socket.on('pong', connection.heard);
    socket.on('close', () => {
      leave();
      connection.ended();
    });
  };

  app.route<{ Querystring: { names?: string } }>({
    method: 'GET',
    url: '/ws',
    schema: { hide: true } as never,
    config: { access: 'anyone', polled: true },
    preValidation: async (request) => {
      if (!request.ws) return;
      if (!originAllowed(request.headers.origin, request.host, deps.config.corsOrigins))
        throw new Problem('FORBIDDEN', 'Pages of this origin may not connect', { reason: 'foreign-origin' });
    },
    handler: async () => {
      throw new Problem('NOT_FOUND', 'Please connect with the WebSocket protocol', { reason: 'not-found' });
    },
    wsHandler: (socket, request) => connect(socket, request.ip, request.query.names === 'hyphen'),
  });
};
