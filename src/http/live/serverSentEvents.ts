import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import type { App, Deps } from '../app.ts';
import { Problem } from '../problem.ts';
import { actorOf } from '../request.ts';
import type { Live } from './live.ts';
import type { Opened, Receiver } from './subscription.ts';
import { type Delivery, framesOf, textOf } from './topics.ts';
import { expiryOf } from './webSocket.ts';

type Open = Extract<Opened, { kind: 'open' }> & { readonly topic: string };

const seq = z.string().regex(/^\d{1,20}$/, 'Must be the id of an earlier message');
const Query = z.object({
  topics: z
    .string()
    .max(4_000)
    .meta({ description: 'Topics separated by commas, such as `session:<id>` and `availability:<providerId>`.' }),
});
const Headers = z.object({
  'last-event-id': seq.optional().describe('The `id` of the last message seen: everything behind it follows.'),
});

/** The text of one server-sent event. */
const blockOf = (event: string, id: string | undefined, text: string): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${text}\n\n`;
const block = (event: string, id: string | undefined, data: object): string => blockOf(event, id, JSON.stringify(data));

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
  live: Live,
  names: readonly string[],
  actor: ReturnType<typeof actorOf>,
  after: string | undefined,
  receiverOf: (topic: string) => Receiver,
): Promise<readonly Open[]> => {
  const opened: Open[] = [];
  try {
    for (const topic of names) {
      const one = await live.open(topic, actor, after, receiverOf(topic));
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

const byPosition = (a: Delivery, b: Delivery): number =>
  Number(a.position - b.position > 0n) - Number(a.position - b.position < 0n);

/** GET /live: the same topics and messages as the WebSocket's, as server-sent events, for plain HTTP clients. */
export const registerServerSentEvents = (app: App, deps: Deps, live: Live): void => {
  const streams = new Set<() => void>();
  app.addHook('preClose', async () => {
    for (const end of [...streams]) end();
  });

  /** Writes to the response until it ends. */
  const stream = (raw: ServerResponse, onEnd: () => void) => {
    let over = false;
    const timers: NodeJS.Timeout[] = [];
    const end = (): void => {
      if (over) return;
      over = true;
      for (const timer of timers) clearTimeout(timer);
      streams.delete(end);
      onEnd();
      raw.end();
    };
    streams.add(end);
    raw.on('close', end);
    raw.on('error', end);
    return {
      end,
      timers,
      write: (text: string): void => {
        if (over) return;
        raw.write(text);
        // The buffer of a reader that does not read must not grow for ever.
        if (raw.writableLength > live.limits.unreadBytes) {
          end();
          raw.destroy();
        }
      },
    };
  };

  app.get(
    '/live',
    {
      // A stream of which only the head is asked for would never end.
      exposeHeadRoute: false,
      config: { polled: true },
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
      const names = listed(request.query.topics, live.limits.topicsPerConnection);
      const leave = live.enter(actor.id);
      if (leave === undefined)
        throw new Problem('RATE_LIMIT_EXCEEDED', 'Too many live connections of this account', {
          reason: 'too-many-connections',
        });
      const after = request.headers['last-event-id'];
      const { raw } = reply;
      let opened: readonly Open[] = [];
      const out = { write: (_text: string): void => {} };
      const deliver = (delivery: Delivery): void => {
        for (const frame of framesOf(delivery)) out.write(blockOf(frame.event, frame.seq, textOf(frame)));
      };
      const receiverOf = (topic: string): Receiver => ({
        deliver,
        lost: () => out.write(block('error', undefined, { type: 'error', code: 'FORBIDDEN', topic })),
      });
      try {
        opened = await openAll(live, names, actor, after, receiverOf);
      } catch (error) {
        leave();
        throw error;
      }
      reply.hijack();
      const { write, end, timers } = stream(raw, () => {
        leave();
        for (const { close } of opened) close();
      });
      out.write = write;
      if (raw.closed || raw.destroyed) return end();
      raw.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });

      for (const { topic, seq, resync } of opened)
        write(
          block(resync ? 'resync' : 'subscribed', String(seq), {
            type: resync ? 'resync' : 'subscribed',
            topic,
            seq: String(seq),
          }),
        );
      for (const delivery of opened.flatMap((one) => one.due()).sort(byPosition)) deliver(delivery);
      for (const { start } of opened) start();

      timers.push(
        setInterval(() => {
          // An id alone is no message, but a client that reconnects begins there instead of far behind.
          write(`id: ${live.hub.position()}\n\n`);
          const { sessionId } = actor;
          Promise.all([sessionId === undefined || deps.sessions.alive(sessionId), deps.rights.of(actor.id)]).then(
            ([alive, rights]) => (alive && rights?.active === true) || end(),
            (err: unknown) => deps.log.warn({ err }, 'a live connection could not be checked'),
          );
        }, live.limits.pingEvery),
      );
      const token = /^Bearer +(\S+)/i.exec(request.headers.authorization ?? '')?.[1];
      if (token !== undefined) {
        const expiresAt = expiryOf(token);
        const left = expiresAt.getTime() - Date.now();
        const warning = { type: 'auth:expiring', at: expiresAt.toISOString() };
        timers.push(
          setTimeout(
            () => write(block('auth:expiring', undefined, warning)),
            Math.max(left - live.limits.expiryWarning, 0),
          ),
        );
        timers.push(setTimeout(end, Math.max(left, 0)));
      }
    },
  );
};
