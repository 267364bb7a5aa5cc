import { randomInt } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App, Deps } from '../app.ts';
import { Problem } from '../problem.ts';
import { actorOf } from '../request.ts';
import { furthestBack, SEQ } from './cursor.ts';
import { block, encoded, type Names } from './encoding.ts';
import { closeCodes } from './limits.ts';
import type { Live, Place } from './live.ts';
import type { Logins } from './logins.ts';
import type { Due, Open, Receiver } from './subscription.ts';
import type { Delivery } from './topics.ts';

type Named = Open & { readonly topic: string };

const seq = z.string().regex(SEQ, 'Must be the id of an earlier message');
const Query = z.object({
  topics: z
    .string()
    .max(4_000)
    .meta({ description: 'Topics separated by commas, such as `session:<id>` and `availability:<providerId>`.' }),
  after: seq.optional().describe('As `Last-Event-ID`, for clients that cannot send it with their first request.'),
  names: z.enum(['colon', 'hyphen']).default('colon').describe('How message names are spelt.'),
  ticket: z.string().max(100).optional().describe('A ticket of `POST /live/tickets`, in place of an access token.'),
});
const Headers = z.object({
  'last-event-id': seq.optional().describe('The `id` of the last message seen: everything behind it follows.'),
});
const Ticket = z.object({ ticket: z.string().max(100) });

const said = (event: string, id: string | undefined, data: object): string => block(event, id, JSON.stringify(data));

const listed = (topics: string, most: number): readonly string[] => {
  const names = [...new Set(topics.split(',').map((name) => name.trim()))].filter((name) => name !== '');
  const wrong =
    names.length === 0 ? 'Name at least one topic' : names.length > most ? `At most ${most} topics` : undefined;
  if (wrong === undefined) return names;
  throw new Problem('VALIDATION_ERROR', wrong, {
    reason: 'input-invalid',
    details: [{ field: 'topics', message: wrong }],
  });
};

/** Opens all topics, or none and throws the refusal. */
const openAll = async (
  { open }: Place,
  names: readonly string[],
  after: string | undefined,
  receiverOf: (topic: string) => Receiver,
): Promise<readonly Named[]> => {
  const opened: Named[] = [];
  try {
    for (const topic of names) {
      const one = await open(topic, after, receiverOf(topic));
      if (one.kind === 'open') opened.push({ ...one, topic });
      else
        throw new Problem(one.refusal.code, one.refusal.message, {
          reason: 'topic-refused',
          details: [{ field: 'topics', message: `${topic}: ${one.refusal.message}` }],
        });
    }
    return opened;
  } catch (error) {
    for (const { close } of opened) close();
    throw error;
  }
};

/** What is due first over all topics: a reader that is cut off resumes all of them behind one place. */
const earliest = (opened: readonly Named[]): { readonly one: Named; readonly due: Due } | undefined => {
  let first: { one: Named; due: Due; position: bigint } | undefined;
  for (const one of opened) {
    const due = one.due();
    if (due === undefined) continue;
    const position = 'resync' in due ? -1n : (due.position ?? -1n);
    if (first === undefined || position < first.position) first = { one, due, position };
  }
  return first;
};

/** A stream to one client, until either side ends it. */
const openStream = (raw: ServerResponse, live: Live, onEnd: () => void) => {
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    onEnd();
    raw.end();
    // What a client does not take must not be kept for it.
    setTimeout(() => raw.destroy(), live.limits.goodbye).unref();
  };
  raw.on('close', end);
  raw.on('error', end);
  return {
    end,
    over: () => over,
    /** Bytes that wait to be taken; `taken` is called when these are, or nobody is left to take them. */
    write: (data: string | Buffer, taken?: () => void): number => {
      if (over || raw.destroyed) {
        taken?.();
        return 0;
      }
      raw.write(data, () => taken?.());
      const unread = raw.writableLength;
      if (unread > live.limits.unreadBytes) {
        end();
        raw.destroy();
      }
      return unread;
    },
  };
};
type Stream = ReturnType<typeof openStream>;

/** Hands over what is due, as fast as the client takes it, and then lets all topics tell at once. */
const handOver = async (stream: Stream, opened: readonly Named[], names: Names, paced: number): Promise<void> => {
  const bytesOf = encoded.serverSent[names];
  for (let next = earliest(opened); next !== undefined && !stream.over(); next = earliest(opened)) {
    const { one, due } = next;
    one.take();
    const pieces =
      'resync' in due
        ? [said('resync', undefined, { type: 'resync', topic: one.topic, seq: String(due.resync) })]
        : due.frames.map(bytesOf);
    for (const [index, piece] of pieces.entries()) {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (stream.write(piece, resolve) > paced && index === pieces.length - 1) await promise;
    }
  }
  if (!stream.over()) for (const { start } of opened) start();
};

/** GET /live: the same topics and messages as the WebSocket's, as server-sent events, for plain HTTP clients. */
export const registerServerSentEvents = (
  app: App,
  deps: Deps,
  { live, logins }: { readonly live: Live; readonly logins: Logins },
): void => {
  const { limits } = live;
  const closing = new Set<() => void>();
  app.addHook('preClose', async () => {
    for (const close of [...closing]) close();
  });

  /** A ticket stands for the login that an access token would prove. */
  const logIn = async (request: FastifyRequest): Promise<void> => {
    const ticket = Ticket.safeParse(request.query).data?.ticket;
    if (ticket === undefined || request.caller !== undefined) return;
    const login = await logins.byTicket(ticket);
    if (login === undefined)
      throw new Problem('UNAUTHORIZED', 'The ticket is unknown, used or too old', { reason: 'ticket-invalid' });
    request.caller = login;
  };

  app.get(
    '/live',
    {
      // A stream of which only the head is asked for would never end.
      exposeHeadRoute: false,
      config: { polled: true },
      onRequest: logIn,
      schema: {
        summary: 'Live messages as server-sent events',
        description:
          'Each message has `event:` its name, `id:` its place in the log and `data:` {event, topic, data, at, seq}. ' +
          'It begins with one `subscribed` (or `resync`: read afresh) for every topic. Resumed by `Last-Event-ID`.',
        tags: ['live'],
        querystring: Query,
        headers: Headers,
        response: {
          200: {
            description: 'Events for as long as the connection lasts',
            content: { 'text/event-stream': { schema: z.string() } },
          },
        },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { topics, names } = request.query;
      const wanted = listed(topics, limits.topicsPerConnection);
      const after = request.headers['last-event-id'] ?? request.query.after;
      const { raw } = reply;
      let stream: Stream | undefined;
      let opened: readonly Named[] = [];
      const write = (data: string | Buffer): void => {
        stream?.write(data);
      };
      const bytesOf = encoded.serverSent[names];

      let revoked = false;
      const goodbye = (code: number, reason: string): void => {
        write(said('closing', undefined, { type: 'closing', code, reason }));
        stream?.end();
      };
      const place = await live.enter(actor, () => {
        revoked = true;
        goodbye(closeCodes.unauthorized, 'login revoked');
      });
      if (place === undefined)
        throw new Problem('RATE_LIMIT_EXCEEDED', 'Too many live connections of this account', {
          reason: 'too-many-connections',
        });
      try {
        opened = await openAll(place, wanted, after, (topic) => ({
          deliver: ({ frames }: Delivery) => {
            for (const frame of frames) write(bytesOf(frame));
          },
          lost: ({ code, message }) => write(said('error', undefined, { type: 'error', code, message, topic })),
        }));
        if (revoked) throw new Problem('UNAUTHORIZED', 'This login session has ended', { reason: 'session-ended' });
      } catch (error) {
        for (const { close } of opened) close();
        place.leave();
        throw error;
      }

      reply.hijack();
      const gauge = deps.metrics.liveClients.labels('sse');
      gauge.inc();
      stream = openStream(raw, live, () => {
        gauge.dec();
        unfollow();
        closing.delete(stop);
        for (const { close } of opened) close();
        place.leave();
      });
      const stop = (): void => goodbye(closeCodes.draining, 'the service stops');
      closing.add(stop);

      let [beaten, checked, caughtUp] = [Date.now(), Date.now(), false];
      const ends = request.caller?.endsAt?.getTime() ?? 0;
      let warned = false;
      const unfollow = live.pulse.follow((now) => {
        if (now >= ends) return goodbye(closeCodes.unauthorized, 'token expired');
        if (!warned && now >= ends - limits.expiryWarning) {
          warned = true;
          write(said('auth:expiring', undefined, { type: 'auth:expiring', at: new Date(ends).toISOString() }));
        }
        if (now - checked >= limits.checkEvery) {
          checked = now;
          place.recheck();
        }
        if (now - beaten < limits.pingEvery) return undefined;
        beaten = now;
        if (raw.writableLength > 0) return undefined;
        for (const { alive } of opened) alive();
        // An id alone is no message, but a client that reconnects begins there instead of far behind.
        return write(caughtUp ? `id: ${live.hub.position()}\n\n` : ': still there\n\n');
      });

      if (raw.closed || raw.destroyed) return stream.end();
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
      });
      // Spread, so that the clients of a node that stops do not come back all at once.
      write(`retry: ${randomInt(1_000, 3_000)}\n\n`);
      const from = furthestBack(opened.map(({ seq }) => seq));
      for (const { topic, seq, resync } of opened) {
        const type = resync ? 'resync' : 'subscribed';
        write(said(type, from, { type, topic, seq }));
      }
      handOver(stream, opened, names, limits.pacedBytes).then(
        () => {
          caughtUp = true;
        },
        (err: unknown) => {
          deps.log.warn({ err }, 'a live connection could not be served');
          stream?.end();
        },
      );
      return undefined;
    },
  );
};
